//! A server that stops in good order: nobody new is let in, and those inside finish.
//!
//! ```text
//! cargo run --example shutdown               # has visitors, and presses Ctrl-C itself if nobody does
//! cargo run --example shutdown -- --serve    # you are the visitors
//! ```
//!
//! What it shows: a handler under a limit that refuses. At most two uploads are taken at once and
//! two more wait, for five seconds at most; the others get a 503 or a 504 with `Retry-After`,
//! because the handler passes the refusal on. Ctrl-C closes the limiter: calls that wait and calls
//! to come are refused, the server goes on to say so, and stops when the last upload is done. All
//! that happens at the limiter is printed as it happens, by `subscribe`.
#![forbid(unsafe_code)]

mod visitors;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use clap::Parser;
use limit_runtime::{Event, Limiter, Rejected};
use tokio::net::TcpListener;
use tokio::signal::ctrl_c;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::visitors::Visitors;

static UPLOADS: Limiter<Rejected> =
    Limiter::new("uploads", 2).max_waiting(2).max_wait(Duration::from_secs(5));

/// How long it takes to put an upload where it belongs.
const WORK: Duration = Duration::from_secs(1);
/// How long those inside are waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// When the visitors have seen enough.
const DEMONSTRATION: Duration = Duration::from_secs(4);

/// Takes an upload, and then some time.
async fn upload(body: Body) -> Result<Response, Rejected> {
    let _permit = UPLOADS.acquire().await?;
    let Ok(bytes) = to_bytes(body, 1024 * 1024).await else {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    };
    sleep(WORK).await;
    Ok(format!("{} bytes taken", bytes.len()).into_response())
}

#[derive(Parser)]
#[command(about = "Takes uploads, and stops in good order")]
struct Args {
    /// Serve until Ctrl-C, without visitors of its own
    #[arg(long)]
    serve: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let ended = tokio::select! {
        // First what has happened, then what comes of it.
        biased;
        () = tell(UPLOADS.subscribe()) => Ok(()),
        ended = run(&args) => ended,
    };
    if let Err(error) = ended {
        eprintln!("shutdown: {error:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

async fn run(args: &Args) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/upload", listener.local_addr()?);
    let (stop, mut stopped) = watch::channel(());
    // It stops when `stop` is dropped.
    let server = axum::serve(listener, Router::new().route("/upload", post(upload)))
        .with_graceful_shutdown(async move { while stopped.changed().await.is_ok() {} });
    let server = tokio::spawn(server.into_future());
    let visitors = if args.serve { None } else { Some(Visitors::invite(&url)?) };

    tokio::select! {
        // First, so that it listens from the very beginning.
        biased;
        pressed = ctrl_c() => pressed?,
        () = serve(&url, args) => {}
    }
    let finish = async {
        UPLOADS.close();
        let in_use = UPLOADS.snapshot().total.in_use;
        println!("closed: waiting for {in_use} uploads (Ctrl-C again to leave at once)");
        let drained = UPLOADS.drain_within(PATIENCE).await?;
        if let Some(visitors) = visitors {
            visitors.end().await;
        }
        drop(stop);
        server.await??;
        anyhow::Ok(drained)
    };
    let drained = tokio::select! {
        biased;
        _ = ctrl_c() => bail!("stopped before the last uploads were done"),
        drained = finish => drained?,
    };
    let snapshot = UPLOADS.snapshot();
    let rejected = snapshot.total.rejected;
    println!("\n{drained} uploads were done after it was closed");
    println!(
        "refused: {} queue full, {} timed out, {} closed\n{snapshot}",
        rejected.queue_full, rejected.timed_out, rejected.closed
    );
    Ok(())
}

/// The server is at work elsewhere: says where, and ends when it is time to stop.
async fn serve(url: &str, args: &Args) {
    println!("serving {url} (Ctrl-C to stop)");
    if args.serve {
        println!("visit it: curl --data hello {url}\n");
        std::future::pending::<()>().await;
    } else {
        println!("two uploads at once, each takes a second; a visitor comes every 300 ms\n");
        sleep(DEMONSTRATION).await;
    }
}

/// Prints what happens at the limiter, for ever.
async fn tell(mut events: Receiver<Event>) {
    loop {
        match events.recv().await {
            Ok(Event { kind, limit, in_use, waiting, .. }) => {
                let kind = format!("{kind:?}");
                println!("  {kind:<20} {in_use}/{limit} in use, {waiting} waiting");
            }
            Err(RecvError::Lagged(missed)) => println!("  … {missed} more …"),
            // A limiter that is a static tells for ever.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
