//! Where a future runs: in a task of its own, or in whoever polls for its output.

use crate::admission::Admission;
use crate::diagnostics::Site;
use crate::limiter::SharedLimiter;
use futures_util::future::{FutureExt, Map};
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::task::JoinHandle;

/// How futures are started, and how many may be under way.
pub(super) trait Start<F> {
    type Output;
    type Running: Future<Output = Self::Output>;

    /// Never 0: then nothing would go on, and nobody would be told when it may.
    fn at_most(&self) -> usize;
    fn start(&self, future: F) -> Self::Running;
}

/// As tasks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spawned {
    pub(super) limit: usize,
}

impl<F: Future<Output: Send + 'static> + Send + 'static> Start<F> for Spawned {
    type Output = F::Output;
    type Running = Task<F::Output>;

    fn at_most(&self) -> usize {
        self.limit
    }

    fn start(&self, future: F) -> Task<F::Output> {
        Task(tokio::spawn(future))
    }
}

/// In whoever polls.
#[derive(Clone, Copy, Debug)]
pub(super) struct InPlace {
    pub(super) limit: usize,
}

impl<F: Future> Start<F> for InPlace {
    type Output = F::Output;
    type Running = F;

    fn at_most(&self) -> usize {
        self.limit
    }

    fn start(&self, future: F) -> F {
        future
    }
}

/// As tasks that wait for a permit of a limiter. They do so themselves, because a call that waits must
/// be polled: one that is handed its permit while the consumer of the stream is busy would keep it
/// from everybody else.
#[derive(Debug)]
pub(super) struct Limited<E: Admission> {
    pub(super) limiter: SharedLimiter<E>,
    pub(super) site: Site,
}

impl<F, E: Admission> Start<F> for Limited<E>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    type Output = E::Of<F::Output>;
    type Running = Map<Task<Result<F::Output, E>>, fn(Result<F::Output, E>) -> E::Of<F::Output>>;

    fn at_most(&self) -> usize {
        // At limit 0 one task waits for it to be raised, and the next poll of the stream sees that.
        self.limiter.limit().max(1)
    }

    fn start(&self, future: F) -> Self::Running {
        let (limiter, site) = (self.limiter.clone(), self.site);
        let task =
            tokio::spawn(async move { E::result(limiter.acquire_at(site).run(future).await) });
        // Not in the task: that `E::Of<T>` is `Send` is not known here.
        Task(task).map(E::again)
    }
}

/// A task that is cancelled when this is dropped, and whose panic goes on in whoever waits for it.
#[derive(Debug)]
pub(super) struct Task<T>(JoinHandle<T>);

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match ready!(Pin::new(&mut self.0).poll(context)) {
            Ok(output) => Poll::Ready(output),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(error) => panic!("the runtime was shut down before the task was done: {error}"),
            },
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
