//! Setters that change a limiter while it is in use.

use super::{Limiter, LimiterHandle};
use crate::admission::Admission;
use crate::rejected::Rejected;
use crate::setting::{SettingKind, SettingValue, SettingValues, Settings, Unsupported};
use std::time::Duration;

/// A number of calls. `usize::MAX` and its like stand for no bound.
fn calls_value(calls: usize) -> SettingValue {
    SettingValue::Count(calls.min(u32::MAX as usize))
}

/// The type of the limiter says that it supports the setting.
fn supported(result: &Result<(), Unsupported>) {
    debug_assert_eq!(*result, Ok(()));
}

impl<E: Admission, K> Limiter<E, K> {
    /// Whether the limit holds, from now on. If not, whoever waits is let in, and calls are let in at
    /// once, counted and not in use, also when the limiter is closed.
    ///
    /// With `true` it is left to the calls: see [`Acquire::enabled`](crate::Acquire::enabled).
    pub fn set_enabled(&self, enabled: bool) {
        self.core.engine().set_enabled(enabled);
    }

    /// Whether the limiter is a shadow, from now on: lets everybody in, those too that wait, and counts
    /// what it would have done. Back in force, it waits until no more permits are out than the limit.
    ///
    /// # Errors
    ///
    /// A limiter that was made a [`shadow`](Self::shadow) stays one: its calls cannot be refused.
    pub fn set_shadow(&self, shadow: bool) -> Result<(), Unsupported> {
        self.core.engine().set(SettingKind::Shadow, SettingValue::Switch(shadow))
    }

    /// Takes all changes back that were made while running, by the setters that begin with `set`: the
    /// environment's, a configuration's and the code's values are in force again. (But
    /// [`set_total`](crate::KeyedLimiter::set_total) stays.)
    ///
    /// A limit that is [found out](Limiter::lazy) and has not been, because another was set, is found out
    /// now. If that panics, the limit stays as it is, and the snapshot says so.
    pub fn reset(&self) {
        self.core.engine().reset();
    }
}

impl<K> Limiter<Rejected, K> {
    /// At most so many calls wait, from now on. Who waits already goes on waiting.
    pub fn set_max_waiting(&self, calls: usize) {
        supported(&self.core.engine().set(SettingKind::MaxWaiting, calls_value(calls)));
    }

    /// How long calls wait that begin to do so from now on, and that do not say it themselves.
    pub fn set_max_wait(&self, max_wait: Duration) {
        let max_wait = SettingValue::Duration(max_wait);
        supported(&self.core.engine().set(SettingKind::MaxWait, max_wait));
    }
}

impl LimiterHandle {
    /// As [`Limiter::set_enabled`].
    pub fn set_enabled(&self, enabled: bool) {
        self.engine.set_enabled(enabled);
    }

    /// As [`Limiter::set_shadow`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn set_shadow(&self, shadow: bool) -> Result<(), Unsupported> {
        self.engine.set(SettingKind::Shadow, SettingValue::Switch(shadow))
    }

    /// As [`Limiter::set_max_waiting`].
    ///
    /// # Errors
    ///
    /// If the limiter's calls cannot be refused, and it was not made a shadow that counts whom it would
    /// have refused.
    pub fn set_max_waiting(&self, calls: usize) -> Result<(), Unsupported> {
        self.engine.set(SettingKind::MaxWaiting, calls_value(calls))
    }

    /// As [`Limiter::set_max_wait`].
    ///
    /// # Errors
    ///
    /// If the limiter's calls cannot be refused.
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

    /// Sets several settings at once, while running: all of them, or none.
    ///
    /// # Errors
    ///
    /// If the limiter does not support one of them. Nothing is changed then.
    pub fn apply(&self, values: &SettingValues) -> Result<(), Unsupported> {
        self.engine.apply(values)
    }

    /// The settings in force, and the source of each.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.engine.settings()
    }

    /// The values that were set while running.
    #[must_use]
    pub fn live_values(&self) -> SettingValues {
        self.engine.live_values()
    }

    /// Takes back one setting that was set while running, as [`reset`](Self::reset) does all of them.
    pub fn unset(&self, kind: SettingKind) {
        self.engine.unset(kind);
    }

    /// As [`Limiter::reset`].
    pub fn reset(&self) {
        self.engine.reset();
    }
}
