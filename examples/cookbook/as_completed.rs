//! Results as they complete.
//!
//! ```python
//! async def fetch_all(server, pages, limit, handle):
//!     semaphore = asyncio.Semaphore(limit)
//!
//!     async def fetch(page):
//!         async with semaphore:
//!             return await server.get(page)
//!
//!     for first in asyncio.as_completed(map(fetch, pages)):
//!         handle(await first)
//! ```
//!
//! The stream makes futures as results are taken, never more than `limit` ahead. A loop that ends
//! early drops the stream, and the drop cancels the futures that still run.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::task::{self, Stream, StreamExt};

pub(crate) fn fetch_all(
    server: &Server,
    pages: impl IntoIterator<Item = u32>,
    limit: usize,
) -> impl Stream<Item = String> {
    task::as_completed(limit, pages.into_iter().map(|page| server.get(page)))
}

#[tokio::main]
async fn main() {
    let server = Server::with_latency(|page| Server::LATENCY * page);
    let mut texts = fetch_all(&server, [5, 1, 2, 3], 3);
    while let Some(text) = texts.next().await {
        println!("{text}");
    }
    println!("{server}");
}
