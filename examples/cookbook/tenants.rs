//! Tenants of one server: each has its part of it, a tenant that has paid for more has more, and no crowd fills the memory.
//!
//! ```python
//! # A semaphore for each tenant, and one for all: whoever calls the most has the most, and the dictionary only grows.
//! tenants = defaultdict(lambda: asyncio.Semaphore(4))
//! server = asyncio.Semaphore(4)
//!
//! async def query(tenant, page):
//!     async with tenants[tenant], server:
//!         return await get(page)
//! ```
//!
//! While all four permits are out, the tenants that wait share them by their weights. A single tenant gets a limit of its own
//! while the program runs, or in a file; 0 pauses it. At most twenty calls wait, however many tenants there are.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::{KeyedLimiter, Limiter, Rejected, Unsupported, concurrency_limit};
use tokio::task::JoinSet;

static TENANTS: KeyedLimiter<Rejected> =
    Limiter::new("tenants", 4).keyed().total(4).max_waiting_total(20);

#[derive(Clone, Copy)]
pub(crate) struct Tenant {
    pub(crate) name: &'static str,
    /// Its part of the server beside that of others.
    pub(crate) weight: u32,
}

#[concurrency_limit(limiter = TENANTS, key = tenant.name, key_weight = tenant.weight)]
pub(crate) async fn query(tenant: Tenant, server: Server, page: u32) -> Result<String, Rejected> {
    Ok(server.get(page).await)
}

/// Makes calls of a tenant, for pages from `first` on.
fn calls(
    tenant: Tenant,
    server: &Server,
    pages: std::ops::RangeInclusive<u32>,
    to: &mut JoinSet<Result<String, Rejected>>,
) {
    for page in pages {
        to.spawn(query(tenant, server.clone(), page));
    }
}

/// Makes six calls of a small tenant, and then nine of a large one. Returns how many were refused.
pub(crate) async fn small_and_large(server: &Server) -> usize {
    let mut all = JoinSet::new();
    calls(Tenant { name: "small", weight: 1 }, server, 101..=106, &mut all);
    calls(Tenant { name: "large", weight: 3 }, server, 1..=9, &mut all);
    all.join_all().await.iter().filter(|answer| answer.is_err()).count()
}

/// Makes three calls of a tenant that may have one at a time, and thirty of as many others. Returns how many were refused.
pub(crate) async fn trial_and_crowd(server: &Server) -> Result<usize, Unsupported> {
    TENANTS.set_key_limit("trial", Some(1))?;
    let mut all = JoinSet::new();
    calls(Tenant { name: "trial", weight: 1 }, server, 1..=3, &mut all);
    let names = "abcdefghijklmnopqrstuvwxyz0123";
    for (page, name) in (101..).zip(names.split_inclusive(|_: char| true)) {
        calls(Tenant { name, weight: 1 }, server, page..=page, &mut all);
    }
    Ok(all.join_all().await.iter().filter(|answer| answer.is_err()).count())
}

#[tokio::main]
async fn main() -> Result<(), Unsupported> {
    let server = Server::new();
    small_and_large(&server).await;
    println!("a small tenant (pages 101 to 106) and a large one:\n{server}");
    let server = Server::new();
    let refused = trial_and_crowd(&server).await?;
    println!(
        "a tenant with one permit (pages 1 to 3) and a crowd, of which {refused} are refused:\n{server}"
    );
    Ok(())
}
