//! A wait with a timeout.
//!
//! ```python
//! semaphore = asyncio.Semaphore(2)
//!
//! async def fetch(server, page):
//!     async with asyncio.timeout(0.15):
//!         await semaphore.acquire()
//!     try:
//!         return await server.get(page)
//!     finally:
//!         semaphore.release()
//! ```
//!
//! The timeout applies to the wait and not to the work. The error gives the figures of the limiter
//! and the time to try again. A call takes a free permit even if `max_wait` is 0. `max_wait` may
//! also be an expression over the arguments, such as a request's deadline.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::{Rejected, concurrency_limit};
use tokio::task::JoinSet;

#[concurrency_limit(2, max_wait = "150ms")]
pub(crate) async fn fetch(server: Server, page: u32) -> Result<String, Rejected> {
    Ok(server.get(page).await)
}

#[tokio::main]
async fn main() {
    let server = Server::new();
    let calls: JoinSet<_> = (1..=6).map(|page| fetch(server.clone(), page)).collect();
    for result in calls.join_all().await {
        match result {
            Ok(text) => println!("{text}"),
            Err(rejected) => println!("{rejected}"),
        }
    }
    println!("{server}");
}
