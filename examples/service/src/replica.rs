//! A replica of the database on another machine, which works on a few searches at a time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::database::round_trip;

/// A handle of the replica. The limiter does not know how much the replica can do.
#[derive(Clone, Debug)]
pub(crate) struct Replica {
    workers: Arc<Semaphore>,
}

impl Replica {
    /// The number of searches that the replica works on at a time.
    pub(crate) const WORKERS: u32 = 16;
    /// The number of them while it makes a backup.
    pub(crate) const WORKERS_DURING_BACKUP: u32 = 4;

    pub(crate) fn new() -> Self {
        Self { workers: Arc::new(Semaphore::new(Self::WORKERS as usize)) }
    }

    /// Runs a query, which waits in the replica until a worker is free.
    pub(crate) async fn run<T>(&self, query: impl Future<Output = T>) -> T {
        // `None` would mean that the semaphore is closed, which nobody does.
        let _worker = self.workers.acquire().await.ok();
        round_trip(fastrand::u64(100..300)).await;
        query.await
    }

    /// Begins a backup, which takes workers away until the returned value is dropped.
    pub(crate) async fn begin_backup(&self) -> Option<OwnedSemaphorePermit> {
        let workers = Self::WORKERS - Self::WORKERS_DURING_BACKUP;
        Arc::clone(&self.workers).acquire_many_owned(workers).await.ok()
    }
}
