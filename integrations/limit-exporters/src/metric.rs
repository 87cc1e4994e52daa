//! The description of one metric.

/// A metric of every limiter. See [`METRICS`](crate::METRICS).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// The name by the rules of OpenTelemetry. The `metrics` facade uses it as well.
    pub name: &'static str,
    /// The name by the rules of Prometheus.
    pub prometheus: &'static str,
    /// The kind of the figures.
    pub kind: Kind,
    /// The unit in the notation of UCUM: `s` for seconds, or the counted thing in braces.
    pub unit: &'static str,
    /// The meaning, in a few words.
    pub description: &'static str,
    /// The labels of its series.
    pub labels: &'static [Label],
    /// A feature that the metric needs besides that of the exporter.
    pub needs: Option<&'static str>,
    pub(crate) figure: Figure,
}

/// The kinds of [`Metric`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A value that cannot be added up.
    Gauge,
    /// A sum that grows and shrinks. Backends without this kind show it as a gauge.
    UpDownCounter,
    /// A sum that only grows.
    Counter,
    /// Counts of samples, by buckets.
    Histogram,
}

impl Kind {
    /// Returns the kind as the documentation has it: `gauge`, `up-down counter`, `counter` or `histogram`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::UpDownCounter => "up-down counter",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

/// A label of a [`Metric`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Label {
    /// The name.
    pub name: &'static str,
    /// The values, if they are known. Empty if not.
    pub values: &'static [&'static str],
}

/// The source of a metric's values. Exporters match it exhaustively: a new one does not compile until all of
/// them show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    Level(Level),
    Count(Count),
    Distribution(Distribution),
    State(State),
    Share(ShareLevel),
    Ledger(LedgerLevel),
    Renewals,
}

/// A figure of the moment: one number for each runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Limit,
    InUse,
    Waiting,
    Stalled,
    Keys,
}

/// A figure of the moment: one number for the whole limiter, if it has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Total,
    WorstKeyInUse,
    WorstKeyLimit,
    WorstKeyWaiting,
    FullKeys,
    OldestWait,
    Enforced,
    MaxWaiting,
    MaxWaitingTotal,
    MaxWait,
    Closed,
    Scope,
    Order,
    Window,
    Ramp,
    Withheld,
    AdaptiveLow,
    AdaptiveHigh,
    AdaptiveBaseTime,
    AdaptiveTime,
    AdaptiveQueue,
    AdaptiveAdvice,
    AdaptiveFrozen,
    AdaptiveHeldOff,
    OldestHolder,
    Deadlocked,
}

/// A figure of the moment: one number for each share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShareLevel {
    Guaranteed,
    InUse,
    Waiting,
}

/// A figure of the moment: one number for each ledger of a limit over a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LedgerLevel {
    Limit,
    LimitHere,
    InUse,
    Share,
    Want,
    Nodes,
    Queued,
    Learning,
    LeaseLeft,
    StoreTime,
}

/// Counters, which a label may tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    Calls,
    TakenBack,
    Changes,
    Adapted,
    ShareAdmitted,
    ShareRejected,
}

/// A histogram of durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Distribution {
    Waits,
    Holds,
}

impl Figure {
    /// Returns whether exporters show the figure in this build.
    pub(crate) const fn is_built(self) -> bool {
        match self {
            Self::Distribution(Distribution::Holds)
            | Self::State(State::OldestHolder | State::Deadlocked) => {
                cfg!(feature = "diagnostics")
            }
            Self::Level(_)
            | Self::Count(_)
            | Self::Distribution(Distribution::Waits)
            | Self::State(_)
            | Self::Share(_)
            | Self::Ledger(_)
            | Self::Renewals => true,
        }
    }
}
