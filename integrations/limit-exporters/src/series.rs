//! The figures of one name, and the part of them that each metric shows.

use super::labels::{Outcome, RESULT, SOURCE, SOURCES, count_changes};
use super::list::{Count, Distribution, Level};
use crate::metrics::{Counters, Former, Histogram, LimitChanges, Part};
use std::fmt;
use std::sync::Arc;

/// A label besides the limiter and the runtime: its name and its value.
pub(super) type ExtraLabel = (&'static str, &'static str);

/// The figures of all limiters that have had a name.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) limiter: Arc<str>,
    /// One part; or one for each runtime and one for all runtimes that have ended.
    pub(super) parts: Vec<SeriesPart>,
    changes: LimitChanges,
    holds: Option<Box<Histogram>>,
    /// The time at which the oldest holder got its permits, in seconds since 1970.
    pub(super) oldest_holder: Option<f64>,
}

/// The figures of one runtime, or of all together.
#[derive(Debug)]
pub(super) struct SeriesPart {
    /// The value of the label `runtime`, if there is that label.
    pub(super) runtime: Option<Runtime>,
    /// The figures of this moment. `None` if the limiter was dropped or the runtime has ended.
    pub(super) levels: Option<Levels>,
    /// The counters of all limiters that have had the name.
    pub(super) counters: Counters,
}

/// The figures of one moment.
#[derive(Debug)]
pub(super) struct Levels {
    /// Ended runtimes have none.
    limit: Option<usize>,
    in_use: usize,
    waiting: usize,
    keys: usize,
}

/// Values of the label `runtime`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Runtime {
    /// The number that a snapshot shows.
    Number(u64),
    /// All runtimes that have ended.
    Retired,
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Retired => f.write_str("retired"),
        }
    }
}

impl Series {
    pub(super) fn new(
        limiter: &Arc<str>,
        parts: Vec<SeriesPart>,
        counted: &Former,
        oldest_holder: Option<f64>,
    ) -> Self {
        let (changes, holds) = (counted.changes, counted.holds.clone());
        Self { limiter: Arc::clone(limiter), parts, changes, holds, oldest_holder }
    }

    /// Returns a figure of this moment, by runtime. Parts without it are left out.
    pub(super) fn levels(&self, level: Level) -> impl Iterator<Item = (Option<Runtime>, u64)> {
        self.parts.iter().filter_map(move |part| {
            let value = part.levels.as_ref()?.get(level)?;
            Some((part.runtime, u64::try_from(value).unwrap_or(u64::MAX)))
        })
    }

    /// Returns the counters of a metric, each with its labels.
    pub(super) fn counts(&self, count: Count) -> Vec<(Option<Runtime>, ExtraLabel, u64)> {
        match count {
            Count::Calls => {
                let of_part = |part: &SeriesPart| {
                    Outcome::ALL.map(|outcome| {
                        let label = (RESULT.name, outcome.label());
                        (part.runtime, label, outcome.count(&part.counters))
                    })
                };
                self.parts.iter().flat_map(of_part).collect()
            }
            Count::Changes => {
                let of_source = |source| {
                    let label = (SOURCE.name, crate::Source::as_str(source));
                    (None, label, count_changes(self.changes, source))
                };
                SOURCES.map(of_source).into()
            }
        }
    }

    /// Returns the samples of a metric, by runtime. `None` if there are none yet.
    pub(super) fn samples(&self, of: Distribution) -> Vec<(Option<Runtime>, Option<&Histogram>)> {
        match of {
            Distribution::Waits => {
                self.parts.iter().map(|part| (part.runtime, part.counters.waits())).collect()
            }
            Distribution::Holds => vec![(None, self.holds.as_deref())],
        }
    }
}

impl Levels {
    pub(super) const fn from_part(part: &Part) -> Self {
        let Part { limit, totals, .. } = part;
        let (in_use, waiting, keys) = (totals.in_use, totals.waiting, totals.keys);
        Self { limit: *limit, in_use, waiting, keys }
    }

    const fn get(&self, level: Level) -> Option<usize> {
        match level {
            Level::Limit => self.limit,
            Level::InUse => Some(self.in_use),
            Level::Waiting => Some(self.waiting),
            Level::Keys => Some(self.keys),
        }
    }
}
