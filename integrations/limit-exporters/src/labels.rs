//! The labels of all series, and their values.

use crate::metric::Label;
use limit_runtime::inspect::Counters;
use limit_runtime::{AdaptiveCause, Order, RejectedKind, Scope, Source};

/// A label besides the limiter and the runtime: its name and its value.
pub(crate) type ExtraLabel = (&'static str, &'static str);

/// The label of every series: the limiter's name.
pub(crate) const LIMITER: Label = Label { name: "limiter", values: &[] };

/// The label of a ledger's figures. Only the ledgers of keys have it.
pub(crate) const KEY: Label = Label { name: "key", values: &[] };

/// The label of the figures of a share.
pub(crate) const SHARE: Label = Label { name: "share", values: &[] };

/// The label of renewals by their result.
pub(crate) const RENEWAL: Label =
    Label { name: RESULT.name, values: &["granted", "refused", "failed"] };

/// The label of the order in which waiters are served.
pub(crate) const ORDER: Label = Label {
    name: "order",
    values: &[Order::Fifo.as_str(), Order::Lifo.as_str(), Order::Deadline.as_str()],
};

/// The label of the calls that share the permits.
pub(crate) const SCOPE: Label = Label {
    name: "scope",
    values: &[Scope::Runtime.as_str(), Scope::Process.as_str(), Scope::Fleet.as_str()],
};

/// The name of the label of figures by runtime.
pub(crate) const RUNTIME: &str = "runtime";

/// The label of calls by their outcome.
pub(crate) const RESULT: Label = Label {
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
pub(crate) const SOURCE: Label = Label {
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

/// The label of the changes of a limit that adapts.
pub(crate) const REASON: Label = Label {
    name: "reason",
    values: &{
        let mut values = [""; AdaptiveCause::ALL.len()];
        let mut index = 0;
        while index < values.len() {
            values[index] = AdaptiveCause::ALL[index].as_str();
            index += 1;
        }
        values
    },
};

/// The outcomes of a call.
#[derive(Clone, Copy)]
pub(crate) enum Outcome {
    AdmittedAtOnce,
    AdmittedAfterWaiting,
    Cancelled,
    Rejected(RejectedKind),
}

impl Outcome {
    /// All outcomes, in the order in which exporters show them.
    pub(crate) const ALL: [Self; 3 + RejectedKind::ALL.len()] = {
        let mut all = [Self::AdmittedAtOnce; 3 + RejectedKind::ALL.len()];
        all[1] = Self::AdmittedAfterWaiting;
        all[2] = Self::Cancelled;
        let mut index = 0;
        while index < RejectedKind::ALL.len() {
            all[3 + index] = Self::Rejected(RejectedKind::ALL[index]);
            index += 1;
        }
        all
    };

    /// Returns the value of the label [`RESULT`].
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::AdmittedAtOnce => "admitted_at_once",
            Self::AdmittedAfterWaiting => "admitted_after_waiting",
            Self::Cancelled => "cancelled",
            Self::Rejected(kind) => kind.as_str(),
        }
    }

    /// Returns how many calls had this outcome.
    pub(crate) fn count(self, counters: &Counters) -> u64 {
        match self {
            Self::AdmittedAtOnce => counters.admitted_at_once,
            Self::AdmittedAfterWaiting => counters.admitted_after_waiting(),
            Self::Cancelled => counters.cancelled,
            Self::Rejected(kind) => counters.rejected.get(kind),
        }
    }
}

/// The sources that can change a limit: all but the code.
pub(crate) const SOURCES: [Source; Source::ALL.len() - 1] = {
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
