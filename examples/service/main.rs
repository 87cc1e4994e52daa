//! A service with limits on five functions of different character, to look at while it runs.
//!
//! ```text
//! cargo run --release --example service              # you are the load: see http://127.0.0.1:3000
//! cargo run --release --example service -- --load    # it has a load of its own
//! ```
//!
//! What it shows: a database query ([`database`]), a call of another service ([`exchange`]), work for
//! the CPU ([`fingerprint`]), an endpoint where each tenant has a limit of its own ([`orders`]), and a
//! download whose stream holds the permit ([`download`]). Each has a queue with an end, so that under
//! overload a request gets an answer soon: its own, or 503 with `Retry-After`. `/metrics` is for
//! Prometheus, `/limits` for people. Edits of `service.toml` take effect while it runs, and Ctrl-C
//! lets those inside finish and nobody new in.
//!
//! With `--load` the first limit is too low for what is asked: a queue, and refusals. Raise it, in
//! `service.toml` or on the page, and see the queue drain.
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
mod report;
mod routes;
mod settings;
mod stop;

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

/// How long the last connections may take to be closed, when all calls are done.
const GRACE: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    // What the limiters warn of: settings that do not fit, permits that are held for long.
    tracing_subscriber::fmt().with_max_level(LevelFilter::WARN).with_writer(std::io::stderr).init();
    // From here on it is recorded who holds permits.
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
    // Before anybody else comes in: what is broken shows now, and from here on all limiters are known.
    service.call_each_once().await?;
    let watcher = settings::watch(&args.settings)?;

    // They stop when `stop` is dropped: the server, and the pages that are open.
    let (stop, stopped) = watch::channel(());
    let token = args.token.clone().map_or_else(new_token, Ok)?;
    let page = Options::new().writable(&token).until(until_dropped(stopped.clone()));
    let router = routes::router(service, page);
    // So that it is known from where a limit was changed.
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, router).with_graceful_shutdown(until_dropped(stopped));
    let server = tokio::spawn(server.into_future());
    say_where(address, &token);
    let load = if args.load { Some(Load::begin(address)?) } else { None };

    tokio::select! {
        () = signals.next() => {}
        () = settings::tell_edits(watcher.as_ref()) => {}
    }
    let finish = async {
        let deadline = Instant::now() + args.patience;
        stop::close()?;
        let load = async { timeout_at(deadline, load?.end()).await.ok() };
        let (asked, drained) = tokio::join!(load, stop::drain(deadline));
        // Pages that are open end now, and connections that want nothing more are closed.
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

/// One that nobody can guess.
fn new_token() -> anyhow::Result<String> {
    let number = getrandom::u64().map_err(|error| anyhow!("there is no token: {error}"))?;
    Ok(format!("{number:016x}"))
}

fn say_where(address: SocketAddr, token: &str) {
    println!("serving http://{address}/ (Ctrl-C to stop)");
    // The page takes the token from the address, of which a server is not sent what is after the #.
    let token: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
    println!("the limits: http://{address}/limits#token={token}");
    println!("for Prometheus: http://{address}/metrics\n");
}
