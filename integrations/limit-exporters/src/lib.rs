//! What limiters count, for Prometheus, OpenTelemetry and the `metrics` facade.
//!
//! | feature | |
//! |---|---|
//! | `prometheus` | [`prometheus::Collector`], a collector of `prometheus-client` |
//! | `opentelemetry` | [`opentelemetry::observe`], instruments on a `Meter` |
//! | `metrics` | [`metrics::describe`] and [`metrics::collect`], for the recorder of the `metrics` crate |
//!
//! Every limiter that has been used is exported; calls do nothing for it. Figures are read when they are
//! asked for. (With OpenTelemetry a call that has waited records how long, besides.) They are the same
//! that a [`Snapshot`](crate::Snapshot) shows, from the first use of a limiter on, whenever an exporter
//! was installed.
//!
//! # Metrics
//!
//! The table is that of [`METRICS`].
//!
//! | metric | with Prometheus | kind | unit | labels | |
//! |---|---|---|---|---|---|
//! | `concurrency_limit.permit.limit` | `concurrency_limit_permit_limit` | gauge | `{permit}` | `limiter` | Permits there are; with keys, for each key |
//! | `concurrency_limit.permit.usage` | `concurrency_limit_permit_usage` | up-down counter | `{permit}` | `limiter` | Permits that are out |
//! | `concurrency_limit.queued_calls` | `concurrency_limit_queued_calls` | up-down counter | `{call}` | `limiter` | Calls that wait for permits |
//! | `concurrency_limit.acquisitions` | `concurrency_limit_acquisitions_total` | counter | `{call}` | `limiter`, `result`: `immediate`, `waited`, `queue_full`, `timeout`, `cancelled`, `closed`, `too_heavy`, `evicted` | Calls by what became of them |
//! | `concurrency_limit.wait_time` | `concurrency_limit_wait_time_seconds` | histogram | `s` | `limiter` | How long calls waited that were admitted after waiting |
//! | `concurrency_limit.limit.changes` | `concurrency_limit_limit_changes_total` | counter | `{change}` | `limiter`, `source`: `file`, `environment`, `live` | Changes of the limit by who made them |
//! | `concurrency_limit.active_keys` | `concurrency_limit_active_keys` | up-down counter | `{key}` | `limiter` | Keys that have holders or waiters |
//! | `concurrency_limit.hold_time` | `concurrency_limit_hold_time_seconds` | histogram | `s` | `limiter` | How long permits were held, of a sample of the calls (feature `diagnostics`) |
//! | `concurrency_limit.oldest_holder.start_timestamp` | `concurrency_limit_oldest_holder_start_timestamp_seconds` | gauge | `s` | `limiter` | When the oldest holder got its permits, in seconds since 1970; not there if there is none (feature `diagnostics`) |
//!
//! All results and sources of a limiter are there from the start, at zero. (Of holds there is nothing before
//! the first is counted: on each thread the first of a limiter is, and then one in 64.) No label ever has a key, a
//! task or a user for its value.
//!
//! The limit is that of one scope. Where several runtimes use a limiter, each has so many permits, and
//! more than the limit may be out in all.
//!
//! # By runtime
//!
//! If asked for, figures come by runtime, under one more label, `runtime`: the number that a
//! [`RuntimeSnapshot`](crate::RuntimeSnapshot) has, 0 for the process. It is for programs with a few runtimes that
//! live long: each makes as many series anew.
//!
//! When a runtime has ended its series go (with the `metrics` facade, which cannot take them back, they
//! stay as they are). The value `retired` is for what was counted by runtimes that had ended before the
//! first reading, or between two, and for permits that outlive their runtime. Nothing is counted under two
//! labels, so that the growth of all series together is that of the limiter.
//!
//! `concurrency_limit.limit.changes`, `concurrency_limit.hold_time` and
//! `concurrency_limit.oldest_holder.start_timestamp` are of no runtime, and without the label.
//!
//! | exporter | |
//! |---|---|
//! | Prometheus | [`Collector::by_runtime`](prometheus::Collector::by_runtime) |
//! | OpenTelemetry | [`observe_by_runtime`](opentelemetry::observe_by_runtime) |
//! | `metrics` facade | [`collect_by_runtime`](metrics::collect_by_runtime) |
//!
//! # Waits
//!
//! The histogram's bounds are every second power of two of nanoseconds, from 2¹⁸ (262 µs) to 2³⁴ (17 s).
//! Counts and sum are exact. Where samples have to be handed to a recorder or a meter one by one, those from before
//! it was installed come in the same buckets and with the same sum, but not one by one as they were.
//!
//! # Limiters that are dropped
//!
//! Counters and histograms are those of a *name*: of all limiters that have had it, one after another. So a
//! counter does not go back when a name is used again, and nothing is lost that was counted by a limiter that came
//! and went between two readings. A program that makes a limiter for each request has as many series as
//! it has limiters at a time.
//!
//! A limiter that is dropped has no gauges any more, and its counters stay as they are. So that series do not add
//! up where names are not used again, as with one for each customer:
//!
//! | of the names that nobody has | |
//! |---|---|
//! | the last 100 | are shown |
//! | the last 1,000 | go on from where they were, if a limiter is named so again |
//! | others | start from zero: a counter's reset, as when a program is started anew |
//!
//! (Limiters that have counted nothing are not among them.) A recorder of the `metrics` facade and the histograms
//! of an OpenTelemetry SDK keep what they were told, until they forget it by themselves: the SDK has a limit of
//! series, a recorder perhaps a time after which it forgets. A recorder that was told of a name, which has
//! then been forgotten here, shows more of it only when that has counted more than before.
//!
//! # Dashboard and alerts
//!
//! In the repository, `assets/grafana.json` is a dashboard for Grafana, and `assets/alerts.yml` has alerting rules
//! for Prometheus. They go by the names of this table.

mod list;

mod ledger;
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub mod metrics;
#[cfg(feature = "opentelemetry")]
#[cfg_attr(docsrs, doc(cfg(feature = "opentelemetry")))]
pub mod opentelemetry;
#[cfg(feature = "prometheus")]
#[cfg_attr(docsrs, doc(cfg(feature = "prometheus")))]
pub mod prometheus;

use crate::Source;
use crate::metrics::{Counters, LimitChanges};
use crate::rejected::RejectedKind;
use list::Figure;
pub use list::METRICS;

/// Something that is measured of every limiter. See [`METRICS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// Its name, by the rules of OpenTelemetry; the `metrics` facade uses it as well.
    pub name: &'static str,
    /// The name that Prometheus gives it.
    pub prometheus: &'static str,
    /// What kind of figure it is.
    pub kind: Kind,
    /// In the notation of UCUM: `s` for seconds, in braces what is counted.
    pub unit: &'static str,
    /// What it says.
    pub description: &'static str,
    /// The labels of its series.
    pub labels: &'static [Label],
    /// The feature without which it is not there, besides that of the exporter.
    pub needs: Option<&'static str>,
    figure: Figure,
}

/// The kinds of [`Metric`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A value of which sums say nothing.
    Gauge,
    /// Something that comes and goes. A gauge, for those who know no other.
    UpDownCounter,
    /// Something that only grows.
    Counter,
    /// Samples, by buckets.
    Histogram,
}

impl Kind {
    /// As in the documentation: `gauge`, `up-down counter`, `counter` or `histogram`.
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
    /// Its name.
    pub name: &'static str,
    /// The values that it can have, if they are known.
    pub values: &'static [&'static str],
}

/// The label that every metric has: the limiter's name.
const LIMITER: &str = "limiter";

/// The label of figures by runtime.
const RUNTIME: &str = "runtime";

/// What may become of a call, and how many calls it has been so of.
fn results(counters: &Counters) -> [(&'static str, u64); 8] {
    let rejected = |kind| counters.rejected.of(kind);
    [
        ("immediate", counters.admitted_at_once),
        ("waited", counters.waits().map_or(0, crate::metrics::Histogram::count)),
        ("queue_full", rejected(RejectedKind::QueueFull)),
        ("timeout", rejected(RejectedKind::TimedOut)),
        ("cancelled", counters.cancelled),
        ("closed", rejected(RejectedKind::Closed)),
        ("too_heavy", rejected(RejectedKind::TooHeavy)),
        ("evicted", rejected(RejectedKind::Evicted)),
    ]
}

/// Who may change a limit, and how often they have.
fn sources(changes: LimitChanges) -> [(&'static str, u64); 3] {
    [
        (Source::File.as_str(), changes.file),
        (Source::Environment.as_str(), changes.environment),
        (Source::Live.as_str(), changes.live),
    ]
}

/// The metrics that are exported in this build.
fn exported() -> impl Iterator<Item = &'static Metric> {
    METRICS.iter().filter(|metric| metric.figure.is_built())
}
