//! A semaphore around a part of a function.
//!
//! ```python
//! semaphore = asyncio.Semaphore(3)
//!
//! async def headline(server, page):
//!     async with semaphore:
//!         text = await server.get(page)
//!     return text.upper()  # no longer under the limit
//! ```
//!
//! The limiter has a name and figures, and belongs to no event loop: each runtime has permits of
//! its own. The limit can change while the program runs. For a single future,
//! `REQUESTS.run(server.get(page)).await` is short for the block.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::Limiter;
use tokio::task::JoinSet;

static REQUESTS: Limiter = Limiter::new("requests", 3);

pub(crate) async fn headline(server: Server, page: u32) -> String {
    let text = {
        let _permit = REQUESTS.acquire().await;
        server.get(page).await
    };
    text.to_uppercase() // no longer under the limit
}

#[tokio::main]
async fn main() {
    let server = Server::new();
    let calls: JoinSet<_> = (1..=9).map(|page| headline(server.clone(), page)).collect();
    println!("{}", calls.join_all().await.join(", "));
    println!("{server}");
    println!("{}", REQUESTS.snapshot());
}
