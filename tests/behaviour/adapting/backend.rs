//! A backend that works on a few calls at a time, and its load.

use limit_runtime::{Admission, Limiter, Permit};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

#[derive(Clone)]
pub(super) struct Backend {
    workers: Arc<Semaphore>,
    /// The time of a call that need not wait for a worker.
    pub(super) work: Duration,
}

impl Backend {
    pub(super) fn new(workers: usize, work: Duration) -> Self {
        Self { workers: Arc::new(Semaphore::new(workers)), work }
    }

    pub(super) fn add_workers(&self, workers: usize) {
        self.workers.add_permits(workers);
    }

    pub(super) async fn call(&self) {
        let _worker = self.workers.acquire().await.expect("it is not closed");
        sleep(self.work).await;
    }
}

/// Calls the backend under the limit from so many tasks, for a time.
pub(super) async fn load(
    limiter: &'static Limiter,
    backend: &Backend,
    tasks: usize,
    time: Duration,
) {
    load_with(backend, tasks, time, move |_| async { Some(limiter.acquire().await) }).await;
}

/// Calls the backend under a permit, if there is one, from so many tasks, for a time. A task without a permit tries again
/// a moment later.
pub(super) async fn load_with<F>(
    backend: &Backend,
    tasks: usize,
    time: Duration,
    acquire: impl Fn(usize) -> F + Clone + Send + 'static,
) where
    F: Future<Output = Option<Permit>> + Send,
{
    let end = Instant::now() + time;
    let mut load = JoinSet::new();
    for task in 0..tasks {
        let (backend, acquire) = (backend.clone(), acquire.clone());
        load.spawn(async move {
            // They do not begin together.
            sleep(Duration::from_micros(137) * u32::try_from(task).expect("few")).await;
            while Instant::now() < end {
                match acquire(task).await {
                    Some(_permit) => backend.call().await,
                    None => sleep(Duration::from_millis(5)).await,
                }
            }
        });
    }
    load.join_all().await;
}

/// Returns the permits in use and the calls that wait.
pub(super) fn busy<E: Admission, K>(limiter: &Limiter<E, K>) -> (usize, usize) {
    let total = limiter.snapshot().total;
    (total.in_use, total.waiting)
}

/// Returns the limit, when a question that is asked now is over.
pub(super) async fn settled<E: Admission, K>(limiter: &Limiter<E, K>) -> usize {
    sleep(Duration::from_secs(60)).await;
    let figures = limiter.snapshot().adaptive.expect("it adapts, and was called");
    assert!(!figures.is_asking, "{figures:?}");
    figures.limit
}
