//! The setters of a limiter's policy.

use super::{KeyedLimiter, Limiter};
use crate::admission::Admission;
use crate::policy::MAX_LIMIT;
use crate::policy::{Force, MaxWait, Order};
use crate::rejected::Rejected;
use std::convert::Infallible;
use std::time::Duration;

impl<E: Admission, K> Limiter<E, K> {
    /// Sets how many calls may wait. A further call is refused at once, as
    /// [`QueueFull`](crate::RejectedKind::QueueFull). With 0 no call ever waits. With keys the
    /// bound holds for each key.
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
    #[track_caller]
    pub const fn max_waiting(mut self, calls: usize) -> Limiter<Rejected, K> {
        self.configure("`Limiter::max_waiting` must be called before the limiter is used")
            .policy
            .max_waiting = clamp(calls, u32::MAX);
        self.into_kind()
    }

    /// Sets how long a call may wait. After that the call is refused as
    /// [`TimedOut`](crate::RejectedKind::TimedOut). A single call can set another time, or a
    /// moment: see [`Acquire::max_wait`](crate::Acquire::max_wait).
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
    #[track_caller]
    pub const fn max_wait(mut self, max_wait: Duration) -> Limiter<Rejected, K> {
        self.configure("`Limiter::max_wait` must be called before the limiter is used").max_wait =
            Some(MaxWait::For(max_wait));
        self.into_kind()
    }

    /// Sets which waiter is served first. By default the oldest is.
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
    /// // At most ten wait. The eleventh joins the queue, and the oldest is refused.
    /// static FEED: Limiter<Rejected> =
    ///     Limiter::new("order-example", 4).order(Order::Lifo).max_waiting(10);
    /// # let _ = FEED.limit();
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn order(mut self, order: Order) -> Self {
        self.configure("`Limiter::order` must be called before the limiter is used").policy.order =
            order;
        self
    }

    /// Sets the default priority of calls. The queue is sorted from the first waiter on. See
    /// [`Acquire::priority`](crate::Acquire::priority).
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
    #[track_caller]
    pub const fn priority(mut self, priority: u8) -> Self {
        let definition =
            self.configure("`Limiter::priority` must be called before the limiter is used");
        definition.request.priority = priority;
        definition.policy.ranked = true;
        self
    }

    /// Sets the default weight of calls: the number of permits that a call takes. Without this
    /// setter it is 1. See [`Acquire::weight`](crate::Acquire::weight).
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
    /// // Each call of this limiter takes four megabytes.
    /// static MEMORY: Limiter<Rejected> = Limiter::new("weight-example", 64).weight(4);
    ///
    /// let permit = MEMORY.try_acquire()?;
    /// assert_eq!(MEMORY.snapshot().total.in_use, 4);
    /// # drop(permit);
    /// # Ok::<(), Rejected>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn weight(mut self, weight: u32) -> Limiter<Rejected, K> {
        self.configure("`Limiter::weight` must be called before the limiter is used")
            .request
            .weight = weight;
        self.into_kind()
    }

    /// Limits the *starts* of calls too: in any window of this length, at most as many calls start
    /// as the limit. A permit comes back when its holder is done and the window since its start is
    /// over. The window does not delay the caller.
    ///
    /// The window slides: it is any span of that length. A permit that has no holder while its
    /// window lasts does not count as in use. Time is tokio's, so tests can pause it. While calls
    /// wait, a task on their runtime sleeps until the next window is over. So waiting needs tokio's
    /// timer (see [`Acquire`](crate::Acquire)).
    ///
    /// With [`Scope::Process`](crate::Scope::Process) several clocks may meet in tests: the real
    /// one, and those of paused runtimes. A window runs by the clock of the runtime in which it
    /// started. By its own clock, a call waits at most one window for permits that started by
    /// another clock.
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
    #[track_caller]
    pub const fn per(mut self, window: Duration) -> Self {
        self.configure("`Limiter::per` must be called before the limiter is used").policy.per =
            if window.is_zero() { None } else { Some(window) };
        self
    }

    /// Sets whether the limit holds by default. A call can set this for itself: see
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
    #[track_caller]
    pub const fn enabled(mut self, enabled: bool) -> Self {
        self.configure("`Limiter::enabled` must be called before the limiter is used")
            .request
            .enabled = enabled;
        self
    }

    /// Admits every call, and counts what the limit would have done. Use it to measure a limit
    /// before it is in force. See [`Figures::shadowed`](crate::Figures::shadowed).
    ///
    /// A call that would have waited is counted as such, and takes its permits beyond the limit. A
    /// call that would have been refused takes none.
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
    #[track_caller]
    pub const fn shadow(mut self) -> Limiter<Infallible, K> {
        let definition =
            self.configure("`Limiter::shadow` must be called before the limiter is used");
        definition.policy.force = Force::Shadow;
        definition.max_wait = None;
        self.into_kind()
    }
}

impl<E: Admission> Limiter<E> {
    /// Makes the limit hold for each key. [`key`](KeyedLimiter::key) gives a call its key. A key
    /// without holders and waiters takes no memory.
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
    #[track_caller]
    pub const fn keyed(mut self) -> KeyedLimiter<E> {
        self.configure("`Limiter::keyed` must be called before the limiter is used").policy.keyed =
            true;
        self.into_kind()
    }
}

impl<E: Admission> KeyedLimiter<E> {
    /// Sets a cap over all keys. While the cap is reached, the keys whose calls wait are served in
    /// turn, one call each. So a busy key cannot starve the others.
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    ///
    /// # Examples
    ///
    /// See [`keyed`](Limiter::keyed).
    #[must_use]
    #[track_caller]
    pub const fn total(mut self, total: usize) -> Self {
        self.configure("`Limiter::total` must be called before the limiter is used").policy.total =
            Some(clamp(total, MAX_LIMIT));
        self
    }
}

/// Converts as `u32::try_from` does, in `const` functions. Reduces a larger number to `most`.
#[expect(clippy::cast_possible_truncation, reason = "it has been compared before")]
const fn clamp(number: usize, most: u32) -> u32 {
    if number > most as usize { most } else { number as u32 }
}
