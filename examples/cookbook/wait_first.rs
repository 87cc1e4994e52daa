//! A fixed-size set of tasks: wait for the first to be done, put the next one in.
//!
//! ```python
//! async def fetch_all(server, pages, limit, handle):
//!     pages, tasks = iter(pages), set()
//!     while True:
//!         for page in itertools.islice(pages, limit - len(tasks)):
//!             tasks.add(asyncio.create_task(server.get(page)))
//!         if not tasks:
//!             return
//!         done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
//!         for task in done:
//!             await handle(task.result())
//! ```
//!
//! The stream is the set of tasks. A loop that ends early, by `?`, `break` or a panic, drops the
//! stream, and the drop cancels its tasks. In Python the tasks continue, and nobody waits for them.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::task::{self, StreamExt};

pub(crate) async fn fetch_all(
    server: &Server,
    pages: impl IntoIterator<Item = u32>,
    limit: usize,
    mut handle: impl AsyncFnMut(String),
) {
    let mut texts = task::map(limit, pages, |page| server.get(page)).unordered();
    while let Some(text) = texts.next().await {
        handle(text).await; // the other requests continue meanwhile
    }
}

#[tokio::main]
async fn main() {
    let server = Server::new();
    fetch_all(&server, 1..=9, 3, async |text| println!("{text}")).await;
    println!("{server}");
}
