//! Two parts with different limits: four requests to one server at once, two to the other.
//!
//! ```python
//! fetching, translating = asyncio.Semaphore(4), asyncio.Semaphore(2)
//!
//! async def translated(site, translator, page):
//!     async with fetching:
//!         await site.get(page)
//!     async with translating:
//!         return await translator.get(page)
//! ```
//!
//! Each function has permits of its own. To let both functions share permits, name one `Limiter` in
//! both attributes: `#[concurrency_limit(limiter = BOTH)]`.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::concurrency_limit;
use tokio::task::JoinSet;

#[concurrency_limit(4)]
async fn fetch(site: Server, page: u32) -> String {
    site.get(page).await
}

#[concurrency_limit(2)]
async fn translate(translator: Server, page: u32) -> String {
    translator.get(page).await
}

pub(crate) async fn translated(site: Server, translator: Server, page: u32) -> String {
    let text = fetch(site, page).await;
    text + ", and translated: " + &translate(translator, page).await
}

#[tokio::main]
async fn main() {
    let (site, translator) = (Server::new(), Server::new());
    let calls: JoinSet<_> =
        (1..=8).map(|page| translated(site.clone(), translator.clone(), page)).collect();
    println!("{} pages", calls.join_all().await.len());
    println!("fetched\n{site}");
    println!("translated\n{translator}");
}
