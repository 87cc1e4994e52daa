//! Methods for a limiter in use: close, drain, subscribe.

use super::{Drain, Limiter, LimiterHandle, Undrained};
use crate::admission::Admission;
use crate::events::Event;
use crate::rejected::Rejected;
use crate::setting::Unsupported;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;

impl<E: Admission, K> Limiter<E, K> {
    /// Waits until no permit is out and no call waits, in any runtime. Returns a number: the
    /// permits that were out plus the calls that waited, at the start.
    ///
    /// Draining refuses no call. To finish under load, [`close`](Self::close) the limiter first.
    /// The future is ready when it has found all runtimes idle, one after another. It waits for a
    /// permit on a runtime that does not run, too. It does not wait for calls that take no permits
    /// (weight 0, or not enabled). When the limiter is dropped the future is ready, even if permits
    /// are out.
    ///
    /// Cancel safe: dropping the future changes nothing.
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

    /// Waits as [`drain`](Self::drain) does, for at most `duration`.
    ///
    /// # Errors
    ///
    /// [`Undrained`] if a permit is still out or a call still waits when the time is over.
    ///
    /// # Panics
    ///
    /// In a runtime without a timer and outside a runtime, as [`tokio::time::timeout`].
    ///
    /// # Examples
    ///
    /// See [`close`](Self::close).
    pub async fn drain_within(&self, duration: Duration) -> Result<usize, Undrained> {
        self.drain().within(duration).await
    }

    /// Subscribes to the limiter's events from now on, in all runtimes. The channel is bounded: a
    /// slow receiver misses the oldest events, and `RecvError::Lagged` says how many.
    ///
    /// A changed limit gives one event for each runtime that has used the limiter. Events of one
    /// thread come in order; events of several threads may overtake one another. While a receiver
    /// exists, every call takes the limiter's lock. Without receivers the events cost nothing.
    ///
    /// Dropping the limiter closes the channel, even if permits are out: their release gives no
    /// event.
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
    /// Closes the limiter in all runtimes. Waiting and future calls are refused as
    /// [`Closed`](crate::RejectedKind::Closed). Calls that hold permits go on.
    ///
    /// Only a limiter that can refuse calls has this method. To pause another limiter, use
    /// [`set_limit(0)`](Self::set_limit).
    ///
    /// # Examples
    ///
    /// An orderly shutdown refuses new calls, and waits for those that run:
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

    /// Admits calls again after [`close`](Self::close).
    pub fn reopen(&self) {
        self.core.engine().reopen();
    }

    /// Returns whether the limiter is closed. This is a use of the limiter.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.core.engine().is_closed()
    }
}

impl LimiterHandle {
    /// Does the same as [`Limiter::close`].
    ///
    /// # Errors
    ///
    /// If the limiter cannot refuse calls. Nothing is changed then.
    pub fn close(&self) -> Result<(), Unsupported> {
        self.engine.close()
    }

    /// Does the same as [`Limiter::reopen`].
    pub fn reopen(&self) {
        self.engine.reopen();
    }

    /// Returns the same as [`Limiter::is_closed`].
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.engine.is_closed()
    }

    /// Does the same as [`Limiter::drain`].
    pub fn drain(&self) -> Drain {
        Drain::new(Arc::clone(&self.engine))
    }

    /// Does the same as [`Limiter::drain_within`].
    ///
    /// # Errors
    ///
    /// [`Undrained`] if a permit is still out or a call still waits when the time is over.
    ///
    /// # Panics
    ///
    /// In a runtime without a timer and outside a runtime, as [`tokio::time::timeout`].
    pub async fn drain_within(&self, duration: Duration) -> Result<usize, Undrained> {
        self.drain().within(duration).await
    }

    /// Does the same as [`Limiter::subscribe`].
    #[must_use]
    pub fn subscribe(&self) -> Receiver<Event> {
        self.engine.subscribe()
    }

    /// Does the same as [`KeyedLimiter::set_total`](crate::KeyedLimiter::set_total).
    ///
    /// # Errors
    ///
    /// If the limiter has no keys. Nothing is changed then.
    pub fn set_total(&self, total: usize) -> Result<(), Unsupported> {
        self.engine.set_total(total)
    }
}
