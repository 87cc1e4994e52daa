//! One call that needs two limits at once: pages are copied from one server to another. Copies go both ways, so the
//! two nested semaphores of this form wait for each other for ever:
//!
//! ```python
//! async def copy(source, target, page):
//!     async with source.semaphore:
//!         async with target.semaphore:
//!             await asyncio.gather(source.get(page), target.get(page))
//! ```
//!
//! A call here takes both permits, or none. The order in which it names the servers makes no difference.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::{Limiter, concurrency_limit};
use std::sync::Arc;
use tokio::task::JoinSet;

/// A server, and the limit of the requests to it.
pub(crate) struct Limited {
    pub(crate) server: Server,
    limiter: Limiter,
}

impl Limited {
    pub(crate) fn new(name: &'static str, limit: usize) -> Arc<Self> {
        Arc::new(Self { server: Server::new(), limiter: Limiter::new(name, limit) })
    }
}

#[concurrency_limit(all(source.limiter, target.limiter))]
pub(crate) async fn copy(source: Arc<Limited>, target: Arc<Limited>, page: u32) {
    tokio::join!(source.server.get(page), target.server.get(page));
}

#[tokio::main]
async fn main() {
    let (here, there) = (Limited::new("here", 2), Limited::new("there", 1));
    let mut copies = JoinSet::new();
    for page in 1..=4 {
        copies.spawn(copy(Arc::clone(&here), Arc::clone(&there), page));
        copies.spawn(copy(Arc::clone(&there), Arc::clone(&here), page + 4));
    }
    println!("{} copies", copies.join_all().await.len());
    println!("here\n{}", here.server);
    println!("there\n{}", there.server);
}
