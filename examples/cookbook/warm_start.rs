//! A warm start: one call at first, and one more each second, until all run that may.
//!
//! ```python
//! permits = asyncio.Semaphore(1)
//!
//! async def warm_up():                   # who starts it again after a quiet night?
//!     for _ in range(3):
//!         await asyncio.sleep(1)
//!         permits.release()
//!
//! async def fetch(server, page):
//!     async with permits:
//!         return await server.get(page)
//! ```
//!
//! The limit rises from 1 to 4 in three seconds after the first call, and again after three seconds without one. Nobody
//! starts or stops anything.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::concurrency_limit;
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep};

#[concurrency_limit(4, ramp = "3s", name = "fetch")]
pub(crate) async fn fetch(server: Server, page: u32) -> String {
    server.get(page).await
}

/// Makes a server that takes a second for a page.
pub(crate) fn slow_server() -> Server {
    Server::with_latency(|_page| Duration::from_secs(1))
}

/// Makes twelve calls at once.
pub(crate) async fn twelve(server: &Server) {
    let calls: JoinSet<_> = (1..=12).map(|page| fetch(server.clone(), page)).collect();
    calls.join_all().await;
}

// `start_paused` is for the demonstration: the clock leaps ahead when all tasks wait for a timer.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    println!("on a clock that leaps over the waits");
    for pause in [1, 3] {
        let server = slow_server();
        twelve(&server).await;
        println!("{server}");
        sleep(Duration::from_secs(pause)).await;
        println!("\n{pause} s later:");
    }
    let server = slow_server();
    twelve(&server).await;
    println!("{server}");
}
