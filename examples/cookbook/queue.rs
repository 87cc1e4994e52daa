//! A queue and workers.
//!
//! ```python
//! async def worker(server, queue):
//!     while True:
//!         await server.get(await queue.get())
//!         queue.task_done()
//!
//! async def work(server, queue, limit):
//!     workers = [asyncio.create_task(worker(server, queue)) for _ in range(limit)]
//!     await queue.join()
//!     for task in workers:
//!         task.cancel()
//! ```
//!
//! The pool's permits stand for the workers. In Python, a job that fails ends its worker, and
//! `queue.join()` waits for ever. Here the other jobs continue, and `join_all` reports the panic.
//! The work ends when the channel ends, that is, when the last sender is dropped.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::task::{Panicked, Pool};
use tokio::sync::mpsc::{Receiver, channel};

pub(crate) async fn work(
    server: &Server,
    mut queue: Receiver<u32>,
    limit: usize,
) -> Result<(), Panicked> {
    let pool = Pool::new(limit);
    while let Some(page) = queue.recv().await {
        pool.spawn(server.get(page)).await; // waits for a permit
    }
    pool.join_all().await
}

#[tokio::main]
async fn main() -> Result<(), Panicked> {
    let server = Server::new();
    let (jobs, queue) = channel(2);
    let produce = async move {
        for page in 1..=9 {
            if jobs.send(page).await.is_err() {
                return; // the receiver is gone: no job runs any more
            }
            println!("page {page} is in the queue");
        }
    };
    let ((), worked) = tokio::join!(produce, work(&server, queue, 3));
    println!("{server}");
    worked
}
