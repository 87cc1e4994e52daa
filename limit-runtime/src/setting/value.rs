//! A value of a setting, its type and its source.

use crate::variants::all_variants;
use std::fmt;
use std::time::Duration;

/// The count that stands for no bound.
pub(super) const NO_BOUND: usize = u32::MAX as usize;

/// The type of a setting's value, with its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueType {
    /// A whole number from 0.
    Count {
        /// The largest value.
        most: usize,
    },
    /// A whole number from 0, or a range from 1.
    CountOrRange {
        /// The largest value.
        most: usize,
    },
    /// A span of time.
    Duration,
    /// A span of time above zero. [`Duration::MAX`](std::time::Duration::MAX) stands for `never`.
    DurationOrNever,
    /// `true` or `false`.
    Switch,
}

/// A value of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingValue {
    /// A whole number.
    Count(usize),
    /// A range of whole numbers, with both ends: the limit [adapts](crate::Limiter::adaptive) within it.
    Range {
        /// The lower end.
        low: usize,
        /// The upper end.
        high: usize,
    },
    /// A span of time.
    Duration(Duration),
    /// `true` or `false`.
    Switch(bool),
}

impl ValueType {
    /// Returns whether a value has this type. Counts above the largest have it too: `set` reduces
    /// them.
    pub(super) const fn accepts(self, value: SettingValue) -> bool {
        match (self, value) {
            (Self::Count { .. } | Self::CountOrRange { .. }, SettingValue::Count(_))
            | (Self::Duration, SettingValue::Duration(_))
            | (Self::Switch, SettingValue::Switch(_)) => true,
            (Self::CountOrRange { most }, SettingValue::Range { low, high }) => {
                low > 0 && low <= high && high <= most
            }
            (Self::DurationOrNever, SettingValue::Duration(time)) => !time.is_zero(),
            _ => false,
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { most } => write!(f, "a whole number from 0 to {most}"),
            Self::CountOrRange { most } => {
                write!(
                    f,
                    "a whole number from 0 to {most}, or a range of them from 1, such as `4..=200`"
                )
            }
            Self::Duration => f.write_str("a span of time"),
            Self::DurationOrNever => f.write_str("a span of time above zero, or `never`"),
            Self::Switch => f.write_str("`true` or `false`"),
        }
    }
}

impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Range { low, high } => write!(f, "{low}..={high}"),
            Self::Duration(duration) => fmt::Debug::fmt(duration, f),
            Self::Switch(on) => on.fmt(f),
        }
    }
}

/// The sources of a setting's value. Each overrides the sources before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Source {
    /// The code: the attribute's options, or the setters that made the limiter.
    Attribute,
    /// A configuration, such as the file of the crate `limit-config`.
    File,
    /// An environment variable.
    Environment,
    /// A change while the program runs, by [`Limiter::set_limit`](crate::Limiter::set_limit) and
    /// its like.
    Live,
}

impl Source {
    /// All sources, the weakest first.
    pub const ALL: &'static [Self] = &all_variants!(Source: Attribute, File, Environment, Live);

    /// The number of sources.
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// Returns the name in figures and logs: `attribute`, `file`, `environment` or `live`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attribute => "attribute",
            Self::File => "file",
            Self::Environment => "environment",
            Self::Live => "live",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A setting's value, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Setting<T> {
    /// The value in force.
    pub value: T,
    /// The source of the value.
    pub source: Source,
}

impl<T> Setting<T> {
    pub(crate) fn new(made: T, set: Option<(T, Source)>) -> Self {
        let (value, source) = set.unwrap_or((made, Source::Attribute));
        Self { value, source }
    }

    pub(super) fn map<U>(self, map: impl FnOnce(T) -> U) -> Setting<U> {
        Setting { value: map(self.value), source: self.source }
    }
}
