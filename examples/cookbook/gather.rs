//! Gather with a limit: all results, in the order of the input.
//!
//! ```python
//! async def fetch_all(server, pages, limit):
//!     semaphore = asyncio.Semaphore(limit)
//!
//!     async def fetch(page):
//!         async with semaphore:
//!             return await server.get(page)
//!
//!     return await asyncio.gather(*map(fetch, pages))
//! ```
//!
//! The call pulls a page when a permit is free, while `asyncio.gather` makes a task for each page
//! at the start. For futures that can fail, `try_gather` stops at the first error and cancels
//! the other futures. `asyncio.gather` lets the others continue unseen.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::task;

pub(crate) async fn fetch_all(
    server: &Server,
    pages: impl IntoIterator<Item = u32>,
    limit: usize,
) -> Vec<String> {
    task::gather(limit, pages.into_iter().map(|page| server.get(page))).await
}

#[tokio::main]
async fn main() {
    let server = Server::new();
    println!("{}", fetch_all(&server, 1..=9, 3).await.join(", "));
    println!("{server}");
}
