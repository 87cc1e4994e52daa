//! Setters that change a limiter while it is in use.

use super::{Limiter, LimiterHandle};
use crate::admission::Admission;
use crate::rejected::Rejected;
use crate::setting::{SettingKind, SettingValue, SettingValues, Settings, Unsupported};
use std::time::Duration;

/// Converts a number of calls to a setting's value. Numbers of `u32::MAX` and more stand for no
/// bound.
fn calls_value(calls: usize) -> SettingValue {
    SettingValue::Count(calls.min(u32::MAX as usize))
}

/// Checks, in debug builds, that the limiter supports the setting, as its type says.
fn supported(result: &Result<(), Unsupported>) {
    debug_assert_eq!(*result, Ok(()));
}

impl<E: Admission, K> Limiter<E, K> {
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
    /// be refused.
    pub fn set_shadow(&self, shadow: bool) -> Result<(), Unsupported> {
        self.core.engine().set(SettingKind::Shadow, SettingValue::Switch(shadow))
    }

    /// Undoes all changes made while running by the setters that begin with `set`. The values of
    /// the environment, of a configuration and of the code are in force again.
    /// ([`set_total`](crate::KeyedLimiter::set_total) stays.)
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
