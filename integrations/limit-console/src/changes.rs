//! The logs of changes, of one limiter and of all: setting, old and new value, time and author.

use limit_runtime::Source;
use limit_runtime::inspect::LimiterReading;
use limit_runtime::settings::{SettingKind, SettingValue, Settings, ValueType};
use serde::Serialize;
use std::collections::VecDeque;
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
    /// The name of the setting, or `closed`.
    pub(crate) setting: &'static str,
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
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoggedState {
    settings: Settings,
    is_closed: bool,
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
        Self { settings: reading.settings, is_closed: reading.is_closed }
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
        let closed = (self.is_closed != after.is_closed).then(|| {
            let [from, to] =
                [self, after].map(|state| if state.is_closed { "closed" } else { "open" });
            change("closed", from.to_owned(), to.to_owned(), Source::Live)
        });
        changed.chain(closed).collect()
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
