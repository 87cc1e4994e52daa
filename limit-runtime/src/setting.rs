//! The settings that can be changed while a program runs, their values, and the sources of the
//! values.

mod kind;
mod overrides;
mod value;

pub use kind::{LimitRange, SettingKind, Settings};
pub use overrides::Unsupported;
pub(crate) use overrides::{CLOSED, KEY, Overrides};
use std::fmt;
use std::time::Duration;
use value::NO_BOUND;
pub use value::{Setting, SettingValue, Source, ValueType};

/// Values of settings from one source. Weaker sources give the values of the other settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SettingValues {
    values: [Option<SettingValue>; SettingKind::COUNT],
}

/// The error of [`SettingValues::set`]: the value does not have the setting's type, and is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongType {
    kind: SettingKind,
    value: SettingValue,
}

impl fmt::Display for WrongType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, value } = self;
        write!(f, "`{kind}` cannot be `{value}`: it is {}", kind.value_type())
    }
}

impl WrongType {
    /// The setting.
    #[must_use]
    pub fn setting(&self) -> SettingKind {
        self.kind
    }

    /// The value that does not fit.
    #[must_use]
    pub fn value(&self) -> SettingValue {
        self.value
    }
}

impl std::error::Error for WrongType {}

impl SettingValues {
    /// Sets a value, in place of the one that is there. Reduces a count above the largest to the
    /// largest, but for a setting that [can have no bound](SettingKind::can_be_unbounded): there it
    /// stands for no bound, as with
    /// [`LimiterHandle::set_max_waiting`](crate::LimiterHandle::set_max_waiting).
    ///
    /// # Errors
    ///
    /// [`WrongType`] if the value does not have the setting's [type](SettingKind::value_type).
    pub fn set(&mut self, kind: SettingKind, value: SettingValue) -> Result<(), WrongType> {
        let value_type = kind.value_type();
        if !value_type.accepts(value) {
            return Err(WrongType { kind, value });
        }
        let value = match (value_type, value) {
            (
                ValueType::Count { most } | ValueType::CountOrRange { most },
                SettingValue::Count(count),
            ) if count > most => {
                SettingValue::Count(if kind.can_be_unbounded() { NO_BOUND } else { most })
            }
            (_, value) => value,
        };
        self.put(kind, value);
        Ok(())
    }

    /// Removes a value.
    pub fn unset(&mut self, kind: SettingKind) {
        self.values[kind as usize] = None;
    }

    /// Returns the value of a setting, if it is set.
    #[must_use]
    pub fn get(&self, kind: SettingKind) -> Option<SettingValue> {
        self.values[kind as usize]
    }

    /// Returns the settings that have a value, with the value.
    pub fn iter(&self) -> impl Iterator<Item = (SettingKind, SettingValue)> + '_ {
        SettingKind::ALL.iter().filter_map(|&kind| Some((kind, self.get(kind)?)))
    }

    /// Returns whether no setting has a value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Sets all values of `others`, in place of the values that are there.
    pub fn override_with(&mut self, others: &Self) {
        for (kind, value) in others.iter() {
            self.put(kind, value);
        }
    }

    /// Sets a value that has the setting's type.
    pub(crate) fn put(&mut self, kind: SettingKind, value: SettingValue) {
        self.values[kind as usize] = Some(value);
    }

    pub(crate) fn count(&self, kind: SettingKind) -> Option<u32> {
        match self.get(kind) {
            Some(SettingValue::Count(count)) => Some(u32::try_from(count).unwrap_or(u32::MAX)),
            _ => None,
        }
    }

    pub(crate) fn duration(&self, kind: SettingKind) -> Option<Duration> {
        match self.get(kind) {
            Some(SettingValue::Duration(duration)) => Some(duration),
            _ => None,
        }
    }

    pub(crate) fn switch(&self, kind: SettingKind) -> Option<bool> {
        match self.get(kind) {
            Some(SettingValue::Switch(on)) => Some(on),
            _ => None,
        }
    }
}

/// A source of values for the settings of limiters. See [`install`](crate::settings::install).
pub trait SettingsSource: Send + Sync + 'static {
    /// Returns the values for the limiter with this name. A limiter calls the method when the source is
    /// installed, and when the limiter is first used.
    ///
    /// It may look at limiters by [`find`](crate::find). It must not use the limiter that it is asked about:
    /// that panics at the limiter's first use, which waits for the answer. If two sources wait for each other's
    /// limiters on two threads, both wait for ever. So a source had better use no limiter for the first time.
    fn values(&self, limiter: &str) -> SettingValues;

    /// Returns where the value of a setting stands, such as `limits.toml:3:1`. An error about the value
    /// begins with it. The default is `None`.
    ///
    /// It must not use limiters.
    fn origin(&self, limiter: &str, setting: SettingKind) -> Option<String> {
        let _ = (limiter, setting);
        None
    }

    /// Returns the limits that single keys of the limiter have in place of the limit of each, by the text of the key: see
    /// [`KeyedLimiter::set_key_limit`](crate::KeyedLimiter::set_key_limit). A limiter calls the method when it calls
    /// [`values`](Self::values). The default is that there are none.
    ///
    /// It must not use limiters.
    fn key_limits(&self, limiter: &str) -> Vec<(String, usize)> {
        let _ = limiter;
        Vec::new()
    }

    /// Returns where the limit of a key stands, as [`origin`](Self::origin) does for a setting. The default is `None`.
    ///
    /// It must not use limiters.
    fn key_origin(&self, limiter: &str, key: &str) -> Option<String> {
        let _ = (limiter, key);
        None
    }

    /// Returns the error of the newest version of the source, such as an edit of a file that cannot be applied, if
    /// these values are those of the version before. It begins with the place, such as `limits.toml:3:1`. A page
    /// shows it. The default is `None`.
    ///
    /// It is called again and again, so it takes little time.
    fn problem(&self) -> Option<String> {
        None
    }
}
