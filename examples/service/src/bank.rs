//! The other service, a stand-in that runs in this program.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

/// The currencies of the bank, each with its rate for 100 euros.
const RATES: [(&str, f64); 4] = [("chf", 94.2), ("gbp", 86.7), ("jpy", 17_310.0), ("usd", 116.5)];

/// The bank's cycle in seconds; the bank is slow in the last [`SLOW`] seconds of each cycle.
const SPELL: u64 = 20;
const SLOW: u64 = 4;

/// Serves the bank on a free port of loopback, as long as the program runs.
pub(crate) async fn serve() -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let bank = Router::new().route("/{currency}", get(rate)).with_state(Instant::now());
    tokio::spawn(axum::serve(listener, bank).into_future());
    Ok(address)
}

async fn rate(
    State(opened): State<Instant>,
    Path(currency): Path<String>,
) -> Result<String, StatusCode> {
    let is_slow = opened.elapsed().as_secs() % SPELL >= SPELL - SLOW;
    let latency = Duration::from_millis(fastrand::u64(40..160));
    sleep(if is_slow { latency * 4 } else { latency }).await;
    let (_, rate) =
        RATES.iter().find(|(name, _)| *name == currency).ok_or(StatusCode::NOT_FOUND)?;
    Ok(format!("100 eur = {rate} {currency}\n"))
}
