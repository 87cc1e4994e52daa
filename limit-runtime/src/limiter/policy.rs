//! The setters of the parts of a limiter's policy that do not change while it is in use.

use super::{KeyedLimiter, Limiter};
use crate::admission::Admission;
use crate::policy::OnDeadlock;
use crate::rejected::Rejected;
use crate::scope::{OnUnavailable, Scope};
use std::time::Duration;

impl<E: Admission, K> Limiter<E, K> {
    /// Sets the calls that share the permits. By default each runtime has its own permits.
    ///
    /// # Panics
    ///
    /// If the limiter has been used. [`Scope::Fleet`] also beside [`per`](Self::per), [`ramp`](Self::ramp),
    /// [`weight`](Self::weight) and [`shadow`](Self::shadow).
    #[must_use]
    #[track_caller]
    pub const fn scope(mut self, scope: Scope) -> Self {
        let definition =
            self.configure("`Limiter::scope` must be called before the limiter is used");
        definition.scope = scope;
        definition.policy.is_single = matches!(scope, Scope::Fleet);
        definition.check();
        self
    }

    /// Sets what becomes of calls while the fleet of [`Scope::Fleet`] cannot be reached and the process has
    /// no permits of it. Without this setter the fleet's own default holds.
    ///
    /// # Panics
    ///
    /// If the limiter has been used, or has another scope: call [`scope`](Self::scope) before. With
    /// [`OnUnavailable::Refuse`] also if the limiter cannot refuse calls: call
    /// [`max_waiting`](Self::max_waiting) or [`max_wait`](Self::max_wait) before (`max_waiting(usize::MAX)`
    /// sets no bound).
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Limiter, OnUnavailable, Scope};
    ///
    /// static ORDERS: Limiter = Limiter::new("on-unavailable-example", 100)
    ///     .scope(Scope::Fleet)
    ///     .on_unavailable(OnUnavailable::Local(2));
    /// # let _ = ORDERS.limit();
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn on_unavailable(mut self, on_unavailable: OnUnavailable) -> Self {
        assert!(
            E::FALLIBLE || !matches!(on_unavailable, OnUnavailable::Refuse),
            "`OnUnavailable::Refuse` needs a limiter that can refuse calls: call \
             `Limiter::max_waiting` or `Limiter::max_wait` before"
        );
        let definition =
            self.configure("`Limiter::on_unavailable` must be called before the limiter is used");
        assert!(
            matches!(definition.scope, Scope::Fleet),
            "`Limiter::on_unavailable` is about the permits of a fleet: call \
             `Limiter::scope(Scope::Fleet)` before"
        );
        definition.on_unavailable = Some(on_unavailable);
        self
    }

    /// Sets what becomes of the calls that wait in a deadlock: each of them waits for a permit that another
    /// one holds. By default they wait on, and a warning tells of it.
    ///
    /// With [`OnDeadlock::Refuse`] one call is refused as [`Deadlock`](crate::RejectedKind::Deadlock): of the
    /// calls of such limiters, the one that began to wait last. It gives up what it holds, so that the others
    /// go on. Deadlocks are found with the feature `diagnostics`, while
    /// `diagnostics::record` is on. Without these the setter has no effect, as a warning says when the limiter is
    /// first used. A call with a `max_wait` is never refused this way: its wait ends by itself.
    ///
    /// A task that makes calls of several functions side by side (`join!`), of which one runs for seconds without being
    /// polled, may look like one that nests them. Then a call may be refused although it would have gone on: see
    /// [what is not found](crate::guide::hazards#a-deadlock-across-limiters). Use `Refuse` for calls that are nested.
    ///
    /// # Panics
    ///
    /// If the limiter has been used. With [`OnDeadlock::Refuse`] also if the limiter cannot refuse calls: call
    /// [`max_waiting`](Self::max_waiting) before (`max_waiting(usize::MAX)` sets no bound).
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Limiter, OnDeadlock, Rejected};
    ///
    /// static ACCOUNTS: Limiter<Rejected> = Limiter::new("on-deadlock-example", 4)
    ///     .max_waiting(usize::MAX)
    ///     .on_deadlock(OnDeadlock::Refuse);
    /// # let _ = ACCOUNTS.limit();
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn on_deadlock(mut self, on_deadlock: OnDeadlock) -> Self {
        assert!(
            E::FALLIBLE || !matches!(on_deadlock, OnDeadlock::Refuse),
            "`OnDeadlock::Refuse` needs a limiter that can refuse calls: call \
             `Limiter::max_waiting` before (`max_waiting(usize::MAX)` sets no bound)"
        );
        self.configure("`Limiter::on_deadlock` must be called before the limiter is used")
            .on_deadlock = on_deadlock;
        self
    }

    /// Sets the environment variable that replaces the limit.
    ///
    /// The variable is read once, on first use. A value that is not a whole number from 1 up
    /// changes nothing. It is logged as an error (feature `tracing`) and stands in the
    /// [`Snapshot`](crate::Snapshot).
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    #[must_use]
    #[track_caller]
    pub const fn env(mut self, variable: &'static str) -> Self {
        self.configure("`Limiter::env` must be called before the limiter is used").env =
            Some(variable);
        self
    }

    /// Sets the default weight of calls: the number of permits that a call takes. Without this
    /// setter it is 1. See [`Acquire::weight`](crate::Acquire::weight).
    ///
    /// # Panics
    ///
    /// If the limiter has been used. A weight above 1 also with [`Scope::Fleet`].
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
        let definition =
            self.configure("`Limiter::weight` must be called before the limiter is used");
        definition.request.weight = weight;
        definition.check();
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
    /// If the limiter has been used, or has [`Scope::Fleet`] or a [`ramp`](Self::ramp).
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
        let definition = self.configure("`Limiter::per` must be called before the limiter is used");
        definition.policy.per = if window.is_zero() { None } else { Some(window) };
        definition.check();
        self
    }
}

impl<E: Admission, K> Limiter<E, K> {
    /// Lets the limit rise from one permit after a start, so that caches, pools and compilers behind it warm up. `takes` is
    /// the time from the first permit to the whole limit.
    ///
    /// A start is the first call of the limiter: in each runtime, or with [`Scope::Process`](crate::Scope::Process) in the
    /// process. The first call after a rest is one again: after as long a time as `takes` in which no permit was out, no
    /// call waited and none came.
    ///
    /// The number of permits that are let in rises in proportion to the time. It is 1 at the start, and the limit at the
    /// end. Calls that wait are served, in the limiter's order, at the moment at which the next permit is let in. A call
    /// that weighs more than is let in waits until the ramp has come that far; the limit alone decides whether it is too
    /// heavy. A changed limit does not change how much of the time has passed. With keys it is the
    /// [total](KeyedLimiter::total) that rises, and without a total this setter has no effect. [Shares](Self::shares)
    /// are parts of the permits that are let in. [`early`](Self::early) refuses no call while permits are withheld,
    /// because the pace of the queue changes.
    ///
    /// Time is tokio's, so tests can pause it. While calls wait during the ramp, a task on their runtime sleeps until the
    /// next permit. So waiting needs tokio's timer (see [`Acquire`](crate::Acquire)). If several clocks meet at one
    /// limiter, the ramp is as far as by the one that is furthest.
    ///
    /// Each call takes the limiter's lock and looks at the clock, also when the ramp is over, as with [`per`](Self::per).
    /// [`Figures::withheld`](crate::Figures::withheld) has the permits that are not let in yet.
    ///
    /// `HAProxy` does the same with the connections to a server that is back (`slowstart` in its
    /// [configuration manual](https://docs.haproxy.org/3.0/configuration.html#5.2-slowstart)). Envoy raises an endpoint's share of the load
    /// ([slow start mode](https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/slow_start)),
    /// and Guava's
    /// [`RateLimiter`](https://guava.dev/releases/33.0.0-jre/api/docs/com/google/common/util/concurrent/RateLimiter.html) with a warm-up
    /// period raises a rate.
    ///
    /// # Panics
    ///
    /// If the limiter has been used, its limit [adapts](Limiter::adaptive), or it has a [rate](Self::per),
    /// [`Scope::Fleet`](crate::Scope::Fleet), or was made a [shadow](Self::shadow).
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    /// use std::time::Duration;
    /// use tokio::time::sleep;
    ///
    /// static SEARCH: Limiter = Limiter::new("ramp-example", 5).ramp(Duration::from_secs(40));
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let _first = SEARCH.acquire().await;
    /// assert!(SEARCH.try_acquire().is_err()); // one of five is let in
    /// assert_eq!(SEARCH.snapshot().total.withheld, 4);
    /// let _second = SEARCH.acquire().await; // ten seconds later
    /// sleep(Duration::from_secs(30)).await;
    /// assert_eq!(SEARCH.snapshot().total.withheld, 0);
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn ramp(mut self, takes: Duration) -> Self {
        let definition =
            self.configure("`Limiter::ramp` must be called before the limiter is used");
        definition.ramp = if takes.is_zero() { None } else { Some(takes) };
        definition.check();
        self
    }
}

impl<E: Admission> Limiter<E> {
    /// Makes the limit hold for each key. [`key`](KeyedLimiter::key) gives a call its key. A key
    /// without holders and waiters takes no memory.
    ///
    /// # Panics
    ///
    /// If the limiter has been used, has [`shares`](Self::shares), or its limit adapts: with keys the
    /// [total](KeyedLimiter::adaptive_total) does.
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
        let definition =
            self.configure("`Limiter::keyed` must be called before the limiter is used");
        assert!(
            definition.adaptation.is_none(),
            "with keys the total adapts: write `Limiter::new(…).keyed().adaptive_total(…)` in place of \
             `Limiter::adaptive(…).keyed()`"
        );
        definition.policy.keyed = true;
        definition.check();
        self.into_kind()
    }
}
