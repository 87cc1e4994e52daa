//! The setters for what becomes of calls over the limit.

use super::{KeyedLimiter, Limiter};
use crate::admission::Admission;
use crate::policy::MAX_LIMIT;
use crate::policy::{Force, MaxWait, Order};
use crate::rejected::Rejected;
use std::convert::Infallible;
use std::time::Duration;

impl<E: Admission, K> Limiter<E, K> {
    /// At most so many calls wait; the next is refused at once, as
    /// [`QueueFull`](crate::RejectedKind::QueueFull). With 0 no call ever waits. With keys the bound is
    /// for each key.
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Limiter, Rejected, RejectedKind};
    ///
    /// static API: Limiter<Rejected> = Limiter::new("max-waiting-example", 1).max_waiting(0);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Rejected> {
    /// let permit = API.acquire().await?;
    /// let rejected = API.acquire().await.unwrap_err();
    /// assert_eq!(rejected.kind(), RejectedKind::QueueFull);
    /// assert_eq!((rejected.limit(), rejected.in_use(), rejected.waiting()), (1, 1, 0));
    /// # drop(permit);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn max_waiting(mut self, calls: usize) -> Limiter<Rejected, K> {
        self.settings().policy.max_waiting = clamp(calls, u32::MAX);
        self.into_kind()
    }

    /// A call waits no longer than this, and is then refused as
    /// [`TimedOut`](crate::RejectedKind::TimedOut). For a moment, or for what is known only when the
    /// call is made, see [`Acquire::max_wait`](crate::Acquire::max_wait).
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Limiter, Rejected, RejectedKind};
    /// use std::time::Duration;
    ///
    /// static API: Limiter<Rejected> =
    ///     Limiter::new("max-wait-example", 1).max_wait(Duration::from_millis(2));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Rejected> {
    /// let permit = API.acquire().await?;
    /// let rejected = API.acquire().await.unwrap_err();
    /// assert_eq!(rejected.kind(), RejectedKind::TimedOut);
    /// assert!(rejected.waited() >= Duration::from_millis(2));
    /// # drop(permit);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn max_wait(mut self, max_wait: Duration) -> Limiter<Rejected, K> {
        self.settings().max_wait = Some(MaxWait::For(max_wait));
        self.into_kind()
    }

    /// Who is served first of those who wait: the oldest, if nothing else is said.
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Limiter, Order, Rejected};
    ///
    /// // At most ten wait; the eleventh takes the place of the oldest.
    /// static FEED: Limiter<Rejected> =
    ///     Limiter::new("order-example", 4).order(Order::Lifo).max_waiting(10);
    /// # let _ = FEED.limit();
    /// ```
    #[must_use]
    pub const fn order(mut self, order: Order) -> Self {
        self.settings().policy.order = order;
        self
    }

    /// The priority of calls that do not say another, and that the queue is sorted from the first
    /// waiter on. See [`Acquire::priority`](crate::Acquire::priority).
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static DB: Limiter = Limiter::new("priority-example", 1).priority(1);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let permit = DB.acquire().await;
    /// let (nightly, usual, urgent) =
    ///     (DB.acquire().priority(0), DB.acquire(), DB.acquire().priority(9));
    /// let order = std::sync::Mutex::new(Vec::new());
    /// let run = async |name, call: limit_runtime::Acquire<'_>| {
    ///     let _permit = call.await;
    ///     order.lock().unwrap().push(name);
    /// };
    /// tokio::join!(
    ///     run("nightly", nightly), run("usual", usual), run("urgent", urgent),
    ///     async { drop(permit) },
    /// );
    /// assert_eq!(order.into_inner().unwrap(), ["urgent", "usual", "nightly"]);
    /// # }
    /// ```
    #[must_use]
    pub const fn priority(mut self, priority: u8) -> Self {
        self.settings().ask.priority = priority;
        self.settings().policy.ranked = true;
        self
    }

    /// The permits that a call takes which does not say another number: 1, if nothing else is said.
    /// See [`Acquire::weight`](crate::Acquire::weight).
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Limiter, Rejected};
    ///
    /// // Each call of this one counts for four megabytes.
    /// static MEMORY: Limiter<Rejected> = Limiter::new("weight-example", 64).weight(4);
    ///
    /// let permit = MEMORY.try_acquire()?;
    /// assert_eq!(MEMORY.snapshot().total.in_use, 4);
    /// # drop(permit);
    /// # Ok::<(), Rejected>(())
    /// ```
    #[must_use]
    pub const fn weight(mut self, weight: u32) -> Limiter<Rejected, K> {
        self.settings().ask.weight = weight;
        self.into_kind()
    }

    /// At most as many *starts* as the limit in any window of this length, and at most as many calls
    /// at once: a permit comes back when its holder is done and the window since its start is over.
    /// The caller is not held up by the window.
    ///
    /// The window slides: it is any span of that length, not one of the clock's. A permit that is
    /// nobody's while its window lasts does not count as in use. Time is tokio's, so it can be paused
    /// in tests. While calls wait, a task that is spawned on their runtime sleeps until the next window
    /// is over; so to wait needs tokio's timer (see [`Acquire`](crate::Acquire)).
    ///
    /// In the scope of the process several clocks may meet, in tests: those of paused runtimes, and the
    /// real one. A window is that of the clock of its start, and no call waits for longer than one window
    /// by its own clock for permits of another.
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    /// use std::time::Duration;
    /// use tokio::time::Instant;
    ///
    /// static MAILS: Limiter = Limiter::new("per-example", 2).per(Duration::from_millis(20));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let start = Instant::now();
    /// for _ in 0..5 {
    ///     let _permit = MAILS.acquire().await; // two at once, two after 20 ms, one after 40 ms
    /// }
    /// assert!(start.elapsed() >= Duration::from_millis(40));
    /// # }
    /// ```
    #[must_use]
    pub const fn per(mut self, window: Duration) -> Self {
        self.settings().policy.per = if window.is_zero() { None } else { Some(window) };
        self
    }

    /// Whether the limit holds for calls that do not say otherwise. See
    /// [`Acquire::enabled`](crate::Acquire::enabled).
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// let limiter = Limiter::named("enabled-example", 1).enabled(cfg!(not(debug_assertions)));
    /// # let limiter = limiter.enabled(false);
    /// let both = (limiter.try_acquire()?, limiter.try_acquire()?);
    /// assert_eq!(limiter.snapshot().total.admitted_at_once, 2);
    /// # drop(both);
    /// # Ok::<(), limit_runtime::Rejected>(())
    /// ```
    #[must_use]
    pub const fn enabled(mut self, enabled: bool) -> Self {
        self.settings().ask.enabled = enabled;
        self
    }

    /// Lets everybody in, and counts what it would have done: to find out what a limit would mean
    /// before it is put in force. See [`Figures::shadowed`](crate::Figures::shadowed).
    ///
    /// A call that would have waited is counted as such and takes its permits beyond the limit; one
    /// that would have been refused takes none.
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static DB: Limiter = Limiter::new("shadow-example", 1).max_waiting(1).shadow();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let all = (DB.acquire().await, DB.acquire().await, DB.acquire().await);
    /// let shadowed = DB.snapshot().total.shadowed;
    /// assert_eq!((shadowed.waited, shadowed.rejected.queue_full), (1, 1));
    /// # drop(all);
    /// # }
    /// ```
    #[must_use]
    pub const fn shadow(mut self) -> Limiter<Infallible, K> {
        self.settings().policy.force = Force::Shadow;
        self.settings().max_wait = None;
        self.into_kind()
    }
}

impl<E: Admission> Limiter<E> {
    /// The limit holds for each key: [`key`](KeyedLimiter::key) says which a call has. A key without
    /// holders and waiters takes no memory.
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{KeyedLimiter, Limiter};
    ///
    /// static TENANTS: KeyedLimiter = Limiter::new("keyed-example", 1).keyed().total(20);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let one = TENANTS.key("acme").acquire().await;
    /// let other = TENANTS.key("umbrella").acquire().await;
    /// assert!(TENANTS.key("acme").try_acquire().is_err());
    /// assert_eq!(TENANTS.snapshot().total.keys, 2);
    /// # drop((one, other));
    /// # }
    /// ```
    #[must_use]
    pub const fn keyed(mut self) -> KeyedLimiter<E> {
        self.settings().policy.keyed = true;
        self.into_kind()
    }
}

impl<E: Admission> KeyedLimiter<E> {
    /// A cap over all keys. While it is reached, the keys whose calls wait are served in turn, one call
    /// each, so that a busy one cannot starve the others.
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    ///
    /// # Examples
    ///
    /// See [`keyed`](Limiter::keyed).
    #[must_use]
    pub const fn total(mut self, total: usize) -> Self {
        self.settings().policy.total = Some(clamp(total, MAX_LIMIT));
        self
    }
}

/// `u32::try_from`, for `const` functions.
#[expect(clippy::cast_possible_truncation, reason = "it has been compared before")]
const fn clamp(number: usize, most: u32) -> u32 {
    if number > most as usize { most } else { number as u32 }
}
