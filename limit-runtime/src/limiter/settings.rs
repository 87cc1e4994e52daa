//! The setters of the settings that can be changed while a limiter is in use: those that make a
//! limiter, and those that change it.

use super::{Limiter, LimiterHandle};
use crate::admission::Admission;
use crate::policy::{Force, MaxWait, OnDeadlock};
use crate::rejected::Rejected;
use crate::setting::{SettingKind, SettingValue, SettingValues, Settings, Unsupported};
use std::convert::Infallible;
use std::time::Duration;

/// Converts a number of calls to a setting's value. Numbers of `u32::MAX` and more stand for no
/// bound.
pub(super) fn calls_value(calls: usize) -> SettingValue {
    SettingValue::Count(calls.min(u32::MAX as usize))
}

/// Converts as `u32::try_from` does, in `const` functions. Reduces a larger number to `most`.
#[expect(clippy::cast_possible_truncation, reason = "it has been compared before")]
pub(super) const fn clamp(number: usize, most: u32) -> u32 {
    if number > most as usize { most } else { number as u32 }
}

/// Checks, in debug builds, that the limiter supports the setting, as its type says.
pub(super) fn supported(result: &Result<(), Unsupported>) {
    debug_assert_eq!(*result, Ok(()));
}

impl<E: Admission, K> Limiter<E, K> {
    /// Sets how many calls may wait. A further call is refused at once, as
    /// [`QueueFull`](crate::RejectedKind::QueueFull). With 0 no call ever waits.
    ///
    /// With keys the bound holds for each key, and with [shares](Self::shares) for each share, the `rest` among them: with
    /// two shares and the `rest`, under `max_waiting(2)` six calls may wait.
    ///
    /// A full queue gives way to a call of a higher [priority](crate::Acquire::priority) than the lowest that waits, and
    /// with [`Order::Lifo`](crate::Order::Lifo) to every call. Then a waiter is refused, as
    /// [`Evicted`](crate::RejectedKind::Evicted), and the call has its place.
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

    /// Sets the time within which a waiter claims its grant. A grant is a permit that was handed to a waiter; the
    /// waiter claims it when it is polled. After this time the grant is taken back and goes to the next waiter, if
    /// there is one. The waiter that did not claim it keeps its place, and is granted again when it has been
    /// polled. Without this setter the time is 1 second. [`Duration::MAX`] never takes a grant back.
    ///
    /// A waiter does not claim its grant if its task does not poll it: it stands in a `select!` or in a
    /// `FuturesUnordered` whose task does something else, or its runtime stands still. The others would wait for
    /// it. A permit whose call runs is never taken back.
    ///
    /// The time is real time, also where tokio's clock is paused. A grant is taken back up to 250 ms later. See
    /// [`Figures::taken_back`](crate::Figures::taken_back).
    ///
    /// # Panics
    ///
    /// If the limiter has been used, or the time is zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    /// use std::time::Duration;
    ///
    /// static DB: Limiter =
    ///     Limiter::new("claim-within-example", 1).claim_within(Duration::from_millis(200));
    /// assert_eq!(DB.snapshot().settings.claim_within.value, Some(Duration::from_millis(200)));
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn claim_within(mut self, claim_within: Duration) -> Self {
        assert!(
            !claim_within.is_zero(),
            "`claim_within` cannot be zero, no call is so quick: write a longer time, or `Duration::MAX` \
             for never"
        );
        self.configure("`Limiter::claim_within` must be called before the limiter is used")
            .claim_within = claim_within;
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
    /// If the limiter has been used, or has [`Scope::Fleet`](crate::Scope::Fleet).
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
        definition.check();
        definition.max_wait = None;
        definition.on_deadlock = OnDeadlock::Warn;
        self.into_kind()
    }
}

impl<E: Admission, K> Limiter<E, K> {
    /// Sets the time within which a waiter [claims its grant](Self::claim_within), from now on. It holds for
    /// grants that are unclaimed already, too. [`Duration::MAX`] never takes a grant back. A time of zero counts
    /// as 1 nanosecond.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    /// use std::time::Duration;
    ///
    /// static DB: Limiter = Limiter::new("set-claim-within-example", 1);
    ///
    /// DB.set_claim_within(Duration::MAX);
    /// assert_eq!(DB.snapshot().settings.claim_within.value, None); // never
    /// DB.reset();
    /// assert_eq!(DB.snapshot().settings.claim_within.value, Some(Duration::from_secs(1)));
    /// ```
    pub fn set_claim_within(&self, claim_within: Duration) {
        self.core.engine().set_claim_within(claim_within);
    }

    /// Sets whether the limit holds, from now on. With `false`, waiters are admitted and further
    /// calls are admitted at once, also when the limiter is closed. They are counted, and are not
    /// in use.
    ///
    /// With `true`, each call decides: see [`Acquire::enabled`](crate::Acquire::enabled).
    pub fn set_enabled(&self, enabled: bool) {
        self.core.engine().set_enabled(enabled);
    }

    /// Sets whether the limiter is a shadow, from now on. A shadow admits every call, also those
    /// that wait already, and counts what the limit would have done. With `false` the limit is in
    /// force again: new calls wait until the permits beyond it are back.
    ///
    /// # Errors
    ///
    /// If `shadow` is `false` and the limiter was made a [`shadow`](Self::shadow): its calls cannot
    /// be refused. If `shadow` is `true` and the scope is [`Scope::Fleet`](crate::Scope::Fleet).
    pub fn set_shadow(&self, shadow: bool) -> Result<(), Unsupported> {
        self.core.engine().set(SettingKind::Shadow, SettingValue::Switch(shadow))
    }

    /// Undoes all changes made while running by the setters that begin with `set`. The values of
    /// the environment, of a configuration and of the code are in force again.
    /// ([`set_total`](crate::KeyedLimiter::set_total) stays, but a total that
    /// [adapts](crate::KeyedLimiter::adaptive_total) goes on.)
    ///
    /// A limit expression ([`lazy`](Limiter::lazy)) that has not been evaluated, because another
    /// limit was set, is evaluated now. If it panics the limit stays as it is, and the snapshot
    /// says so.
    pub fn reset(&self) {
        self.core.engine().reset();
    }
}

impl<K> Limiter<Rejected, K> {
    /// Sets how many calls may wait, from now on. Calls that wait already go on waiting.
    pub fn set_max_waiting(&self, calls: usize) {
        supported(&self.core.engine().set(SettingKind::MaxWaiting, calls_value(calls)));
    }

    /// Sets how long calls may wait by default. The new time holds for calls that begin to wait
    /// from now on.
    pub fn set_max_wait(&self, max_wait: Duration) {
        let max_wait = SettingValue::Duration(max_wait);
        supported(&self.core.engine().set(SettingKind::MaxWait, max_wait));
    }
}

impl LimiterHandle {
    /// Does the same as [`Limiter::set_claim_within`].
    pub fn set_claim_within(&self, claim_within: Duration) {
        self.engine.set_claim_within(claim_within);
    }

    /// Does the same as [`Limiter::set_enabled`].
    pub fn set_enabled(&self, enabled: bool) {
        self.engine.set_enabled(enabled);
    }

    /// Does the same as [`Limiter::set_shadow`].
    ///
    /// # Errors
    ///
    /// The same as [`Limiter::set_shadow`].
    pub fn set_shadow(&self, shadow: bool) -> Result<(), Unsupported> {
        self.engine.set(SettingKind::Shadow, SettingValue::Switch(shadow))
    }

    /// Does the same as [`Limiter::set_max_waiting`].
    ///
    /// # Errors
    ///
    /// If the limiter cannot refuse calls. A limiter that was made a shadow supports the setting:
    /// it counts the calls that it would have refused.
    pub fn set_max_waiting(&self, calls: usize) -> Result<(), Unsupported> {
        self.engine.set(SettingKind::MaxWaiting, calls_value(calls))
    }

    /// Does the same as [`Limiter::set_max_wait`].
    ///
    /// # Errors
    ///
    /// If the limiter cannot refuse calls.
    pub fn set_max_wait(&self, max_wait: Duration) -> Result<(), Unsupported> {
        self.engine.set(SettingKind::MaxWait, SettingValue::Duration(max_wait))
    }

    /// Checks that the limiter supports the values, as [`apply`](Self::apply) does, and changes nothing.
    ///
    /// # Errors
    ///
    /// If the limiter does not support one of them.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    /// use limit_runtime::settings::{SettingKind, SettingValue, SettingValues};
    ///
    /// // Its calls cannot be told that they are refused.
    /// static DB: Limiter = Limiter::new("supports-example", 2);
    ///
    /// let mut values = SettingValues::default();
    /// values.set(SettingKind::MaxWaiting, SettingValue::Count(10))?;
    /// DB.set_limit(3);
    /// let limiter = limit_runtime::find("supports-example").expect("it has been used");
    /// assert!(limiter.supports(&values).is_err());
    /// # Ok::<(), limit_runtime::settings::WrongType>(())
    /// ```
    pub fn supports(&self, values: &SettingValues) -> Result<(), Unsupported> {
        self.engine.supports_all(values)
    }

    /// Sets several settings at once while running: all of them, or none.
    ///
    /// # Errors
    ///
    /// If the limiter does not support one of them. Nothing is changed then.
    pub fn apply(&self, values: &SettingValues) -> Result<(), Unsupported> {
        self.engine.apply(values)
    }

    /// Returns the settings in force, with the source of each.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.engine.settings()
    }

    /// Returns the values that were set while running.
    #[must_use]
    pub fn live_values(&self) -> SettingValues {
        self.engine.live_values()
    }

    /// Undoes one setting that was set while running, as [`reset`](Self::reset) undoes all of them.
    pub fn unset(&self, kind: SettingKind) {
        self.engine.unset(kind);
    }

    /// Does the same as [`Limiter::reset`].
    pub fn reset(&self) {
        self.engine.reset();
    }
}
