//! The figures of one name, and the part of them that each metric shows.

use crate::labels::{ExtraLabel, Outcome, REASON, RENEWAL, RESULT, SOURCE, SOURCES};
use crate::metric::{Count, Distribution, LedgerLevel, Level};
use crate::share::Share;
use crate::state::LimiterState;
use limit_runtime::inspect::{Counters, Histogram, Usage};
use limit_runtime::{AdaptedCounts, AdaptiveCause, LedgerFigures, LimitChanges, Source};
use std::fmt;
use std::iter;
use std::sync::Arc;

/// The figures of all limiters that have had a name. `S` are the samples of a histogram, in the form that an
/// exporter needs: a whole [`Histogram`] has two kilobytes, which is much for each of very many limiters.
#[derive(Debug)]
pub(crate) struct Series<S = Box<Histogram>> {
    pub(crate) limiter: Arc<str>,
    /// One part; or one for each runtime and one for all runtimes that have ended.
    pub(crate) parts: Vec<SeriesPart<S>>,
    pub(crate) limit_changes: LimitChanges,
    pub(crate) hold_times: Option<S>,
    /// The figures of the whole limiter. `None` if it was dropped.
    pub(crate) state: Option<LimiterState>,
    /// The shares of the permits.
    pub(crate) shares: Vec<Share>,
    /// The ledgers of a limit over a fleet.
    pub(crate) ledgers: Vec<LedgerFigures>,
}

/// The figures of one runtime, or of all together.
#[derive(Debug)]
pub(crate) struct SeriesPart<S> {
    /// The value of the label `runtime`, if there is that label.
    pub(crate) runtime: Option<Runtime>,
    /// The figures of this moment. `None` if the limiter was dropped or the runtime has ended.
    pub(crate) usage: Option<Usage>,
    /// The calls of all limiters that have had the name, by [`Outcome`].
    calls: [u64; Outcome::ALL.len()],
    /// The grants that were taken back.
    taken_back: u64,
    /// The changes of a limit that adapts.
    adapted: AdaptedCounts,
    /// The waits of these calls. `None` if no call has waited.
    waits: Option<S>,
}

/// Values of the label `runtime`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Runtime {
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

impl<S> Series<S> {
    /// Returns a figure of this moment, by runtime. Parts without it are left out.
    pub(crate) fn levels(&self, level: Level) -> impl Iterator<Item = (Option<Runtime>, u64)> {
        self.parts.iter().filter_map(move |part| {
            let value = part.level(level)?;
            Some((part.runtime, u64::try_from(value).unwrap_or(u64::MAX)))
        })
    }

    /// Returns whether the limiters of the name have the counters of a metric. Most limits do not adapt.
    pub(crate) fn has(&self, count: Count) -> bool {
        match count {
            Count::Calls | Count::TakenBack | Count::Changes => true,
            Count::ShareAdmitted | Count::ShareRejected => !self.shares.is_empty(),
            Count::Adapted => {
                let adapts = self.state.is_some_and(|known| known.adapts());
                adapts || self.parts.iter().any(|part| part.adapted.total() > 0)
            }
        }
    }

    /// Returns the counters of a metric, each with its labels.
    pub(crate) fn counts(&self, count: Count) -> Vec<(Option<Runtime>, Option<ExtraLabel>, u64)> {
        match count {
            Count::Calls => {
                let counts = |part: &SeriesPart<S>| {
                    let (runtime, calls) = (part.runtime, part.calls);
                    iter::zip(Outcome::ALL, calls).map(move |(outcome, count)| {
                        (runtime, Some((RESULT.name, outcome.label())), count)
                    })
                };
                self.parts.iter().flat_map(counts).collect()
            }
            Count::TakenBack => {
                self.parts.iter().map(|part| (part.runtime, None, part.taken_back)).collect()
            }
            Count::Adapted => {
                let counts = |part: &SeriesPart<S>| {
                    let (runtime, adapted) = (part.runtime, part.adapted);
                    AdaptiveCause::ALL.iter().map(move |&cause| {
                        (runtime, Some((REASON.name, cause.as_str())), adapted.get(cause))
                    })
                };
                if self.has(count) {
                    self.parts.iter().flat_map(counts).collect()
                } else {
                    Vec::new()
                }
            }
            Count::ShareAdmitted | Count::ShareRejected => {
                let count_of = |share: &Share| match count {
                    Count::ShareAdmitted => share.admitted,
                    _ => share.rejected,
                };
                let shares = self.shares.iter();
                shares.map(|share| (None, Some(share.label()), count_of(share))).collect()
            }
            Count::Changes => {
                let of_source = |source: Source| {
                    let label = Some((SOURCE.name, source.as_str()));
                    (None, label, self.limit_changes.by(source))
                };
                SOURCES.map(of_source).into()
            }
        }
    }

    /// Returns the samples of a metric, by runtime. `None` if there are none yet.
    pub(crate) fn samples(&self, of: Distribution) -> Vec<(Option<Runtime>, Option<&S>)> {
        match of {
            Distribution::Waits => {
                self.parts.iter().map(|part| (part.runtime, part.waits.as_ref())).collect()
            }
            Distribution::Holds => vec![(None, self.hold_times.as_ref())],
        }
    }
}

/// Returns a figure of this moment of a ledger. Times are in seconds.
#[expect(clippy::cast_precision_loss, reason = "more than 2^53 are known well enough")]
pub(crate) fn ledger_level(ledger: &LedgerFigures, level: LedgerLevel) -> f64 {
    match level {
        LedgerLevel::Limit => ledger.limit as f64,
        LedgerLevel::LimitHere => ledger.limit_here as f64,
        LedgerLevel::InUse => ledger.in_use as f64,
        LedgerLevel::Share => ledger.share as f64,
        LedgerLevel::Want => ledger.want as f64,
        LedgerLevel::Nodes => ledger.nodes as f64,
        LedgerLevel::Queued => ledger.queued as f64,
        LedgerLevel::Learning => f64::from(u8::from(ledger.learning)),
        LedgerLevel::LeaseLeft => ledger.lease_left.unwrap_or_default().as_secs_f64(),
        LedgerLevel::StoreTime => ledger.store_time.as_secs_f64(),
    }
}

/// Returns the renewals of a ledger, each count with its label.
pub(crate) fn renewals(ledger: &LedgerFigures) -> impl Iterator<Item = (ExtraLabel, u64)> + use<> {
    let counts = ledger.renewals;
    // In the order of the label's values.
    let counts = [counts.granted, counts.refused, counts.failed];
    iter::zip(RENEWAL.values, counts).map(|(value, count)| ((RENEWAL.name, *value), count))
}

impl<S> SeriesPart<S> {
    pub(crate) fn new(
        runtime: Option<Runtime>,
        usage: Option<Usage>,
        counters: &Counters,
        samples: impl Fn(&Histogram) -> S,
    ) -> Self {
        let calls = Outcome::ALL.map(|outcome| outcome.count(counters));
        let waits = counters.waits().map(samples);
        let (taken_back, adapted) = (counters.taken_back, counters.adapted());
        Self { runtime, usage, calls, taken_back, adapted, waits }
    }

    fn level(&self, level: Level) -> Option<usize> {
        let usage = self.usage?;
        match level {
            // Runtimes that have ended have no limit.
            Level::Limit if self.runtime == Some(Runtime::Retired) => None,
            Level::Limit => Some(usage.limit),
            Level::InUse => Some(usage.in_use),
            Level::Waiting => Some(usage.waiting),
            Level::Stalled => {
                let seconds = usage.stalled.unwrap_or_default().as_secs();
                Some(usize::try_from(seconds).unwrap_or(usize::MAX))
            }
            Level::Keys => Some(usage.keys),
        }
    }
}
