//! Where a future runs: in a task of its own, or in whoever polls for its output.

use super::whole::Whole;
use crate::acquire::run::Run;
use crate::admission::Admission;
use crate::engine::changed::Changes;
use crate::limiter::SharedLimiter;
use crate::recorder::CallSite;
use futures_util::future::{FutureExt, Map};
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::task::JoinHandle;

/// How futures are started, and how many may be under way.
pub trait Start<F> {
    type Running: Future;

    /// Never 0: then nothing would go on, and nobody would be told when it may.
    fn at_most(&self) -> usize;

    /// Ready when that may have changed since it was asked last; else the task is woken then.
    fn poll_changed(&mut self, context: &mut Context<'_>) -> Poll<()>;

    fn start(&self, future: F) -> Self::Running;
}

/// As tasks.
#[derive(Clone, Copy, Debug)]
pub struct Spawned {
    pub(super) limit: usize,
}

impl<F: Future<Output: Send + 'static> + Send + 'static> Start<F> for Spawned {
    type Running = Task<F::Output>;

    fn at_most(&self) -> usize {
        self.limit
    }

    fn poll_changed(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn start(&self, future: F) -> Task<F::Output> {
        Task(tokio::spawn(future))
    }
}

/// In whoever polls.
#[derive(Clone, Copy, Debug)]
pub struct InPlace {
    pub(super) limit: usize,
}

impl<F: Future> Start<F> for InPlace {
    /// Whole, because what holds them leaks the rest when one panics as it is dropped.
    type Running = Whole<F>;

    fn at_most(&self) -> usize {
        self.limit
    }

    fn poll_changed(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn start(&self, future: F) -> Whole<F> {
        Whole::new(future)
    }
}

/// As tasks that wait for a permit of a limiter. They do so themselves, because a call that waits must
/// be polled: one that is handed its permit while the consumer of the stream is busy would keep it
/// from everybody else.
#[derive(Debug)]
pub(super) struct Limited<E: Admission> {
    limiter: SharedLimiter<E>,
    site: CallSite,
    changed: Changes,
}

impl<E: Admission> Limited<E> {
    pub(super) fn new(limiter: SharedLimiter<E>, site: CallSite) -> Self {
        let changed = limiter.changes();
        Self { limiter, site, changed }
    }

    pub(super) fn limiter(&self) -> &SharedLimiter<E> {
        &self.limiter
    }
}

impl<F, E: Admission> Start<F> for Limited<E>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    type Running =
        Map<Task<Result<F::Output, E>>, fn(Result<F::Output, E>) -> E::Outcome<F::Output>>;

    fn at_most(&self) -> usize {
        // At limit 0 one task waits for it to be raised.
        self.limiter.needed_limit().max(1)
    }

    fn poll_changed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.changed.poll(context)
    }

    fn start(&self, future: F) -> Self::Running {
        let acquire = self.limiter.acquire_shared(self.site);
        let task = tokio::spawn(Run::new(acquire, future, |result| result));
        // Not in the task: that `E::Outcome<T>` is `Send` is not known here.
        Task(task).map(E::again)
    }
}

/// A task that is cancelled when this is dropped, and whose panic goes on in whoever waits for it.
#[derive(Debug)]
pub struct Task<T>(JoinHandle<T>);

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match ready!(Pin::new(&mut self.0).poll(context)) {
            Ok(output) => Poll::Ready(output),
            Err(error) => resume_unwind(error.try_into_panic().unwrap_or_else(|error| {
                // Not by `panic!`, which would print it: this is the way that every such program
                // ends whose runtime is shut down in the middle of its work.
                Box::new(format!("the runtime was shut down before the task was done: {error}"))
            })),
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
