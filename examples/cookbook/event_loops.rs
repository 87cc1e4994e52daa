//! Two event loops in one program, each with its own permits.
//!
//! ```python
//! semaphore = asyncio.Semaphore(2)  # bound to the first event loop in which a caller waits
//!
//! async def fetch(server, page):
//!     async with semaphore:  # in any other: RuntimeError, "is bound to a different event loop"
//!         return await server.get(page)
//!
//! threading.Thread(target=asyncio.run, args=(fetch_all(),)).start()
//! asyncio.run(fetch_all())
//! ```
//!
//! A call takes a permit of the runtime that runs the call, so each runtime has as many permits as
//! the limit says. A `static` semaphore reports no error: its callers hang while a runtime that
//! nobody drives holds the permits. `scope = process` sets one limit for all runtimes together.
#![forbid(unsafe_code)]

use std::{io, thread};

use cookbook::Server;
use limit_runtime::concurrency_limit;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

#[concurrency_limit(2)]
pub(crate) async fn fetch(server: Server, page: u32) -> String {
    server.get(page).await
}

pub(crate) async fn fetch_all(server: &Server, pages: impl IntoIterator<Item = u32>) {
    let calls: JoinSet<_> = pages.into_iter().map(|page| fetch(server.clone(), page)).collect();
    calls.join_all().await;
}

fn event_loop() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_time().build()
}

fn main() -> io::Result<()> {
    let (server, first, second) = (Server::new(), event_loop()?, event_loop()?);
    thread::scope(|scope| {
        scope.spawn(|| first.block_on(fetch_all(&server, 11..=16)));
        scope.spawn(|| second.block_on(fetch_all(&server, 21..=26)));
    });
    println!("{server}");
    Ok(())
}
