//! The settings that can be changed while a program runs, their values, and the sources of the
//! values.

mod in_force;

use crate::policy::MAX_LIMIT;
pub(crate) use in_force::Overrides;
pub use in_force::{Setting, Settings, Source, Unsupported};
use std::fmt;
use std::time::Duration;

/// The count that stands for no bound.
const NO_BOUND: usize = u32::MAX as usize;

/// The settings that can be changed while a program runs.
///
/// | setting | value | set while running by |
/// |---|---|---|
/// | `limit` | a whole number from 0 to 2147483647 | [`set_limit`](crate::LimiterHandle::set_limit) |
/// | `max_waiting` | a whole number from 0 to 4294967294 | [`set_max_waiting`](crate::LimiterHandle::set_max_waiting) |
/// | `max_wait` | a span of time | [`set_max_wait`](crate::LimiterHandle::set_max_wait) |
/// | `enabled` | `false`: no limit; `true`: as the calls say | [`set_enabled`](crate::LimiterHandle::set_enabled) |
/// | `shadow` | `true`: no call waits or is refused, but is counted | [`set_shadow`](crate::LimiterHandle::set_shadow) |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SettingKind {
    /// The number of permits. With keys, the number for each key.
    Limit,
    /// The number of calls that may wait. With keys, the number for each key.
    MaxWaiting,
    /// The longest time that a call may wait.
    MaxWait,
    /// `true` if the limit holds.
    Enabled,
    /// `true` if the limiter admits every call and counts what the limit would have done.
    Shadow,
}

/// The type of a setting's value, with its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueType {
    /// A whole number from 0.
    Count {
        /// The largest value.
        most: usize,
    },
    /// A span of time.
    Duration,
    /// `true` or `false`.
    Switch,
}

/// A value of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingValue {
    /// A whole number.
    Count(usize),
    /// A span of time.
    Duration(Duration),
    /// `true` or `false`.
    Switch(bool),
}

impl SettingKind {
    /// All kinds, in the order in which they are shown.
    pub const ALL: &'static [Self] =
        &[Self::Limit, Self::MaxWaiting, Self::MaxWait, Self::Enabled, Self::Shadow];

    /// The number of kinds.
    const COUNT: usize = Self::ALL.len();

    /// Returns the name in attributes, files and figures, such as `max_waiting`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::MaxWaiting => "max_waiting",
            Self::MaxWait => "max_wait",
            Self::Enabled => "enabled",
            Self::Shadow => "shadow",
        }
    }

    /// Returns the kind with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Returns one sentence about the setting, for readers of a file or a page.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Limit => "The number of permits; with keys, for each key. 0 pauses.",
            Self::MaxWaiting => "The most calls that may wait; the next one is refused.",
            Self::MaxWait => "The longest time that a call may wait before it is refused.",
            Self::Enabled => "Whether the limit holds.",
            Self::Shadow => {
                "Whether every call is admitted, and what the limit would have done is counted."
            }
        }
    }

    /// Returns the allowed values in words, for messages such as "`-1`, expected …".
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::settings::SettingKind;
    ///
    /// let expected = SettingKind::Limit.expected();
    /// assert_eq!(expected, "a whole number from 0 (which pauses) to 2147483647");
    /// ```
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Limit => "a whole number from 0 (which pauses) to 2147483647",
            Self::MaxWaiting => "a whole number of calls, from 0 (nobody waits) to 4294967294",
            Self::MaxWait => "a span of time with its unit, such as \"50ms\" or \"1m 30s\"",
            Self::Enabled | Self::Shadow => "a boolean",
        }
    }

    /// Returns the type of the setting's values.
    #[must_use]
    pub const fn value_type(self) -> ValueType {
        match self {
            Self::Limit => ValueType::Count { most: MAX_LIMIT as usize },
            Self::MaxWaiting => ValueType::Count { most: NO_BOUND - 1 },
            Self::MaxWait => ValueType::Duration,
            Self::Enabled | Self::Shadow => ValueType::Switch,
        }
    }
}

impl fmt::Display for SettingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl ValueType {
    /// Returns whether a value has this type. Counts above the largest have it too: `set` reduces
    /// them.
    const fn accepts(self, value: SettingValue) -> bool {
        matches!(
            (self, value),
            (Self::Count { .. }, SettingValue::Count(_))
                | (Self::Duration, SettingValue::Duration(_))
                | (Self::Switch, SettingValue::Switch(_))
        )
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { most } => write!(f, "a whole number from 0 to {most}"),
            Self::Duration => f.write_str("a span of time"),
            Self::Switch => f.write_str("`true` or `false`"),
        }
    }
}

impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Duration(duration) => fmt::Debug::fmt(duration, f),
            Self::Switch(on) => on.fmt(f),
        }
    }
}

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
    /// largest, but for [`MaxWaiting`](SettingKind::MaxWaiting): there it stands for no bound, as
    /// with [`LimiterHandle::set_max_waiting`](crate::LimiterHandle::set_max_waiting).
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
            (ValueType::Count { most }, SettingValue::Count(count)) if count > most => {
                let is_unbounded = kind == SettingKind::MaxWaiting;
                SettingValue::Count(if is_unbounded { NO_BOUND } else { most })
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
    /// Returns the values for the limiter with this name. Called when the source is installed, and when a
    /// limiter is first used.
    ///
    /// It may look at limiters by [`find`](crate::find). It must not use the limiter that it is asked about:
    /// that panics at the limiter's first use, which waits for the answer. If two sources wait for each other's
    /// limiters on two threads, both wait for ever. So a source had better use no limiter for the first time.
    fn values(&self, limiter: &str) -> SettingValues;
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_setting() {
        let rows = include_str!("setting.rs").lines();
        let rows = rows.filter_map(|line| line.strip_prefix("/// | `")?.split_once('`'));
        let settings = SettingKind::ALL.iter().map(|kind| kind.name());
        assert!(rows.map(|(name, _)| name).eq(settings));
    }

    #[test]
    fn the_words_for_the_values_of_a_setting_name_the_largest() {
        for kind in SettingKind::ALL {
            if let ValueType::Count { most } = kind.value_type() {
                let expected = kind.expected();
                assert!(expected.ends_with(&format!(" to {most}")), "{kind}: {expected}");
            }
        }
    }
}
