//! A limit that finds itself, before a database that can do more or less at a time.
//!
//! ```python
//! async def adjust(semaphore, times):
//!     while True:  # until the limit is right for the database of today
//!         await asyncio.sleep(1)
//!         if statistics.mean(times) > TOO_SLOW:  # which you must know
//!             await semaphore.acquire()
//!         else:
//!             semaphore.release()
//! ```
//!
//! A range in place of a number does this without `TOO_SLOW`. The limiter compares the time of a call
//! when the limit is full with that of a call when half as many run. Calls that take longer at the
//! full limit wait for each other in the database, so the limit goes down. Every ten seconds the
//! limiter halves the limit for a moment, to learn the second time again.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::time::Duration;

use limit_runtime::{Limiter, concurrency_limit};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

pub(crate) static DATABASE: Limiter = Limiter::adaptive("database", 1..=200);

/// A database that works on a few queries at a time. The others wait in it.
#[derive(Clone)]
pub(crate) struct Database(Arc<Semaphore>);

impl Database {
    pub(crate) fn new(workers: usize) -> Self {
        Self(Arc::new(Semaphore::new(workers)))
    }

    pub(crate) fn add_workers(&self, workers: usize) {
        self.0.add_permits(workers);
    }

    pub(crate) async fn remove_workers(&self, workers: u32) {
        self.0.acquire_many(workers).await.expect("it is open").forget();
    }
}

#[concurrency_limit(limiter = DATABASE)]
async fn query(database: &Database) {
    let _worker = database.0.acquire().await.expect("it is open");
    sleep(Duration::from_millis(50)).await;
}

/// Starts 100 clients, which query one time after another.
pub(crate) fn clients(database: &Database) -> JoinSet<()> {
    let client = |number: u32| {
        let database = database.clone();
        async move {
            sleep(Duration::from_micros(137) * number).await;
            loop {
                query(&database).await;
            }
        }
    };
    (0..100).map(client).collect()
}

/// Prints the limit every ten seconds, for half a minute.
async fn watch(workers: usize, start: Instant) {
    for _ in 0..3 {
        sleep(Duration::from_secs(10)).await;
        let snapshot = DATABASE.snapshot();
        let (limit, waiting) = (snapshot.total.limit, snapshot.total.waiting);
        println!("{:>5} s {workers:>10} {limit:>10} {waiting:>10}", start.elapsed().as_secs());
    }
}

// `start_paused` is for the demonstration: the clock leaps ahead when all tasks wait for a timer.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (database, start) = (Database::new(10), Instant::now());
    let _clients = clients(&database);
    println!("{:>7} {:>10} {:>10} {:>10}", "time", "workers", "limit", "waiting");
    watch(10, start).await;
    database.add_workers(30);
    watch(40, start).await;
    database.remove_workers(30).await;
    watch(10, start).await;
    println!("{}", DATABASE.snapshot());
}
