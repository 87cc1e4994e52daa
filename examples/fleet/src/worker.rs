//! A worker: one process of the fleet, under more load than the limit admits.

use anyhow::Result;
use limit_fleet::Fleet;
use limit_runtime::{concurrency_limit, find};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The limit of all workers together.
pub(crate) const LIMIT: usize = 10;

/// The variable that tells a worker the URL of the server.
pub(crate) const URL: &str = "FLEET_EXAMPLE_URL";

/// The calls that a worker wants to run at once. Four workers want 24, and may run 10.
const TASKS: u64 = 6;

/// The time for which a share is leased: shorter than the default, so that a run is short.
pub(crate) const LEASE: Duration = Duration::from_secs(2);

/// The time between two lines about the worker's share.
const TELL: Duration = Duration::from_millis(250);

static CALLS: AtomicU64 = AtomicU64::new(0);

/// Stands for a query of a database that bears 10 at once.
#[concurrency_limit(LIMIT, scope = fleet, name = "orders-db", permit = permit)]
async fn query() {
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    tell(&format!("start {call}"));
    tokio::time::sleep(Duration::from_millis(fastrand::u64(20..120))).await;
    tell(&format!("end {call} {}", if permit.is_valid() { "valid" } else { "lost" }));
}

/// Writes a line for the process that has started this one, with the time since the machine was started.
fn tell(line: &str) {
    println!("{} {line}", limit_runtime::fleet::now().as_micros());
}

pub(crate) async fn run(url: &str) -> Result<()> {
    let fleet = Fleet::connect(url).namespace("example").lease(LEASE).start().await?;
    for _ in 0..TASKS {
        tokio::spawn(async {
            loop {
                query().await;
            }
        });
    }
    // The parent closes the input of a worker that is to end.
    let mut end = tokio::spawn(async {
        let mut input = tokio::io::stdin();
        tokio::io::AsyncReadExt::read_u8(&mut input).await.is_err()
    });
    let mut interval = tokio::time::interval(TELL);
    loop {
        tokio::select! {
            _ = &mut end => break,
            _ = interval.tick() => tell_share(),
        }
    }
    fleet.stop().await;
    tell("stopped");
    // The calls that still run end with the process.
    std::process::exit(0);
}

fn tell_share() {
    let Some(limiter) = find("orders-db") else { return };
    let snapshot = limiter.snapshot();
    let (running, waiting) = (snapshot.total.in_use, snapshot.total.waiting);
    let share = snapshot.fleet.and_then(|fleet| fleet.ledgers.into_iter().next());
    let share = share.map_or(0, |ledger| ledger.share);
    tell(&format!("share {share} {running} {waiting}"));
}
