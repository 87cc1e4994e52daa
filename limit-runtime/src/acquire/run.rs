//! A future that runs under a permit, in place or in a task of its own.

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
    /// The permit comes back when the future is done and dropped, or has panicked. The next call is
    /// woken then. If its waker panics, the panic does not reach this call, and the output is
    /// returned. (Feature `task`.)
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as the future. Dropping the returned `Run` drops the future first. Then it
    /// gives back the permit or leaves the queue.
    ///
    /// # Errors
    ///
    /// The refusal, if the call can be refused. The future is then dropped without having been
    /// polled.
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

    /// Takes the permit, then spawns the future as a task that holds it. Returns the task's handle.
    ///
    /// The caller waits until there is room for the task, so a loop makes no more tasks than the
    /// limit. The permit comes back when the task is done or aborted. Dropping the handle detaches
    /// the task and does not give the permit back. (Feature `task`.)
    ///
    /// # Cancel safety
    ///
    /// If the call is dropped before it has its permit, nothing has been spawned, and `future` is
    /// dropped.
    ///
    /// # Errors
    ///
    /// The refusal, if the call can be refused. The future is then dropped.
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

/// Runs a future that has its permit already.
pub(crate) fn held<F: Future>(permit: Permit, future: F) -> Run<NeverPolled, F, (), F::Output> {
    let finish = |result: Result<F::Output, ()>| match result {
        Ok(output) => output,
        Err(()) => unreachable!("it had its permit from the start"),
    };
    Run { future: Some(future), permit: Some(Quiet::new(permit)), acquire: None, finish }
}

/// Stands in for an [`Acquire`] where the permit is there already.
#[derive(Debug)]
pub(crate) struct NeverPolled;

/// A future whose output is a permit, and which can be polled without a pin.
pub trait Acquiring<E>: Unpin {
    /// Polls for the permit. Gives an error if the call is refused.
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
    /// The future is stored in place, whatever its size: it is neither boxed nor moved.
    #[must_use = "futures do nothing unless polled"]
    pub struct Run<A, F: Future, E, Output> {
        // Fields are dropped in this order: the future goes before its permit comes back.
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
            // The wait is over: the next poll goes straight to the future.
            *this.acquire = None;
            match result {
                Ok(permit) => *this.permit = Some(Quiet::new(permit)),
                Err(refusal) => {
                    this.future.set(None);
                    return Poll::Ready((this.finish)(Err(refusal)));
                }
            }
        }
        // `poll_to_end` returns a panic as an error, so that the permit is back before the panic
        // goes on.
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

/// Waits for a permit, then calls `spawn` with it.
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

/// No field is pinned.
impl<A, S> Unpin for ThenSpawn<A, S> {}

impl<E, K, S, T> Future for ThenSpawn<Acquire<'_, E, K>, S>
where
    E: Admission,
    K: Keying,
    S: FnOnce(Permit) -> T,
{
    type Output = E::Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<E::Outcome<T>> {
        // A call is ready at once while permits are free, so a loop that only spawns would never
        // yield. On a runtime that shuts down it would not even end: the runtime drops each spawned
        // task at once, and its permit is free again at once.
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
