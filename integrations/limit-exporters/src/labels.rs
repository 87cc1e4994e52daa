//! The labels of all series, and their values.

use super::Label;
use crate::Source;
use crate::metrics::{Counters, Histogram, LimitChanges};
use crate::rejected::RejectedKind;

/// The label of every series: the limiter's name.
pub(super) const LIMITER: Label = Label { name: "limiter", values: &[] };

/// The name of the label of figures by runtime.
pub(super) const RUNTIME: &str = "runtime";

/// The label of calls by their outcome.
pub(super) const RESULT: Label = Label {
    name: "result",
    values: &{
        let mut values = [""; Outcome::ALL.len()];
        let mut index = 0;
        while index < values.len() {
            values[index] = Outcome::ALL[index].label();
            index += 1;
        }
        values
    },
};

/// The label of changes by the source that made them.
pub(super) const SOURCE: Label = Label {
    name: "source",
    values: &{
        let mut values = [""; SOURCES.len()];
        let mut index = 0;
        while index < values.len() {
            values[index] = SOURCES[index].as_str();
            index += 1;
        }
        values
    },
};

/// The outcomes of a call.
#[derive(Clone, Copy)]
pub(super) enum Outcome {
    Immediate,
    Waited,
    Cancelled,
    Rejected(RejectedKind),
}

impl Outcome {
    /// All outcomes, in the order in which exporters show them.
    pub(super) const ALL: [Self; 3 + RejectedKind::ALL.len()] = {
        let mut all = [Self::Immediate; 3 + RejectedKind::ALL.len()];
        all[1] = Self::Waited;
        all[2] = Self::Cancelled;
        let mut index = 0;
        while index < RejectedKind::ALL.len() {
            all[3 + index] = Self::Rejected(RejectedKind::ALL[index]);
            index += 1;
        }
        all
    };

    /// Returns the value of the label [`RESULT`].
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::Waited => "waited",
            Self::Cancelled => "cancelled",
            Self::Rejected(RejectedKind::QueueFull) => "queue_full",
            Self::Rejected(RejectedKind::TimedOut) => "timeout",
            Self::Rejected(RejectedKind::TooHeavy) => "too_heavy",
            Self::Rejected(RejectedKind::Closed) => "closed",
            Self::Rejected(RejectedKind::Evicted) => "evicted",
        }
    }

    /// Returns how many calls had this outcome.
    pub(super) fn count(self, counters: &Counters) -> u64 {
        match self {
            Self::Immediate => counters.admitted_at_once,
            Self::Waited => counters.waits().map_or(0, Histogram::count),
            Self::Cancelled => counters.cancelled,
            Self::Rejected(kind) => counters.rejected.of(kind),
        }
    }
}

/// The sources that can change a limit: all but the code.
pub(super) const SOURCES: [Source; Source::ALL.len() - 1] = {
    let mut sources = [Source::Live; Source::ALL.len() - 1];
    let (mut index, mut next) = (0, 0);
    while index < Source::ALL.len() {
        if !matches!(Source::ALL[index], Source::Attribute) {
            sources[next] = Source::ALL[index];
            next += 1;
        }
        index += 1;
    }
    sources
};

/// Returns how often a source has changed the limit.
pub(super) const fn count_changes(changes: LimitChanges, source: Source) -> u64 {
    match source {
        Source::Attribute => 0,
        Source::File => changes.file,
        Source::Environment => changes.environment,
        Source::Live => changes.live,
    }
}
