//! A server that stops in good order: it refuses new calls, and lets running calls finish.
//!
//! ```text
//! cargo run -p shutdown               # has visitors, and stops by itself after 4 s
//! cargo run -p shutdown -- --serve    # you are the visitors
//! ```
//!
//! The program shows a handler under a limit that refuses. At most two uploads run at once, and two
//! more wait, for five seconds at most. The other requests get a 503 or a 504 with `Retry-After`,
//! because the handler returns the refusal. Ctrl-C closes the limiter, which then refuses the calls
//! that wait and all later calls. The server continues to answer with refusals, and stops when the
//! last upload is done. The program prints each event of the limiter, by `subscribe`.
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

/// The time that it takes to store an upload.
const WORK: Duration = Duration::from_secs(1);
/// The time that running uploads may take after the limiter is closed.
const PATIENCE: Duration = Duration::from_secs(10);
/// The time after which a program with visitors stops.
const DEMONSTRATION: Duration = Duration::from_secs(4);

/// Reads an upload, then takes [`WORK`] to store it.
async fn upload(body: Body) -> Result<Response, Rejected> {
    let _permit = UPLOADS.acquire().await?;
    let Ok(bytes) = to_bytes(body, 1024 * 1024).await else {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    };
    sleep(WORK).await;
    Ok(format!("{} bytes taken", bytes.len()).into_response())
}

const USAGE: &str = "usage: shutdown [--serve]

Takes uploads, and stops in good order.

  --serve  serves until Ctrl-C, without visitors of its own";

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let has_visitors = match &*args.iter().map(String::as_str).collect::<Vec<_>>() {
        [] => true,
        ["--serve"] => false,
        ["--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let ended = tokio::select! {
        // Polled first, so that an event is printed before its consequences.
        biased;
        () = tell(UPLOADS.subscribe()) => Ok(()),
        ended = run(has_visitors) => ended,
    };
    if let Err(error) = ended {
        eprintln!("shutdown: {error:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

async fn run(has_visitors: bool) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/upload", listener.local_addr()?);
    let (stop, mut stopped) = watch::channel(());
    // The server stops when `stop` is dropped.
    let server = axum::serve(listener, Router::new().route("/upload", post(upload)))
        .with_graceful_shutdown(async move { while stopped.changed().await.is_ok() {} });
    let server = tokio::spawn(server.into_future());
    let visitors = has_visitors.then(|| Visitors::invite(&url));

    tokio::select! {
        // Polled first, so that `ctrl_c` listens from the start.
        biased;
        pressed = ctrl_c() => pressed?,
        () = serve(&url, has_visitors) => {}
    }
    let finish = async {
        UPLOADS.close();
        let in_use = UPLOADS.snapshot().total.in_use;
        println!("closed: waiting for {} (Ctrl-C again to leave at once)", uploads(in_use));
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
    println!("\n{} done after it was closed", uploads(drained));
    println!(
        "refused: {} queue full, {} timed out, {} closed\n{snapshot}",
        rejected.queue_full, rejected.timed_out, rejected.closed
    );
    Ok(())
}

fn uploads(number: usize) -> String {
    format!("{number} upload{}", if number == 1 { "" } else { "s" })
}

/// Prints the address of the server, which runs in its own task; returns when it is time to stop.
async fn serve(url: &str, has_visitors: bool) {
    if has_visitors {
        println!("serving {url} (stops by itself after 4 s, or at Ctrl-C)");
        println!("two uploads at once, each takes a second; a visitor comes every 300 ms\n");
        sleep(DEMONSTRATION).await;
    } else {
        println!("serving {url} (Ctrl-C to stop)");
        println!("visit it: curl --data hello {url}\n");
        std::future::pending::<()>().await;
    }
}

/// Prints each event of the limiter, for ever.
async fn tell(mut events: Receiver<Event>) {
    loop {
        match events.recv().await {
            Ok(Event { kind, limit, in_use, waiting, .. }) => {
                let kind = format!("{kind:?}");
                println!("  {kind:<20} {in_use}/{limit} in use, {waiting} waiting");
            }
            Err(RecvError::Lagged(missed)) => println!("  … {missed} more …"),
            // The limiter is a static, so its channel never closes.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
