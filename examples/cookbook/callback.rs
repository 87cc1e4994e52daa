//! A callback on completion.
//!
//! ```python
//! async def fetch_all(server, pages, limit, done):
//!     places = asyncio.Semaphore(limit)
//!     async with asyncio.TaskGroup() as group:
//!         for page in pages:
//!             await places.acquire()
//!             task = group.create_task(server.get(page))
//!             task.add_done_callback(lambda task: (places.release(), done(task.result())))
//! ```
//!
//! The callback is the last step of the task and runs under the task's permit, so a slow callback
//! delays the next task. A callback may be async; if it panics, `join_all` returns the error.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::task::{Panicked, Pool};

pub(crate) async fn fetch_all(
    server: &Server,
    pages: impl IntoIterator<Item = u32>,
    limit: usize,
    done: impl FnOnce(String) + Clone + Send + 'static,
) -> Result<(), Panicked> {
    let pool = Pool::new(limit);
    for page in pages {
        let (fetch, done) = (server.get(page), done.clone());
        pool.spawn(async move { done(fetch.await) }).await;
    }
    pool.join_all().await
}

#[tokio::main]
async fn main() -> Result<(), Panicked> {
    let server = Server::new();
    fetch_all(&server, 1..=9, 3, |text| println!("{text} is there")).await?;
    println!("{server}");
    Ok(())
}
