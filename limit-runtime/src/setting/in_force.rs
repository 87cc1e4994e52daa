//! The settings in force of a limiter, and the source of each.

use super::{SettingKind, SettingValue, SettingValues};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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
    pub const ALL: &'static [Self] = &[Self::Attribute, Self::File, Self::Environment, Self::Live];

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

    fn map<U>(self, map: impl FnOnce(T) -> U) -> Setting<U> {
        Setting { value: map(self.value), source: self.source }
    }
}

/// The settings in force of a limiter, and the source of each. A part of a
/// [`Snapshot`](crate::Snapshot).
///
/// # Examples
///
/// ```
/// use limit_runtime::{Limiter, Source};
///
/// let db = Limiter::new("settings-example", 10);
/// assert_eq!(db.snapshot().settings.limit.source, Source::Attribute);
/// db.set_limit(4);
/// let limit = db.snapshot().settings.limit;
/// assert_eq!((limit.value, limit.source), (4, Source::Live));
/// db.reset();
/// assert_eq!(db.limit(), Some(10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Settings {
    /// The number of permits. With keys, the number for each key.
    pub limit: Setting<usize>,
    /// The number of calls that may wait. `None` is no bound.
    pub max_waiting: Setting<Option<usize>>,
    /// The default `max_wait` of calls. `None` is no bound.
    pub max_wait: Setting<Option<Duration>>,
    /// `true` if the limit holds. It is also `false` if
    /// [`set_enabled(true)`](crate::Limiter::set_enabled) leaves the choice to the calls and the
    /// code disables them.
    pub enabled: Setting<bool>,
    /// `true` if the limiter admits every call and only counts what the limit would have done.
    pub shadow: Setting<bool>,
}

impl Settings {
    /// Returns the value of a setting, with its source. The value is `None` if the setting has no
    /// bound.
    #[must_use]
    pub fn get(&self, kind: SettingKind) -> Setting<Option<SettingValue>> {
        match kind {
            SettingKind::Limit => self.limit.map(|limit| Some(SettingValue::Count(limit))),
            SettingKind::MaxWaiting => self.max_waiting.map(|most| most.map(SettingValue::Count)),
            SettingKind::MaxWait => self.max_wait.map(|wait| wait.map(SettingValue::Duration)),
            SettingKind::Enabled => self.enabled.map(|on| Some(SettingValue::Switch(on))),
            SettingKind::Shadow => self.shadow.map(|on| Some(SettingValue::Switch(on))),
        }
    }

    /// Returns all settings, in the order of [`SettingKind::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (SettingKind, Setting<Option<SettingValue>>)> + '_ {
        SettingKind::ALL.iter().map(|&kind| (kind, self.get(kind)))
    }
}

/// The values that override the code's.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Overrides {
    /// The values by source. Those of [`Source::Attribute`] are always empty: the code's values are
    /// elsewhere.
    by_source: [SettingValues; Source::COUNT],
}

impl Overrides {
    /// Returns the values that a source has set.
    pub(crate) fn values(&self, source: Source) -> &SettingValues {
        &self.by_source[source as usize]
    }

    /// Returns the values that a source has set, to be changed. The source is not the code.
    pub(crate) fn values_mut(&mut self, source: Source) -> &mut SettingValues {
        debug_assert_ne!(source, Source::Attribute, "the code's values are elsewhere");
        &mut self.by_source[source as usize]
    }

    /// Returns a value from the strongest source that has it.
    pub(crate) fn find<T>(
        &self,
        value: impl Fn(&SettingValues) -> Option<T>,
    ) -> Option<(T, Source)> {
        let strongest_first = Source::ALL.iter().rev();
        strongest_first.copied().find_map(|source| Some((value(self.values(source))?, source)))
    }
}

/// The error of a setter: the limiter does not support the setting, for instance because its calls
/// cannot be told that they are refused.
#[derive(Clone, PartialEq, Eq)]
pub struct Unsupported {
    pub(crate) limiter: Arc<str>,
    pub(crate) setting: &'static str,
    pub(crate) reason: &'static str,
}

impl Unsupported {
    /// Returns the limiter's name.
    #[must_use]
    pub fn limiter(&self) -> &str {
        &self.limiter
    }

    /// Returns the setting, such as `max_waiting`, `max_wait` or `shadow`.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        self.setting
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limiter, setting, reason } = self;
        write!(f, "`{setting}` cannot be set for concurrency limit `{limiter}`: {reason}")
    }
}

impl fmt::Debug for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsupported")
            .field("limiter", &self.limiter)
            .field("setting", &self.setting)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Unsupported {}
