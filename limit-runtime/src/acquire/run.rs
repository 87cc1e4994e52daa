//! A future under a permit: here, or in a task of its own.

use super::Acquire;
use crate::admission::Admission;
use crate::keying::Keying;
use crate::permit::Permit;
use std::future::{Future, IntoFuture};
use tokio::task::JoinHandle;

impl<E: Admission, K: Keying> Acquire<'_, E, K> {
    /// Takes the permit, then runs the future to its end under it. The future is not polled before.
    ///
    /// The permit comes back when the future is done and dropped.
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
    pub async fn run<F: IntoFuture>(self, future: F) -> E::Of<F::Output> {
        match E::result(self.await) {
            Ok(permit) => E::admitted(hold(permit, future.into_future()).await),
            Err(refusal) => E::again(Err(refusal)),
        }
    }

    /// Takes the permit, then spawns the future as a task that holds it. Gives the task's handle.
    ///
    /// Whoever spawns waits until there is room for the task: a loop over it makes no more tasks than
    /// the limit. The permit comes back when the task is done or is aborted, not when the handle is
    /// dropped, which detaches the task.
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
    pub async fn spawn<F>(self, future: F) -> E::Of<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match E::result(self.await) {
            Ok(permit) => E::admitted(tokio::spawn(hold(permit, future))),
            Err(refusal) => E::again(Err(refusal)),
        }
    }
}

/// The permit outlives the future, also when both are dropped half way.
async fn hold<F: Future>(permit: Permit, future: F) -> F::Output {
    let output = future.await;
    drop(permit);
    output
}
