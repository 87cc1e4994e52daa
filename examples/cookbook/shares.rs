//! Parts of a limit for two kinds of calls: the less important one has all of it, until the other wants its part.
//!
//! ```python
//! # A fixed split: no visitor waits for a job, and half of the server idles while no visitor comes.
//! visitors, jobs = asyncio.Semaphore(3), asyncio.Semaphore(1)
//!
//! async def visit(server, page):
//!     async with visitors:
//!         return await server.get(page)
//! ```
//!
//! With shares nothing idles: the jobs run on all four permits. When visitors come, they get the next permits that come
//! back, until they have three.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::{Limiter, Share, concurrency_limit};
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep};

static SERVER: Limiter =
    Limiter::new("server", 4).shares(&[Share::new("visitors", 75), Share::new("jobs", 25)]);

#[concurrency_limit(limiter = SERVER, share = "visitors")]
pub(crate) async fn visit(server: Server, page: u32) -> String {
    server.get(page).await
}

#[concurrency_limit(limiter = SERVER, share = "jobs")]
pub(crate) async fn job(server: Server, page: u32) -> String {
    server.get(page).await
}

/// Makes twelve calls for jobs, and a moment later six of visitors, of pages from 101 on.
pub(crate) async fn jobs_and_visitors(server: &Server) {
    let mut calls: JoinSet<_> = (1..=12).map(|page| job(server.clone(), page)).collect();
    sleep(Duration::from_millis(50)).await;
    for page in 101..=106 {
        calls.spawn(visit(server.clone(), page));
    }
    calls.join_all().await;
}

#[tokio::main]
async fn main() {
    let server = Server::new();
    jobs_and_visitors(&server).await;
    println!("{server}");
    for share in SERVER.snapshot().shares {
        println!("{:8} of 4 permits {} are its own", share.name, share.guaranteed);
    }
}
