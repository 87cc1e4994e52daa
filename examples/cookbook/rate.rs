//! At most three a minute.
//!
//! ```python
//! starts, turn = collections.deque(maxlen=3), asyncio.Lock()
//!
//! async def fetch(server, page):
//!     async with turn:
//!         if len(starts) == 3:
//!             await asyncio.sleep(starts[0] + 60 - time.monotonic())
//!         starts.append(time.monotonic())
//!     return await server.get(page)
//! ```
//!
//! As in the Python program, the rate holds for any period of 60 seconds, not for each minute of
//! the clock. In addition, at most three calls run at once, however long they take.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::concurrency_limit;
use tokio::task::JoinSet;

#[concurrency_limit(3, per = "60s")]
pub(crate) async fn fetch(server: Server, page: u32) -> String {
    server.get(page).await
}

// `start_paused` is for the demonstration: the clock leaps ahead when all tasks wait for a timer.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    println!("two minutes, on a clock that leaps over the waits");
    let server = Server::new();
    let calls: JoinSet<_> = (1..=8).map(|page| fetch(server.clone(), page)).collect();
    println!("{}", calls.join_all().await.join(", "));
    println!("{server}");
}
