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
//! The variable is read once, on first use. A value that is no limit is no crash: the limit stays
//! what it is in the code, and the figures tell.
//!
//! ```text
//! MAX_FETCHES=5 cargo run --example cookbook-environment
//! ```

use limit_examples::Server;
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
