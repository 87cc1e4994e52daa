//! A service with limits on six different functions, to observe while it runs.
//!
//! ```text
//! cargo run --release -p service              # you are the load: see http://127.0.0.1:3000
//! cargo run --release -p service -- --load    # the program makes a load
//! ```
//!
//! The functions are:
//!
//! - a database query ([`report`]),
//! - a call of another service ([`exchange`]),
//! - work for the CPU ([`fingerprint`]),
//! - an endpoint where each tenant has a limit of its own ([`orders`]),
//! - a download whose stream holds the permit ([`download`]),
//! - a search whose limit finds itself ([`search`]).
//!
//! Each function has a bounded queue. Under overload a request soon gets its answer, or a 503 with
//! `Retry-After`. `/metrics` is for Prometheus, `/limits` for people. Edits of `service.toml` take
//! effect while the service runs. Ctrl-C refuses new calls and lets running calls finish.
//!
//! With `--load` the limit of `report` is too low for the requests: calls queue, and some are
//! refused. Raise the limit, in `service.toml` or on the page, and see the queue drain.
//!
//! The limit of `search` needs nobody: half of each minute a backup takes most of the replica, and the limit goes down
//! to what is left. See it come back on the page.
#![forbid(unsafe_code)]

mod args;
mod bank;
mod database;
mod download;
mod error;
mod exchange;
mod fingerprint;
mod load;
mod orders;
mod replica;
mod report;
mod routes;
mod search;
mod settings;
mod stop;
mod utc;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Parser;
use limit_console::Options;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing_subscriber::filter::LevelFilter;

use crate::args::Args;
use crate::load::Load;
use crate::routes::Service;
use crate::stop::Signals;

/// The time that the last connections may take to close after all calls are done.
const GRACE: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    // Prints the warnings of the limiters, such as invalid settings and permits held for long.
    tracing_subscriber::fmt().with_max_level(LevelFilter::WARN).with_writer(std::io::stderr).init();
    // From here on the limiters record the holders of permits.
    limit_runtime::diagnostics::record(true);
    if let Err(error) = run(&args).await {
        eprintln!("service: {error:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

async fn run(args: &Args) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    let listener = listen(args.addr).await?;
    let address = listener.local_addr()?;
    let service = Service::open().await?;
    // These calls come before all requests. They show a broken function at the start, and register
    // all limiters.
    service.call_each_once().await?;
    let watcher = settings::watch(&args.settings)?;

    // The server and the open pages stop when `stop` is dropped.
    let (stop, stopped) = watch::channel(());
    let token = args.token.clone().map_or_else(new_token, Ok)?;
    let page =
        Options::new().service("shop").writable(&token).until(until_dropped(stopped.clone()));
    let replica = service.replica.clone();
    let router = routes::router(service, page);
    // The page records the address from which a limit is changed.
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, router).with_graceful_shutdown(until_dropped(stopped));
    let server = tokio::spawn(server.into_future());
    say_where(address, &token);
    let load = if args.load { Some(Load::begin(address, replica)?) } else { None };

    tokio::select! {
        () = signals.next() => {}
        () = settings::tell_changes(watcher.as_ref()) => {}
    }
    let finish = async {
        let deadline = Instant::now() + args.patience;
        stop::close()?;
        let load = async { timeout_at(deadline, load?.end()).await.ok() };
        let (asked, drained) = tokio::join!(load, stop::drain(deadline));
        // The drop ends the open pages and closes the idle connections.
        drop(stop);
        if let Ok(ended) = timeout_at(deadline.min(Instant::now() + GRACE), server).await {
            ended??;
        }
        stop::report();
        if let Some(asked) = asked {
            println!("\n{}", asked?);
        }
        drained
    };
    tokio::select! {
        biased;
        () = signals.next() => bail!("stopped before the last requests were answered"),
        drained = finish => drained,
    }
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; --addr takes another, and port 0 is any that is free")
    })
}

async fn until_dropped(mut stopped: watch::Receiver<()>) {
    while stopped.changed().await.is_ok() {}
}

/// Returns a random token of 16 hexadecimal digits.
fn new_token() -> anyhow::Result<String> {
    let number = getrandom::u64().map_err(|error| anyhow!("there is no token: {error}"))?;
    Ok(format!("{number:016x}"))
}

fn say_where(address: SocketAddr, token: &str) {
    println!("serving http://{address}/ (Ctrl-C to stop)");
    // The page reads the token from the part after the #, which no browser sends to a server.
    let token: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
    println!("the limits: http://{address}/limits#token={token}");
    println!("for Prometheus: http://{address}/metrics\n");
}
