//! A pool of tasks that are spawned one by one, at most `limit` at a time.

mod members;

use crate::acquire::run::ThenSpawn;
use crate::admission::Admission;
use crate::keying::InShare;
use crate::limiter::{Limiter, SharedLimiter};
use crate::recorder::CallSite;
use members::Members;
pub use members::Panicked;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// A pool of tasks under a limit: [`spawn`](Self::spawn) waits for a permit, and
/// [`join_all`](Self::join_all) for the last task.
///
/// `spawn` holds its caller back while all permits are in use, so a loop over more work than fits
/// into memory is no danger. In asyncio: a `TaskGroup` with a semaphore, a queue with workers, or a
/// set of tasks with `wait(..., return_when=FIRST_COMPLETED)`.
///
/// Share the pool by reference or in an [`Arc`]. A task of the pool may spawn others there. (But a
/// task that holds the last permit and waits for another one waits for itself.)
///
/// The permits are those of a [`Limiter`]: the pool's own, or one that it was made
/// [`over`](Self::over). So the pool has figures, its limit can be [changed](Limiter::set_limit)
/// while it runs, and each runtime in which `spawn` is called has its own permits. A limiter that
/// can refuse calls can refuse a `spawn`.
///
/// Dropping the pool cancels its tasks, or lets them go on if [so chosen](Self::on_drop). If nobody
/// has asked for the panics of its tasks, they are logged as an error when the last task has gone
/// (feature `tracing`).
///
/// # Examples
///
/// ```
/// use limit_runtime::task::Pool;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let pool = Pool::new(3);
/// let mut last = None;
/// for n in 1..=100_u64 {
///     last = Some(pool.spawn(async move { n * n }).await); // never more than three at a time
/// }
/// assert_eq!(last.unwrap().await.unwrap(), 10_000);
///
/// pool.spawn(async { panic!("out of paper") }).await;
/// let panicked = pool.join_all().await.unwrap_err();
/// assert_eq!(panicked.to_string(), "1 task of pool `pool` panicked: out of paper");
/// # }
/// ```
pub struct Pool<E: Admission = Infallible> {
    limiter: SharedLimiter<E>,
    share: Option<InShare>,
    members: Arc<Members>,
    on_drop: OnDrop,
}

/// The fate of a [`Pool`]'s tasks when the pool is dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnDrop {
    /// The tasks are cancelled: each stops where it next awaits.
    #[default]
    Cancel,
    /// The tasks go on.
    Detach,
}

impl Pool {
    /// Makes a pool with a limiter of its own.
    ///
    /// The limiter is called `pool`, or `pool#2` and so on while others have that name. To choose a
    /// name, make the pool [`over`](Self::over) a limiter of your own.
    ///
    /// # Panics
    ///
    /// If `limit` is 0.
    #[must_use]
    #[track_caller]
    pub fn new(limit: usize) -> Self {
        Self::over(Limiter::unnamed("pool", super::at_least_one(limit)))
    }
}

impl<E: Admission> Pool<E> {
    /// Makes a pool whose tasks hold permits of this limiter: `&STATIC`, an `Arc<Limiter>`, or a
    /// limiter of its own.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::task::Pool;
    /// use limit_runtime::{Limiter, Rejected};
    ///
    /// static EXPORTS: Limiter<Rejected> = Limiter::new("exports", 4).max_waiting(0);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Rejected> {
    /// let pool = Pool::over(&EXPORTS);
    /// let export = pool.spawn(async { 7 }).await?; // refused, if four run already
    /// assert_eq!(export.await.unwrap(), 7);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn over(limiter: impl Into<SharedLimiter<E>>) -> Self {
        let (limiter, members) = (limiter.into(), Arc::default());
        Self { limiter, share: None, members, on_drop: OnDrop::Cancel }
    }

    /// Says to which [share](Limiter::shares) of the limiter's permits the tasks belong. With a name that the limiter does
    /// not have, they belong to the `rest`, as with [`Limiter::share`].
    ///
    /// Use this when the pool is work in bulk under a limiter that others use too, who are not to wait for it.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::task::Pool;
    /// use limit_runtime::{Limiter, Share};
    ///
    /// static DB: Limiter = Limiter::new("pool-share", 4)
    ///     .shares(&[Share::new("live", 50).reserved(), Share::new("batch", 50)]);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let pool = Pool::over(&DB).share("batch");
    /// for _ in 0..8 {
    ///     pool.spawn(async { assert!(DB.snapshot().shares[1].in_use <= 2) }).await; // two are reserved
    /// }
    /// pool.join_all().await.expect("never more than two");
    /// # }
    /// ```
    #[must_use]
    pub fn share(mut self, name: &str) -> Self {
        self.share = Some(self.limiter.find_share(name));
        self
    }

    /// Chooses the fate of the tasks when the pool is dropped. By default they are cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::task::{OnDrop, Pool};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let pool = Pool::new(2).on_drop(OnDrop::Detach);
    /// let task = pool.spawn(async { "done all the same" }).await;
    /// drop(pool);
    /// assert_eq!(task.await.unwrap(), "done all the same");
    /// # }
    /// ```
    #[must_use]
    pub fn on_drop(mut self, on_drop: OnDrop) -> Self {
        self.on_drop = on_drop;
        self
    }

    /// Waits for a permit, then spawns the future as a task. Gives the task's handle.
    ///
    /// The handle need not be kept. Dropping it does not cancel the task, and
    /// [`join_all`](Self::join_all) reports a panic of the task in any case. The permit comes back
    /// when the task is done or was aborted.
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
    #[track_caller]
    pub fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = E::Outcome<JoinHandle<T>>> {
        let acquire = self.limiter.acquire_maybe_in_share(self.share, CallSite::caller());
        ThenSpawn::new(acquire, move |permit| {
            self.members.spawn(self.limiter.name(), permit, future)
        })
    }

    /// Waits until none of the pool's tasks is left. The pool can be used again.
    ///
    /// Tasks that are spawned meanwhile are waited for too. Calls of [`spawn`](Self::spawn) that
    /// wait for a permit are not tasks yet.
    ///
    /// When the call is done, the tasks' permits are free. (Their handles may take a moment more to say
    /// that they are finished.)
    ///
    /// # Cancel safety
    ///
    /// Dropping the call loses nothing: neither tasks nor reports of panics.
    ///
    /// # Errors
    ///
    /// If tasks have panicked since the last report, their number and their messages. A task that
    /// was aborted does not count, even if a value that it held panicked as it was dropped.
    pub async fn join_all(&self) -> Result<(), Panicked> {
        self.members.wait_until_empty().await;
        self.members.report()
    }

    /// Returns the number of tasks at this moment.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Returns `true` if there is no task at this moment.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Cancels all tasks that there are at this moment. Each stops where it next awaits, and
    /// [`join_all`](Self::join_all) waits for that.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::task::Pool;
    /// use std::future::pending;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let pool = Pool::new(2);
    /// let task = pool.spawn(pending::<()>()).await;
    /// pool.abort_all();
    /// pool.join_all().await.expect("to be cancelled is no panic");
    /// assert!(task.await.unwrap_err().is_cancelled());
    /// # }
    /// ```
    pub fn abort_all(&self) {
        self.members.abort_all();
    }

    /// Returns the limiter whose permits the tasks hold.
    #[must_use]
    pub fn limiter(&self) -> &Limiter<E> {
        &self.limiter
    }
}

impl<E: Admission> Drop for Pool<E> {
    fn drop(&mut self) {
        match self.on_drop {
            OnDrop::Cancel => self.abort_all(),
            OnDrop::Detach => {}
        }
    }
}

impl<E: Admission> fmt::Debug for Pool<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("limiter", &self.limiter)
            .field("tasks", &self.len())
            .field("on_drop", &self.on_drop)
            .finish_non_exhaustive()
    }
}
