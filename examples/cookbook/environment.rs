//! The limit from the environment.
//!
//! ```python
//! semaphore = asyncio.Semaphore(int(os.environ.get("MAX_FETCHES", "3")))
//!
//! async def fetch(server, page):
//!     async with semaphore:
//!         return await server.get(page)
//! ```
//!
//! The limiter reads the variable once, on first use. A value that is not a valid limit causes no
//! panic: the limiter keeps the limit in the code, and its figures report the value.
//!
//! ```text
//! MAX_FETCHES=5 cargo run -p cookbook --bin environment
//! ```
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::concurrency_limit;
use tokio::task::JoinSet;

#[concurrency_limit(3, env = "MAX_FETCHES")]
pub(crate) async fn fetch(server: Server, page: u32) -> String {
    server.get(page).await
}

#[tokio::main]
async fn main() {
    let server = Server::new();
    let calls: JoinSet<_> = (1..=10).map(|page| fetch(server.clone(), page)).collect();
    println!("{}", calls.join_all().await.join(", "));
    println!("{server}");
    for limiter in limit_runtime::limiters() {
        println!("{}", limiter.snapshot());
    }
}
