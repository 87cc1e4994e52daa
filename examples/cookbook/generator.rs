//! A generator of more work than memory, and a wait for the last task.
//!
//! ```python
//! async def fetch_all(server, pages, limit):
//!     places = asyncio.Semaphore(limit)
//!     async with asyncio.TaskGroup() as group:  # waits for the last task
//!         for page in pages:
//!             await places.acquire()  # before it makes the task
//!             task = group.create_task(server.get(page))
//!             task.add_done_callback(lambda _: places.release())
//! ```
//!
//! A panic does not stop the other tasks, while an exception in a `TaskGroup` does: `join_all`
//! reports the panic. `task::try_map` stops at the first error.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::task::{Panicked, Pool};

pub(crate) async fn fetch_all(
    server: &Server,
    pages: impl IntoIterator<Item = u32>,
    limit: usize,
) -> Result<(), Panicked> {
    let pool = Pool::new(limit);
    for page in pages {
        pool.spawn(server.get(page)).await; // waits for a permit
    }
    pool.join_all().await // waits for the last task
}

#[tokio::main]
async fn main() -> Result<(), Panicked> {
    let server = Server::new();
    let pages = (1..=9).inspect(|page| println!("page {page} is pulled"));
    fetch_all(&server, pages, 3).await?;
    println!("{server}");
    Ok(())
}
