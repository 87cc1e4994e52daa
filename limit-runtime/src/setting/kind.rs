//! The list of the settings, and the field of each among the settings in force.

use super::value::{NO_BOUND, Setting, SettingValue, ValueType};
use crate::policy::MAX_LIMIT;
use crate::variants::all_variants;
use std::fmt;
use std::time::Duration;

/// The settings that can be changed while a program runs.
///
/// | setting | value | set while running by |
/// |---|---|---|
/// | `limit` | a whole number from 0 to 2147483647, or a range of them from 1, within which the limit adapts | [`set_limit`](crate::LimiterHandle::set_limit) |
/// | `max_waiting` | a whole number from 0 to 4294967294 | [`set_max_waiting`](crate::LimiterHandle::set_max_waiting) |
/// | `max_waiting_total` | a whole number from 0 to 4294967294 | [`set_max_waiting_total`](crate::LimiterHandle::set_max_waiting_total) |
/// | `max_wait` | a span of time | [`set_max_wait`](crate::LimiterHandle::set_max_wait) |
/// | `claim_within` | a span of time above zero, or `never` | [`set_claim_within`](crate::LimiterHandle::set_claim_within) |
/// | `enabled` | `false`: no limit; `true`: as the calls say | [`set_enabled`](crate::LimiterHandle::set_enabled) |
/// | `shadow` | `true`: no call waits or is refused, but is counted | [`set_shadow`](crate::LimiterHandle::set_shadow) |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SettingKind {
    /// The number of permits. With keys, the number for each key.
    Limit,
    /// The number of calls that may wait. With keys, the number for each key.
    MaxWaiting,
    /// The number of calls of all keys together that may wait.
    MaxWaitingTotal,
    /// The longest time that a call may wait.
    MaxWait,
    /// The time after which a grant that its waiter has not claimed goes to the next waiter.
    ClaimWithin,
    /// `true` if the limit holds.
    Enabled,
    /// `true` if the limiter admits every call and counts what the limit would have done.
    Shadow,
}

impl SettingKind {
    /// All kinds, in the order in which they are shown.
    pub const ALL: &'static [Self] = &all_variants!(
        SettingKind: Limit, MaxWaiting, MaxWaitingTotal, MaxWait, ClaimWithin, Enabled, Shadow
    );

    /// The number of kinds.
    pub(super) const COUNT: usize = Self::ALL.len();

    /// Returns the name in attributes, files and figures, such as `max_waiting`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::MaxWaiting => "max_waiting",
            Self::MaxWaitingTotal => "max_waiting_total",
            Self::MaxWait => "max_wait",
            Self::ClaimWithin => "claim_within",
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
            Self::Limit => {
                "The number of permits; with keys, for each key. 0 pauses. A range lets it adapt."
            }
            Self::MaxWaiting => "The most calls that may wait; the next one is refused.",
            Self::MaxWaitingTotal => {
                "The most calls of all keys together that may wait; the next one is refused."
            }
            Self::MaxWait => "The longest time that a call may wait before it is refused.",
            Self::ClaimWithin => {
                "The time after which a grant that its waiter has not claimed goes to the next waiter."
            }
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
    /// assert!(expected.starts_with("a whole number from 0 (which pauses) to 2147483647"));
    /// ```
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Limit => {
                "a whole number from 0 (which pauses) to 2147483647, or a range such as \"4..=200\""
            }
            Self::MaxWaiting | Self::MaxWaitingTotal => {
                "a whole number of calls, from 0 (nobody waits) to 4294967294"
            }
            Self::MaxWait => "a span of time with its unit, such as \"50ms\" or \"1m 30s\"",
            Self::ClaimWithin => {
                "a span of time above zero with its unit, such as \"50ms\" or \"1m 30s\", or \"never\""
            }
            Self::Enabled | Self::Shadow => "a boolean",
        }
    }

    /// Returns the type of the setting's values.
    #[must_use]
    pub const fn value_type(self) -> ValueType {
        match self {
            Self::Limit => ValueType::CountOrRange { most: MAX_LIMIT as usize },
            Self::MaxWaiting | Self::MaxWaitingTotal => ValueType::Count { most: NO_BOUND - 1 },
            Self::MaxWait => ValueType::Duration,
            Self::ClaimWithin => ValueType::DurationOrNever,
            Self::Enabled | Self::Shadow => ValueType::Switch,
        }
    }

    /// Returns whether the setting can have no bound: its value is `None` in [`Settings`] then. A
    /// count above the largest stands for no bound, and so does [`Duration::MAX`] where
    /// [`ValueType::DurationOrNever`] is the type.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::settings::SettingKind;
    ///
    /// assert!(SettingKind::MaxWaiting.can_be_unbounded());
    /// assert!(!SettingKind::Limit.can_be_unbounded());
    /// ```
    #[must_use]
    pub const fn can_be_unbounded(self) -> bool {
        match self {
            Self::MaxWaiting | Self::MaxWaitingTotal | Self::MaxWait | Self::ClaimWithin => true,
            Self::Limit | Self::Enabled | Self::Shadow => false,
        }
    }
}

impl fmt::Display for SettingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The range within which a limit adapts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LimitRange {
    /// The lower end.
    pub low: usize,
    /// The upper end.
    pub high: usize,
}

impl LimitRange {
    pub(crate) fn new(low: u32, high: u32) -> Self {
        Self { low: low as usize, high: high as usize }
    }
}

impl fmt::Display for LimitRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}", self.low, self.high)
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
    /// The range within which the limit [adapts](crate::Limiter::adaptive). `None` if it does not, or was set to a
    /// number.
    #[cfg_attr(feature = "serde", serde(default))]
    pub range: Option<LimitRange>,
    /// The number of calls that may wait. `None` is no bound.
    pub max_waiting: Setting<Option<usize>>,
    /// The number of calls of all keys together that may wait. `None` is no bound.
    pub max_waiting_total: Setting<Option<usize>>,
    /// The default `max_wait` of calls. `None` is no bound.
    pub max_wait: Setting<Option<Duration>>,
    /// The time after which a grant that its waiter has not claimed goes to the next waiter. `None` is
    /// never.
    pub claim_within: Setting<Option<Duration>>,
    /// `true` if the limit holds. It is also `false` if
    /// [`set_enabled(true)`](crate::Limiter::set_enabled) leaves the choice to the calls and the
    /// code disables them.
    pub enabled: Setting<bool>,
    /// `true` if the limiter admits every call and only counts what the limit would have done.
    pub shadow: Setting<bool>,
}

impl Settings {
    /// Returns the value of a setting, with its source. The value is `None` if the setting has no
    /// bound. The value of a limit that adapts is its range.
    #[must_use]
    pub fn get(&self, kind: SettingKind) -> Setting<Option<SettingValue>> {
        match kind {
            SettingKind::Limit => self.limit.map(|limit| {
                Some(match self.range {
                    Some(LimitRange { low, high }) => SettingValue::Range { low, high },
                    None => SettingValue::Count(limit),
                })
            }),
            SettingKind::MaxWaiting => self.max_waiting.map(|most| most.map(SettingValue::Count)),
            SettingKind::MaxWaitingTotal => {
                self.max_waiting_total.map(|most| most.map(SettingValue::Count))
            }
            SettingKind::MaxWait => self.max_wait.map(|wait| wait.map(SettingValue::Duration)),
            SettingKind::ClaimWithin => {
                self.claim_within.map(|time| time.map(SettingValue::Duration))
            }
            SettingKind::Enabled => self.enabled.map(|on| Some(SettingValue::Switch(on))),
            SettingKind::Shadow => self.shadow.map(|on| Some(SettingValue::Switch(on))),
        }
    }

    /// Returns all settings, in the order of [`SettingKind::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (SettingKind, Setting<Option<SettingValue>>)> + '_ {
        SettingKind::ALL.iter().map(|&kind| (kind, self.get(kind)))
    }
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_setting() {
        let rows = include_str!("kind.rs").lines();
        let rows = rows.filter_map(|line| line.strip_prefix("/// | `")?.split_once('`'));
        let settings = SettingKind::ALL.iter().map(|kind| kind.name());
        assert!(rows.map(|(name, _)| name).eq(settings));
    }

    #[test]
    fn the_words_for_the_values_of_a_setting_name_the_largest() {
        for kind in SettingKind::ALL {
            if let ValueType::Count { most } | ValueType::CountOrRange { most } = kind.value_type()
            {
                let expected = kind.expected();
                assert!(expected.contains(&format!(" to {most}")), "{kind}: {expected}");
            }
        }
    }
}
