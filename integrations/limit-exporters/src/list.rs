//! The list of metrics.

use crate::labels::{LIMITER, RESULT, SOURCE};
use crate::metric::{Count, Distribution, Figure, Kind, Level, Metric};

/// Returns the metrics that exporters show in this build.
pub(crate) fn exported() -> impl Iterator<Item = &'static Metric> {
    METRICS.iter().filter(|metric| metric.figure.is_built())
}

/// Every metric, in the order in which exporters show them.
///
/// # Examples
///
/// ```
/// use limit_exporters::METRICS;
///
/// for metric in METRICS {
///     println!("{}: {}", metric.name, metric.description);
/// }
/// ```
pub const METRICS: &[Metric] = &[
    Metric {
        name: "concurrency_limit.permit.limit",
        prometheus: "concurrency_limit_permit_limit",
        kind: Kind::Gauge,
        unit: "{permit}",
        description: "Number of permits; with keys, for each key",
        labels: &[LIMITER],
        needs: None,
        figure: Figure::Level(Level::Limit),
    },
    Metric {
        name: "concurrency_limit.permit.usage",
        prometheus: "concurrency_limit_permit_usage",
        kind: Kind::UpDownCounter,
        unit: "{permit}",
        description: "Permits that are out",
        labels: &[LIMITER],
        needs: None,
        figure: Figure::Level(Level::InUse),
    },
    // OpenTelemetry recommends names of counts that end in `.count`. In Prometheus `_count` is the count of a
    // histogram. So the name follows `http.server.active_requests` and
    // `aspnetcore.rate_limiting.queued_requests` of OpenTelemetry's semantic conventions.
    Metric {
        name: "concurrency_limit.queued_calls",
        prometheus: "concurrency_limit_queued_calls",
        kind: Kind::UpDownCounter,
        unit: "{call}",
        description: "Calls that wait for permits",
        labels: &[LIMITER],
        needs: None,
        figure: Figure::Level(Level::Waiting),
    },
    Metric {
        name: "concurrency_limit.acquisitions",
        prometheus: "concurrency_limit_acquisitions_total",
        kind: Kind::Counter,
        unit: "{call}",
        description: "Calls by result",
        labels: &[LIMITER, RESULT],
        needs: None,
        figure: Figure::Count(Count::Calls),
    },
    Metric {
        name: "concurrency_limit.wait_time",
        prometheus: "concurrency_limit_wait_time_seconds",
        kind: Kind::Histogram,
        unit: "s",
        description: "How long calls waited that were admitted after waiting",
        labels: &[LIMITER],
        needs: None,
        figure: Figure::Distribution(Distribution::Waits),
    },
    Metric {
        name: "concurrency_limit.limit.changes",
        prometheus: "concurrency_limit_limit_changes_total",
        kind: Kind::Counter,
        unit: "{change}",
        description: "Changes of the limit by who made them",
        labels: &[LIMITER, SOURCE],
        needs: None,
        figure: Figure::Count(Count::Changes),
    },
    Metric {
        name: "concurrency_limit.active_keys",
        prometheus: "concurrency_limit_active_keys",
        kind: Kind::UpDownCounter,
        unit: "{key}",
        description: "Keys that have holders or waiters",
        labels: &[LIMITER],
        needs: None,
        figure: Figure::Level(Level::Keys),
    },
    Metric {
        name: "concurrency_limit.hold_time",
        prometheus: "concurrency_limit_hold_time_seconds",
        kind: Kind::Histogram,
        unit: "s",
        description: "How long permits were held, of a sample of the calls",
        labels: &[LIMITER],
        needs: Some("diagnostics"),
        figure: Figure::Distribution(Distribution::Holds),
    },
    Metric {
        name: "concurrency_limit.oldest_holder.start_timestamp",
        prometheus: "concurrency_limit_oldest_holder_start_timestamp_seconds",
        kind: Kind::Gauge,
        unit: "s",
        description: "When the oldest holder got its permits, in seconds since 1970; not there if there is none",
        labels: &[LIMITER],
        needs: Some("diagnostics"),
        figure: Figure::OldestHolder,
    },
];
