//! Runs a future under a permit: in place, or in a task of its own.

use super::Acquire;
use super::acquiring::Acquiring;
use crate::admission::Admission;
use crate::keying::Keying;
use crate::permit::Permit;
use crate::tokio_context::needed_runtime;
use crate::unwind::{Quiet, poll_to_end};
use futures_util::future::FutureExt;
use pin_project_lite::pin_project;
use std::future::{Future, IntoFuture};
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use tokio::task::{JoinHandle, consume_budget};

impl<E: Admission, K: Keying> Acquire<'_, E, K> {
    /// Takes the permit, then runs the future to its end under it. The future is not polled before.
    ///
    /// The permit comes back when the future is done and dropped, or has panicked. The next call is
    /// admitted then. If its waker panics, this call gives its output all the same. (Feature
    /// `task`.)
    ///
    /// # Cancel safety
    ///
    /// The call is as safe as the future: dropping it drops the future, and then the permit or the
    /// call's turn in the queue.
    ///
    /// # Errors
    ///
    /// If the limiter refuses the call, the refusal. The future is dropped without having been
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
    pub fn run<F, T>(
        self,
        future: impl IntoFuture<IntoFuture = F>,
    ) -> impl Future<Output = E::Outcome<T>>
    where
        F: Future<Output = T>,
    {
        ThenRun::new(self.of_polled(), future.into_future()).map(E::outcome)
    }

    /// Takes the permit, then spawns the future as a task that holds it. Gives the task's handle.
    ///
    /// The call waits until there is a permit for the task, so a loop over it makes no more tasks
    /// than the limit. The permit comes back when the task is done or is aborted. Dropping the
    /// handle detaches the task, which keeps its permit. (Feature `task`.)
    ///
    /// # Cancel safety
    ///
    /// Dropping the call before it is done drops the future. Nothing is spawned.
    ///
    /// # Errors
    ///
    /// If the limiter refuses the call, the refusal. The future is dropped.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    ///
    /// # Examples
    ///
    /// See [`Limiter::spawn`](crate::Limiter::spawn).
    #[cfg_attr(docsrs, doc(cfg(feature = "task")))]
    pub fn spawn<T: Send + 'static>(
        self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = E::Outcome<JoinHandle<T>>> {
        let limiter = self.call.limiter;
        ThenSpawn::new(self, move |permit| {
            let runtime = needed_runtime("spawn", limiter.name());
            runtime.spawn(UnderPermit::new(future, Some(permit)))
        })
    }
}

pin_project! {
    /// A future and the permit under which it runs.
    ///
    /// The future is in it once, whatever its size, and does not move.
    struct UnderPermit<F> {
        // The fields are dropped in this order: the permit comes back when the future is gone.
        #[pin]
        future: Option<F>,
        permit: Option<Quiet<Permit>>,
    }
}

impl<F> UnderPermit<F> {
    fn new(future: F, permit: Option<Permit>) -> Self {
        Self { future: Some(future), permit: permit.map(Quiet::new) }
    }
}

impl<F: Future> Future for UnderPermit<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polling = this.permit.as_ref().map(|permit| permit.get().polling());
        let result = ready!(poll_to_end(this.future, context));
        drop(polling);
        if let (Some(permit), Err(_)) = (&this.permit, &result) {
            permit.get().mark_panicked();
        }
        // Before a panic goes on: whoever catches it finds the permit free.
        *this.permit = None;
        match result {
            Ok(output) => Poll::Ready(output),
            Err(panic) => resume_unwind(panic),
        }
    }
}

pin_project! {
    /// Waits for a permit, then runs a future under it. A refusal drops the future.
    pub(crate) struct ThenRun<A, F> {
        #[pin]
        call: UnderPermit<F>,
        // Nothing, once it has given its permit.
        acquire: Option<A>,
    }
}

impl<A, F> ThenRun<A, F> {
    pub(crate) fn new(acquire: A, future: F) -> Self {
        Self { call: UnderPermit::new(future, None), acquire: Some(acquire) }
    }
}

impl<A: Acquiring, F: Future> Future for ThenRun<A, F> {
    type Output = Result<F::Output, A::Refusal>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(acquire) = this.acquire {
            let result = ready!(acquire.poll_permit(context));
            *this.acquire = None;
            let call = this.call.as_mut().project();
            match result {
                Ok(permit) => *call.permit = Some(Quiet::new(permit)),
                Err(refusal) => {
                    let mut future = call.future;
                    future.set(None);
                    return Poll::Ready(Err(refusal));
                }
            }
        }
        this.call.poll(context).map(Ok)
    }
}

/// Waits for a permit, then calls a function that spawns a task with it.
pub(crate) struct ThenSpawn<'a, E: Admission, K, S> {
    acquire: Acquire<'a, E, K>,
    spawn: Option<S>,
    has_budget: bool,
}

impl<'a, E: Admission, K, S> ThenSpawn<'a, E, K, S> {
    pub(crate) fn new(acquire: Acquire<'a, E, K>, spawn: S) -> Self {
        Self { acquire: acquire.of_polled(), spawn: Some(spawn), has_budget: false }
    }
}

/// No field is pinned.
impl<E: Admission, K, S> Unpin for ThenSpawn<'_, E, K, S> {}

impl<E, K, S, T> Future for ThenSpawn<'_, E, K, S>
where
    E: Admission,
    K: Keying,
    S: FnOnce(Permit) -> T,
{
    type Output = E::Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<E::Outcome<T>> {
        // A call is ready at once while permits are free, so a loop that only spawns would never
        // yield. On a runtime that shuts down it would never end: such a runtime drops what is
        // spawned at once, so that a permit is always free.
        if !self.has_budget {
            ready!(pin!(consume_budget()).poll(context));
            self.has_budget = true;
        }
        match ready!(self.acquire.poll_permit(context)) {
            Ok(permit) => {
                permit.hand_over();
                let spawn = self.spawn.take().expect("not polled after it was ready");
                Poll::Ready(E::outcome(Ok(spawn(permit))))
            }
            Err(refusal) => Poll::Ready(E::outcome(Err(refusal))),
        }
    }
}
