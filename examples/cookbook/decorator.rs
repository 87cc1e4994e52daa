//! A decorator: never more than three calls of the function at once.
//!
//! ```python
//! def limited(n):
//!     def decorate(function):
//!         semaphore = asyncio.Semaphore(n)
//!         async def wrapper(*args):
//!             async with semaphore:
//!                 return await function(*args)
//!         return wrapper
//!     return decorate
//! @limited(3)
//! async def fetch(server, page): ...
//! ```
//!
//! The attribute leaves the function's signature and documentation as they are. Each runtime has
//! permits of its own, while the decorator's semaphore works in one event loop only.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::concurrency_limit;
use tokio::task::JoinSet;

#[concurrency_limit(3)]
pub(crate) async fn fetch(server: Server, page: u32) -> String {
    server.get(page).await
}

#[tokio::main]
async fn main() {
    let server = Server::new();
    let calls: JoinSet<_> = (1..=9).map(|page| fetch(server.clone(), page)).collect();
    println!("{}", calls.join_all().await.join(", "));
    println!("{server}");
}
