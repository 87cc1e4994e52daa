//! What can be done to a limiter while it is in use.

use super::{Drain, KeyedLimiter, Limiter, LimiterHandle, Undrained};
use crate::admission::Admission;
use crate::events::Event;
use crate::rejected::Rejected;
use crate::setting::Unsupported;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;

impl<E: Admission, K> Limiter<E, K> {
    /// Waits until nothing is held and nobody waits, in any runtime; says how many permits were held
    /// and calls waited when it began.
    ///
    /// It keeps nobody out: to come to an end under load, [`close`](Self::close) first. It is ready when
    /// it has found all runtimes empty, one after another. Calls that take no permits (weight 0, or not
    /// enabled) are not waited for. A permit held on a runtime that does not run is waited for all the
    /// same. It outlives the limiter, but not the limiter's use: when that is dropped it is ready, even
    /// if permits are out.
    ///
    /// Cancel safe: dropping it changes nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static JOBS: Limiter = Limiter::new("drain-example", 4);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// for _ in 0..3 {
    ///     let permit = JOBS.acquire().await;
    ///     tokio::spawn(async move {
    ///         tokio::task::yield_now().await;
    ///         drop(permit);
    ///     });
    /// }
    /// assert_eq!(JOBS.drain().await, 3);
    /// assert_eq!(JOBS.snapshot().total.in_use, 0);
    /// # }
    /// ```
    pub fn drain(&self) -> Drain {
        Drain::new(Arc::clone(self.core.engine()))
    }

    /// As [`drain`](Self::drain), but for no longer than this.
    ///
    /// # Errors
    ///
    /// [`Undrained`], if something is still held or somebody waits then.
    ///
    /// # Panics
    ///
    /// Needs tokio's timer, as [`tokio::time::timeout`].
    ///
    /// # Examples
    ///
    /// See [`close`](Self::close).
    pub async fn drain_within(&self, duration: Duration) -> Result<usize, Undrained> {
        self.drain().within(duration).await
    }

    /// Tells what happens at the limiter from now on, in all runtimes: a bounded channel, of which
    /// whoever is slow misses the oldest events (`RecvError::Lagged` says how many).
    ///
    /// A limit that is changed is told by each runtime that has used the limiter. Events of one thread
    /// come in order; those of several may overtake one another. While somebody listens every call
    /// takes the limiter's lock; when nobody does any more, it costs nothing.
    ///
    /// The channel is closed when the limiter is dropped, even if permits are out: what becomes of them
    /// is not told.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{EventKind, Limiter};
    ///
    /// static DB: Limiter = Limiter::new("subscribe-example", 1);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut events = DB.subscribe();
    /// drop(DB.acquire().await);
    /// assert_eq!(events.recv().await.unwrap().kind, EventKind::Admitted);
    /// let released = events.recv().await.unwrap();
    /// assert_eq!((released.kind, released.in_use), (EventKind::Released, 0));
    /// # }
    /// ```
    #[must_use]
    pub fn subscribe(&self) -> Receiver<Event> {
        self.core.engine().subscribe()
    }
}

impl<K> Limiter<Rejected, K> {
    /// Closes the limiter, in all runtimes: calls that can be refused are, those that wait and those
    /// to come, as [`Closed`](crate::RejectedKind::Closed). Who runs runs on.
    ///
    /// Only a limiter that can refuse calls has this: other calls cannot be told. For those
    /// [`set_limit(0)`](Self::set_limit) pauses.
    ///
    /// # Examples
    ///
    /// An orderly shutdown: nobody new is let in, and those inside are waited for.
    ///
    /// ```
    /// use limit_runtime::{Limiter, Rejected, RejectedKind};
    /// use std::time::Duration;
    ///
    /// static API: Limiter<Rejected> = Limiter::new("close-example", 2).max_waiting(100);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Rejected> {
    /// let permit = API.acquire().await?;
    /// # tokio::spawn(async move { tokio::task::yield_now().await; drop(permit) });
    ///
    /// API.close();
    /// assert_eq!(API.acquire().await.unwrap_err().kind(), RejectedKind::Closed);
    /// if let Err(undrained) = API.drain_within(Duration::from_secs(10)).await {
    ///     eprintln!("{undrained}");
    /// }
    ///
    /// API.reopen();
    /// assert!(API.acquire().await.is_ok());
    /// # Ok(())
    /// # }
    /// ```
    pub fn close(&self) {
        let closed = self.core.engine().close();
        debug_assert_eq!(closed, Ok(()), "its type says that its calls can be refused");
    }

    /// Lets calls in again after [`close`](Self::close).
    pub fn reopen(&self) {
        self.core.engine().reopen();
    }

    /// Whether it is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.core.engine().is_closed()
    }
}

impl<E: Admission> KeyedLimiter<E> {
    /// Changes the cap over all keys, as [`set_limit`](Self::set_limit) changes that of each.
    pub fn set_total(&self, total: usize) {
        let set = self.core.engine().set_total(total);
        debug_assert_eq!(set, Ok(()), "its type says that it has keys");
    }
}

impl LimiterHandle {
    /// As [`Limiter::close`].
    ///
    /// # Errors
    ///
    /// If the limiter's calls cannot be refused. Nothing is changed then.
    pub fn close(&self) -> Result<(), Unsupported> {
        self.engine.close()
    }

    /// As [`Limiter::reopen`].
    pub fn reopen(&self) {
        self.engine.reopen();
    }

    /// As [`Limiter::is_closed`].
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.engine.is_closed()
    }

    /// As [`Limiter::drain`].
    pub fn drain(&self) -> Drain {
        Drain::new(Arc::clone(&self.engine))
    }

    /// As [`Limiter::drain_within`].
    ///
    /// # Errors
    ///
    /// [`Undrained`], if something is still held or somebody waits then.
    ///
    /// # Panics
    ///
    /// Needs tokio's timer, as [`tokio::time::timeout`].
    pub async fn drain_within(&self, duration: Duration) -> Result<usize, Undrained> {
        self.drain().within(duration).await
    }

    /// As [`Limiter::subscribe`].
    #[must_use]
    pub fn subscribe(&self) -> Receiver<Event> {
        self.engine.subscribe()
    }

    /// As [`KeyedLimiter::set_total`].
    ///
    /// # Errors
    ///
    /// If the limiter has no keys. Nothing is changed then.
    pub fn set_total(&self, total: usize) -> Result<(), Unsupported> {
        self.engine.set_total(total)
    }
}
