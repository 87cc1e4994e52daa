//! Calls that are refused under overload: the least important, those that are too late, and those that would be.
//!
//! ```python
//! # Whoever comes first is served first, also if nobody waits for the answer any more.
//! async def get(server, page, within):
//!     async with asyncio.timeout(within):
//!         async with semaphore:
//!             return await server.get(page)
//! ```
//!
//! With `priority` and `max_waiting` a full queue refuses the youngest of its least important calls. With `order = deadline`
//! the call that must be served first is, and one that is too late has no turn. With `early` a call that cannot be in time
//! learns it at once.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::{Rejected, concurrency_limit};
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep};

const MS: Duration = Duration::from_millis(1);

#[concurrency_limit(2, max_waiting = 4, priority = importance)]
pub(crate) async fn get(server: Server, page: u32, importance: u8) -> Result<String, Rejected> {
    Ok(server.get(page).await)
}

#[concurrency_limit(1, order = deadline, max_wait = within)]
pub(crate) async fn get_within(
    server: Server,
    page: u32,
    within: Duration,
) -> Result<String, Rejected> {
    Ok(server.get(page).await)
}

#[concurrency_limit(1, max_wait = "300ms", early)]
pub(crate) async fn get_or_hear(server: Server, page: u32) -> Result<String, Rejected> {
    Ok(server.get(page).await)
}

/// Makes calls for six pages, of which four wait, then for three that are more important, and for one that is not. Returns
/// the refusals.
pub(crate) async fn important_ones(server: &Server) -> Vec<Rejected> {
    let ordinary = (1..=6).map(|page| (page, 0));
    let important = (101..=103).map(|page| (page, 1));
    let calls: JoinSet<_> = ordinary
        .chain(important)
        .chain([(7, 0)])
        .map(|(page, importance)| get(server.clone(), page, importance))
        .collect();
    calls.join_all().await.into_iter().filter_map(Result::err).collect()
}

/// Makes a call, and four others that wait behind it, with deadlines. Returns the refusals.
pub(crate) async fn urgent_ones(server: &Server) -> Vec<Rejected> {
    let within = [1000, 500, 250, 150, 150];
    let calls: JoinSet<_> =
        (1..).zip(within).map(|(page, ms)| get_within(server.clone(), page, ms * MS)).collect();
    calls.join_all().await.into_iter().filter_map(Result::err).collect()
}

/// Makes a hundred calls, of which thirty can be served in time, and a last one a little later. Returns the last's refusal.
pub(crate) async fn hopeless_one(server: &Server) -> Option<Rejected> {
    let calls: JoinSet<_> = (1..=100).map(|page| get_or_hear(server.clone(), page)).collect();
    sleep(250 * MS).await;
    let last = get_or_hear(server.clone(), 101).await.err();
    calls.join_all().await;
    last
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let server = Server::new();
    println!("A full queue:");
    for refused in important_ones(&server).await {
        println!("  {refused}");
    }
    println!("{server}\n\nDeadlines:");
    let server = Server::new();
    for refused in urgent_ones(&server).await {
        println!("  {refused}");
    }
    println!("{server}\n\nNo hope:");
    let server = Server::with_latency(|_page| 10 * MS);
    if let Some(refused) = hopeless_one(&server).await {
        println!("  {refused}");
    }
}
