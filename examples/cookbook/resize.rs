//! A limit that is changed while the program runs.
//!
//! ```python
//! async def resize(semaphore, old, new):
//!     for _ in range(old, new):
//!         semaphore.release()
//!     for _ in range(new, old):
//!         await semaphore.acquire()  # until enough of the callers inside are done
//! ```
//!
//! `set_limit` returns at once. A lower limit takes effect as permits come back, and interrupts no
//! call. A limit of 0 pauses the limiter. `limit_runtime::find` finds the limiter of a plain
//! `#[concurrency_limit(2)]` by its name.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::{Limiter, concurrency_limit};
use tokio::task::JoinSet;
use tokio::time::sleep;

pub(crate) static REQUESTS: Limiter = Limiter::new("requests", 2);

#[concurrency_limit(limiter = REQUESTS)]
pub(crate) async fn fetch(server: Server, page: u32) -> String {
    server.get(page).await
}

#[tokio::main]
async fn main() {
    let server = Server::new();
    let calls: JoinSet<_> = (1..=18).map(|page| fetch(server.clone(), page)).collect();
    for limit in [2, 4, 1] {
        REQUESTS.set_limit(limit);
        println!("the limit is {limit}");
        sleep(Server::LATENCY.mul_f64(2.25)).await;
    }
    calls.join_all().await;
    println!("{server}");
}
