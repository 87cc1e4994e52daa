//! What a limiter is set to, and by whom.

use super::{Limiter, LimiterHandle};
use crate::admission::Admission;
use crate::rejected::Rejected;
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
    /// A change while the program runs: [`Limiter::set_limit`] and its like.
    Live,
}

impl Source {
    /// All of them, the weakest first.
    pub const ALL: [Self; 4] = [Self::Attribute, Self::File, Self::Environment, Self::Live];

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
    pub(super) fn new(made: T, set: Option<(T, Source)>) -> Self {
        let (value, source) = set.unwrap_or((made, Source::Attribute));
        Self { value, source }
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
/// assert_eq!(db.limit(), 10);
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

/// Values of settings, for one source. Those that are not there are left to the weaker sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Values {
    pub(crate) limit: Option<u32>,
    pub(crate) max_waiting: Option<u32>,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) enabled: Option<bool>,
    pub(crate) shadow: Option<bool>,
}

#[cfg(any(feature = "config", feature = "console"))]
impl Values {
    /// What is there overrides what the others have.
    pub(crate) fn override_in(&self, others: &mut Self) {
        let Self { limit, max_waiting, max_wait, enabled, shadow } = *self;
        others.limit = limit.or(others.limit);
        others.max_waiting = max_waiting.or(others.max_waiting);
        others.max_wait = max_wait.or(others.max_wait);
        others.enabled = enabled.or(others.enabled);
        others.shadow = shadow.or(others.shadow);
    }
}

/// The values that override those of the code.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Overrides {
    pub(super) file: Values,
    pub(super) environment: Values,
    pub(super) live: Values,
}

impl Overrides {
    pub(super) fn of_mut(&mut self, source: Source) -> Option<&mut Values> {
        match source {
            Source::Attribute => None,
            Source::File => Some(&mut self.file),
            Source::Environment => Some(&mut self.environment),
            Source::Live => Some(&mut self.live),
        }
    }

    /// What overrides a setting of the code, if anything does.
    pub(super) fn get<T>(&self, setting: impl Fn(&Values) -> Option<T>) -> Option<(T, Source)> {
        let sources = [
            (&self.live, Source::Live),
            (&self.environment, Source::Environment),
            (&self.file, Source::File),
        ];
        sources.into_iter().find_map(|(values, source)| Some((setting(values)?, source)))
    }
}

/// A setting does not fit a limiter: its calls cannot be told that they are refused.
#[derive(Clone, PartialEq, Eq)]
pub struct Unsupported {
    pub(super) limiter: Arc<str>,
    pub(super) setting: &'static str,
    pub(super) reason: &'static str,
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

impl<E: Admission, K> Limiter<E, K> {
    /// Whether the limit holds, from now on. If not, whoever waits is let in, and calls are let in at
    /// once, counted and not in use, also when the limiter is closed.
    ///
    /// With `true` it is left to the calls: see [`Acquire::enabled`](crate::Acquire::enabled).
    pub fn set_enabled(&self, enabled: bool) {
        self.core.entry().set(|values| values.enabled = Some(enabled));
    }

    /// Whether the limiter is a shadow, from now on: lets everybody in, those too that wait, and counts
    /// what it would have done. Back in force, it waits until no more permits are out than the limit.
    ///
    /// # Errors
    ///
    /// A limiter that was made a [`shadow`](Self::shadow) stays one: its calls cannot be refused.
    pub fn set_shadow(&self, shadow: bool) -> Result<(), Unsupported> {
        self.core.entry().try_set(|values| values.shadow = Some(shadow))
    }

    /// Takes all changes back that were made while running, by the setters that begin with `set`: the
    /// environment's, a configuration's and the code's values are in force again. (But
    /// [`set_total`](crate::KeyedLimiter::set_total) stays.)
    ///
    /// A limit that is [found out](Limiter::lazy) and has not been, because another was set, is found out
    /// now. If that panics, the limit stays as it is, and the snapshot says so.
    pub fn reset(&self) {
        self.core.entry().set(|values| *values = Values::default());
    }
}

impl<K> Limiter<Rejected, K> {
    /// At most so many calls wait, from now on. Who waits already goes on waiting.
    pub fn set_max_waiting(&self, calls: usize) {
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        self.core.entry().set(|values| values.max_waiting = Some(calls));
    }

    /// How long calls wait that begin to do so from now on, and that do not say it themselves.
    pub fn set_max_wait(&self, max_wait: Duration) {
        self.core.entry().set(|values| values.max_wait = Some(max_wait));
    }
}

impl LimiterHandle {
    /// As [`Limiter::set_enabled`].
    pub fn set_enabled(&self, enabled: bool) {
        self.entry.set(|values| values.enabled = Some(enabled));
    }

    /// As [`Limiter::set_shadow`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn set_shadow(&self, shadow: bool) -> Result<(), Unsupported> {
        self.entry.try_set(|values| values.shadow = Some(shadow))
    }

    /// As [`Limiter::set_max_waiting`].
    ///
    /// # Errors
    ///
    /// If the limiter's calls cannot be refused, and it was not made a shadow that counts whom it would
    /// have refused.
    pub fn set_max_waiting(&self, calls: usize) -> Result<(), Unsupported> {
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        self.entry.try_set(|values| values.max_waiting = Some(calls))
    }

    /// As [`Limiter::set_max_wait`].
    ///
    /// # Errors
    ///
    /// If the limiter's calls cannot be refused.
    pub fn set_max_wait(&self, max_wait: Duration) -> Result<(), Unsupported> {
        self.entry.try_set(|values| values.max_wait = Some(max_wait))
    }

    /// As [`Limiter::reset`].
    pub fn reset(&self) {
        self.entry.set(|values| *values = Values::default());
    }
}
