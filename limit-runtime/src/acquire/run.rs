//! A future under a permit: here, or in a task of its own.

use super::Acquire;
use crate::admission::Admission;
use crate::keying::Keying;
use crate::permit::Permit;
use crate::unwind::{Quiet, poll_to_end};
use pin_project_lite::pin_project;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use tokio::task::{JoinHandle, consume_budget};

impl<'a, E: Admission, K: Keying> Acquire<'a, E, K> {
    /// Takes the permit, then runs the future to its end under it. The future is not polled before.
    ///
    /// The permit comes back when the future is done and dropped, or has panicked. If the waker of the
    /// call that is let in then panics, that is not this call's: its output is given all the same.
    /// (Feature `task`.)
    ///
    /// # Cancel safety
    ///
    /// As the future's: dropping this drops it, and then the permit or the place in the queue.
    ///
    /// # Errors
    ///
    /// Of a call that can be refused, the refusal; the future is dropped without having been polled.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    /// use std::time::Duration;
    ///
    /// static DB: Limiter = Limiter::new("acquire-run", 2);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let urgent = DB.acquire().priority(9).run(async { 1 + 1 });
    /// assert_eq!(urgent.await, 2);
    ///
    /// let soon = DB.acquire().max_wait(Duration::from_millis(5)).run(async { "done" });
    /// assert_eq!(soon.await.expect("a permit is free"), "done");
    /// # }
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "task")))]
    pub fn run<F: IntoFuture>(
        self,
        future: F,
    ) -> Run<Self, F::IntoFuture, E, E::Outcome<F::Output>> {
        Run::new(self, future.into_future(), E::again)
    }

    /// Takes the permit, then spawns the future as a task that holds it. Gives the task's handle.
    ///
    /// Whoever spawns waits until there is room for the task: a loop over it makes no more tasks than
    /// the limit. The permit comes back when the task is done or is aborted, not when the handle is
    /// dropped, which detaches the task. (Feature `task`.)
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, it has spawned nothing, and the future is dropped.
    ///
    /// # Errors
    ///
    /// Of a call that can be refused, the refusal; the future is dropped.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    ///
    /// # Examples
    ///
    /// See [`Limiter::spawn`](crate::Limiter::spawn).
    #[cfg_attr(docsrs, doc(cfg(feature = "task")))]
    pub fn spawn<F>(
        self,
        future: F,
    ) -> impl Future<Output = E::Outcome<JoinHandle<F::Output>>> + use<'a, E, K, F>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        ThenSpawn::new(self, move |permit| tokio::spawn(held(permit, future)))
    }
}

/// A future with its permit.
pub(crate) fn held<F: Future>(permit: Permit, future: F) -> Run<NeverPolled, F, (), F::Output> {
    let finish = |result: Result<F::Output, ()>| match result {
        Ok(output) => output,
        Err(()) => unreachable!("it had its permit from the start"),
    };
    Run { future: Some(future), permit: Some(Quiet::new(permit)), acquire: None, finish }
}

/// In place of an [`Acquire`] where there is a permit already.
#[derive(Debug)]
pub(crate) struct NeverPolled;

/// What gives a permit, or says why there is none.
pub trait Acquiring<E>: Unpin {
    /// As of a future.
    fn poll_permit(&mut self, context: &mut Context<'_>) -> Poll<Result<Permit, E>>;
}

impl Acquiring<()> for NeverPolled {
    fn poll_permit(&mut self, _: &mut Context<'_>) -> Poll<Result<Permit, ()>> {
        Poll::Pending
    }
}

impl<E: Admission, K: Keying> Acquiring<E> for Acquire<'_, E, K> {
    fn poll_permit(&mut self, context: &mut Context<'_>) -> Poll<Result<Permit, E>> {
        Pin::new(self).poll(context).map(E::result)
    }
}

pin_project! {
    /// The future of [`Acquire::run`]: waits for the permit, then runs a future under it.
    ///
    /// The future is in it once, whatever its size, and does not move.
    #[must_use = "futures do nothing unless polled"]
    pub struct Run<A, F: Future, E, Output> {
        // In this order, in which they are dropped, too.
        #[pin]
        future: Option<F>,
        permit: Option<Quiet<Permit>>,
        acquire: Option<A>,
        finish: fn(Result<F::Output, E>) -> Output,
    }
}

impl<A, F: Future, E, Output> Run<A, F, E, Output> {
    pub(crate) fn new(acquire: A, future: F, finish: fn(Result<F::Output, E>) -> Output) -> Self {
        Self { future: Some(future), permit: None, acquire: Some(acquire), finish }
    }
}

impl<A: Acquiring<E>, F: Future, E, Output> Future for Run<A, F, E, Output> {
    type Output = Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Output> {
        let mut this = self.project();
        if let Some(acquire) = this.acquire {
            let result = ready!(acquire.poll_permit(context));
            *this.acquire = None;
            match result {
                Ok(permit) => *this.permit = Some(Quiet::new(permit)),
                Err(refusal) => {
                    this.future.set(None);
                    return Poll::Ready((this.finish)(Err(refusal)));
                }
            }
        }
        let result = ready!(poll_to_end(this.future, context));
        *this.permit = None;
        match result {
            Ok(output) => Poll::Ready((this.finish)(Ok(output))),
            Err(panic) => resume_unwind(panic),
        }
    }
}

impl<A, F: Future, E, Output> fmt::Debug for Run<A, F, E, Output> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("permit", &self.permit).finish_non_exhaustive()
    }
}

/// Waits for a permit, then spawns something with it.
pub(crate) struct ThenSpawn<A, S> {
    acquire: A,
    spawn: Option<S>,
    has_budget: bool,
}

impl<A, S> ThenSpawn<A, S> {
    pub(crate) fn new(acquire: A, spawn: S) -> Self {
        Self { acquire, spawn: Some(spawn), has_budget: false }
    }
}

/// Nothing in it is pinned.
impl<A, S> Unpin for ThenSpawn<A, S> {}

impl<E, K, S, T> Future for ThenSpawn<Acquire<'_, E, K>, S>
where
    E: Admission,
    K: Keying,
    S: FnOnce(Permit) -> T,
{
    type Output = E::Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<E::Outcome<T>> {
        // As a call is ready at once while permits are free, a loop that does nothing else would never
        // yield. It would not even end with its runtime: one that closes drops what is spawned there
        // at once, and so its permit is free at once.
        if !self.has_budget {
            ready!(pin!(consume_budget()).poll(context));
            self.has_budget = true;
        }
        match ready!(self.acquire.poll_permit(context)) {
            Ok(permit) => {
                let spawn = self.spawn.take().expect("not polled after it was ready");
                Poll::Ready(E::admitted(spawn(permit)))
            }
            Err(refusal) => Poll::Ready(E::again(Err(refusal))),
        }
    }
}
