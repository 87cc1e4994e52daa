//! The settings of a limiter as they are in force, and the source of each.

use super::{SettingKind, SettingValue, SettingValues};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Where a setting's value comes from. Each overrides those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Source {
    /// The code: the attribute's options, or how a limiter was made.
    Attribute,
    /// A configuration (feature `config`).
    File,
    /// An environment variable.
    Environment,
    /// A change while the program runs: [`Limiter::set_limit`](crate::Limiter::set_limit) and its like.
    Live,
}

impl Source {
    /// All of them, the weakest first.
    pub const ALL: &'static [Self] = &[Self::Attribute, Self::File, Self::Environment, Self::Live];

    /// The number of sources.
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// As in figures and logs: `attribute`, `file`, `environment` or `live`.
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
    /// Who set it.
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

/// What can be set while a program runs, as it is in force. Part of a [`Snapshot`](crate::Snapshot).
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
    /// How many permits there are; with keys, for each.
    pub limit: Setting<usize>,
    /// At most so many calls wait.
    pub max_waiting: Setting<Option<usize>>,
    /// A call waits no longer than this, if it does not say itself how long.
    pub max_wait: Setting<Option<Duration>>,
    /// Whether the limit holds. `false` also where [`set_enabled`](crate::Limiter::set_enabled) leaves it to
    /// a limiter that was made so.
    pub enabled: Setting<bool>,
    /// Whether it lets everybody in and only counts what it would have done.
    pub shadow: Setting<bool>,
}

impl Settings {
    /// The value of a setting, and where it comes from. The value is `None` where calls may wait without
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

    /// All settings, in the order of [`SettingKind::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (SettingKind, Setting<Option<SettingValue>>)> + '_ {
        SettingKind::ALL.iter().map(|&kind| (kind, self.get(kind)))
    }
}

/// The values that override those of the code.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Overrides {
    /// By source. Those of [`Source::Attribute`] are always empty: the code's values are elsewhere.
    by_source: [SettingValues; Source::COUNT],
}

impl Overrides {
    /// The values that a source has set.
    pub(crate) fn values(&self, source: Source) -> &SettingValues {
        &self.by_source[source as usize]
    }

    /// The values that a source sets. The code's are not among them.
    pub(crate) fn values_mut(&mut self, source: Source) -> &mut SettingValues {
        debug_assert_ne!(source, Source::Attribute, "the code's values are elsewhere");
        &mut self.by_source[source as usize]
    }

    /// Finds a value in the strongest source that has it.
    pub(crate) fn find<T>(
        &self,
        value: impl Fn(&SettingValues) -> Option<T>,
    ) -> Option<(T, Source)> {
        let strongest_first = Source::ALL.iter().rev();
        strongest_first.copied().find_map(|source| Some((value(self.values(source))?, source)))
    }
}

/// A setting does not fit a limiter: its calls cannot be told that they are refused.
#[derive(Clone, PartialEq, Eq)]
pub struct Unsupported {
    pub(crate) limiter: Arc<str>,
    pub(crate) setting: &'static str,
    pub(crate) reason: &'static str,
}

impl Unsupported {
    /// The limiter's name.
    #[must_use]
    pub fn limiter(&self) -> &str {
        &self.limiter
    }

    /// The setting: `max_waiting`, `max_wait` or `shadow`.
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
