//! The logs of changes, of one limiter and of all: setting, old and new value, time and author.

use limit_runtime::inspect::LimiterReading;
use limit_runtime::settings::{SettingKind, SettingValue, Settings, ValueType};
use limit_runtime::{KeyLimit, Source};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::iter::zip;
use std::sync::Arc;

/// The most changes that are kept of a limiter.
const KEPT: usize = 100;
/// The most changes that are kept of all limiters together.
const KEPT_OF_ALL: usize = 200;

/// A change of a limiter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct LoggedChange {
    /// The time of the reading that saw the change, in milliseconds since 1970.
    pub(crate) time: u64,
    /// The name of the setting, `key_limit`, `total` or `closed`.
    pub(crate) setting: &'static str,
    /// The key whose own limit it is.
    pub(crate) key: Option<String>,
    pub(crate) from: String,
    pub(crate) to: String,
    /// The source of the new value.
    pub(crate) source: Source,
    /// The author, if the change was made by the console.
    pub(crate) by: Option<String>,
}

/// The last changes of a limiter, the newest first.
#[derive(Debug, Default)]
pub(crate) struct ChangeLog(VecDeque<LoggedChange>);

/// A change, and the limiter that was changed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct NamedChange {
    limiter: Arc<str>,
    #[serde(flatten)]
    change: LoggedChange,
}

/// The last changes of all limiters, the newest first.
#[derive(Debug, Default)]
pub(crate) struct CommonLog {
    kept: VecDeque<NamedChange>,
    /// The number of changes that have been logged.
    pub(crate) logged: u64,
}

/// The part of a limiter's state whose changes are logged.
#[derive(Clone, Debug)]
pub(crate) struct LoggedState {
    settings: Settings,
    key_limits: Vec<KeyLimit>,
    total: Total,
    is_closed: bool,
}

/// The limit over all keys, which is no setting.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Total {
    /// There is none.
    None,
    Of(usize),
    /// It adapts.
    Within {
        low: usize,
        high: usize,
    },
    /// The limiter says how it adapts with its first call.
    NotKnownYet,
}

impl ChangeLog {
    pub(crate) fn add(&mut self, changes: &[LoggedChange]) {
        for change in changes {
            self.0.push_front(change.clone());
        }
        self.0.truncate(KEPT);
    }

    /// Lists the changes, the newest first.
    pub(crate) fn to_vec(&self) -> Vec<LoggedChange> {
        self.0.iter().cloned().collect()
    }
}

impl CommonLog {
    pub(crate) fn add(&mut self, limiter: &Arc<str>, changes: &[LoggedChange]) {
        for change in changes {
            let (limiter, change) = (Arc::clone(limiter), change.clone());
            self.kept.push_front(NamedChange { limiter, change });
            self.logged += 1;
        }
        self.kept.truncate(KEPT_OF_ALL);
    }

    /// Lists the changes, the newest first.
    pub(crate) fn to_vec(&self) -> Vec<NamedChange> {
        self.kept.iter().cloned().collect()
    }
}

impl LoggedState {
    pub(crate) fn from_reading(reading: &LimiterReading) -> Self {
        let total = Total::from_reading(reading);
        Self {
            settings: reading.settings,
            key_limits: reading.key_limits.clone(),
            total,
            is_closed: reading.is_closed,
        }
    }

    /// Lists the changes that lead from this state to a later one.
    pub(crate) fn changes_to(
        &self,
        after: &Self,
        time: u64,
        by: Option<&str>,
    ) -> Vec<LoggedChange> {
        let change = |setting, from, to, source| LoggedChange {
            time,
            setting,
            key: None,
            from,
            to,
            source,
            by: by.map(ToOwned::to_owned),
        };
        let settings = zip(self.settings.iter(), after.settings.iter());
        let changed = settings.filter(|((_, from), (_, to))| from.value != to.value);
        let changed = changed.map(|((kind, from), (_, to))| {
            let [from, words] = [from, to].map(|setting| in_words(kind, setting.value));
            change(kind.name(), from, words, to.source)
        });
        let totals = [self.total, after.total];
        let is_another = totals[0] != totals[1] && !totals.contains(&Total::NotKnownYet);
        let total = is_another.then(|| {
            let [from, to] = totals.map(Total::in_words);
            change("total", from, to, Source::Live)
        });
        let closed = (self.is_closed != after.is_closed).then(|| {
            let [from, to] =
                [self, after].map(|state| if state.is_closed { "closed" } else { "open" });
            change("closed", from.to_owned(), to.to_owned(), Source::Live)
        });
        let limits = key_limits(&self.key_limits, &after.key_limits);
        let limits = limits.into_iter().map(|(key, from, to, source)| LoggedChange {
            key: Some(key),
            ..change("key_limit", from, to, source)
        });
        changed.chain(limits).chain(total).chain(closed).collect()
    }
}

/// Lists the keys whose own limits differ: with the limit before and now, and who has set it.
fn key_limits(before: &[KeyLimit], after: &[KeyLimit]) -> Vec<(String, String, String, Source)> {
    if before == after {
        return Vec::new();
    }
    let by_key = |limits: &[KeyLimit]| -> BTreeMap<String, (usize, Source)> {
        limits.iter().map(|known| (known.key.clone(), (known.limit, known.source))).collect()
    };
    let (before, after) = (by_key(before), by_key(after));
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let words = |known: Option<&(usize, Source)>| {
        known.map_or_else(|| "none".to_owned(), |(limit, _)| limit.to_string())
    };
    let changes = keys.into_iter().filter_map(|key| {
        let (from, to) = (before.get(key), after.get(key));
        let differ = from.map(|(limit, _)| limit) != to.map(|(limit, _)| limit);
        let source = to.or(from).map(|&(_, source)| source)?;
        differ.then(|| (key.clone(), words(from), words(to), source))
    });
    changes.collect()
}

impl Total {
    fn from_reading(reading: &LimiterReading) -> Self {
        let Some(total) = reading.usage.total else { return Self::None };
        match reading.adaptive {
            Some(figures) if !figures.is_frozen && !figures.is_advising => {
                Self::Within { low: figures.low, high: figures.high }
            }
            // Only a runtime that lives says whether the total adapts.
            None if reading.live_runtimes == 0 || reading.totals.counters.is_zero() => {
                Self::NotKnownYet
            }
            _ => Self::Of(total),
        }
    }

    fn in_words(self) -> String {
        match self {
            Self::None | Self::NotKnownYet => "no bound".to_owned(),
            Self::Of(total) => total.to_string(),
            Self::Within { low, high } => format!("{low}..={high}"),
        }
    }
}

/// Says a setting's value as the log has it.
fn in_words(kind: SettingKind, value: Option<SettingValue>) -> String {
    match value {
        Some(SettingValue::Switch(on)) => if on { "on" } else { "off" }.to_owned(),
        Some(value) => value.to_string(),
        None if kind.value_type() == ValueType::DurationOrNever => "never".to_owned(),
        None => "no bound".to_owned(),
    }
}
