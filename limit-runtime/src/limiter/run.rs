//! Runs a future under a limiter's permit: short forms of methods of `Acquire`.

use super::Limiter;
use crate::admission::Admission;
use std::future::{Future, IntoFuture};
use tokio::task::JoinHandle;

impl<E: Admission> Limiter<E> {
    /// Runs a future under a permit: short for [`acquire().run(future)`](crate::Acquire::run).
    ///
    /// The long form takes options of the call, such as a priority. In asyncio:
    /// `async with semaphore: await ...`. (Feature `task`.)
    ///
    /// # Cancel safety
    ///
    /// As [`Acquire::run`](crate::Acquire::run).
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
    ///
    /// static DB: Limiter = Limiter::new("run-example", 2);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let in_use = DB.run(async { DB.snapshot().total.in_use }).await;
    /// assert_eq!(in_use, 1);
    /// assert_eq!(DB.snapshot().total.in_use, 0);
    /// # }
    /// ```
    #[track_caller]
    #[cfg_attr(docsrs, doc(cfg(feature = "task")))]
    pub fn run<F, T>(
        &self,
        future: impl IntoFuture<IntoFuture = F>,
    ) -> impl Future<Output = E::Outcome<T>>
    where
        F: Future<Output = T>,
    {
        self.acquire().run(future)
    }

    /// Waits for a permit, then spawns a future as a task that holds it: short for
    /// [`acquire().spawn(future)`](crate::Acquire::spawn).
    ///
    /// To wait for several tasks together, or to cancel them together, use a
    /// [`Pool`](crate::task::Pool). In asyncio: `await semaphore.acquire()`, then `create_task` of
    /// a coroutine that releases it. (Feature `task`.)
    ///
    /// # Cancel safety
    ///
    /// As [`Acquire::spawn`](crate::Acquire::spawn).
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
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static MAILS: Limiter = Limiter::new("spawn-example", 2);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), tokio::task::JoinError> {
    /// let mut sent = Vec::new();
    /// for to in ["ann", "bob", "eve"] {
    ///     // The third waits here until one of the first two is done.
    ///     sent.push(MAILS.spawn(async move { to.len() }).await);
    /// }
    /// for mail in sent {
    ///     assert_eq!(mail.await?, 3);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "task")))]
    #[track_caller]
    pub fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = E::Outcome<JoinHandle<T>>> {
        self.acquire().spawn(future)
    }
}
