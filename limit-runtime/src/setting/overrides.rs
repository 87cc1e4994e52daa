//! The values that override the code's.

use super::SettingValues;
use super::value::Source;
use std::fmt;
use std::sync::Arc;

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

/// The name that [`Unsupported`] has for closing a limiter, which is no setting.
pub(crate) const CLOSED: &str = "closed";

/// The name that [`Unsupported`] has for the limits of single keys, as a file has it.
pub(crate) const KEY: &str = "key";

/// The error of a setter: the limiter does not support the setting, for instance because its calls
/// cannot be told that they are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
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

    /// Returns the setting, such as `max_waiting`, `max_wait` or `shadow`. It is `closed` if
    /// [`close`](crate::LimiterHandle::close) was called, and `key` if
    /// [`set_key_limit`](crate::LimiterHandle::set_key_limit) was.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        self.setting
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limiter, setting, reason } = self;
        if *setting == CLOSED {
            return write!(f, "concurrency limit `{limiter}` cannot be closed: {reason}");
        }
        if *setting == KEY {
            let start = "the limit of a key cannot be set for concurrency limit";
            return write!(f, "{start} `{limiter}`: {reason}");
        }
        write!(f, "`{setting}` cannot be set for concurrency limit `{limiter}`: {reason}")
    }
}

impl std::error::Error for Unsupported {}
