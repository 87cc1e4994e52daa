//! The list of metrics.

use super::{Kind, LIMITER, Label, Metric};

/// Where a metric's values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Figure {
    Limit,
    InUse,
    Waiting,
    Keys,
    Results,
    Waits,
    Changes,
    HoldTime,
    OldestHolder,
}

impl Figure {
    /// Whether exporters show it in this build.
    pub(super) const fn is_built(self) -> bool {
        cfg!(feature = "diagnostics") || !matches!(self, Self::HoldTime | Self::OldestHolder)
    }
}

/// Every metric there is, in the order in which they are exported.
///
/// # Examples
///
/// ```
/// use limit_runtime::exporters::METRICS;
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
        description: "Permits there are; with keys, for each key",
        labels: &[OF_LIMITER],
        needs: None,
        figure: Figure::Limit,
    },
    Metric {
        name: "concurrency_limit.permit.usage",
        prometheus: "concurrency_limit_permit_usage",
        kind: Kind::UpDownCounter,
        unit: "{permit}",
        description: "Permits that are out",
        labels: &[OF_LIMITER],
        needs: None,
        figure: Figure::InUse,
    },
    // OpenTelemetry would have what is counted end in `.count`, and Prometheus has `_count` mean that of a
    // histogram. So as `http.server.active_requests` and `aspnetcore.rate_limiting.queued_requests` of
    // OpenTelemetry's semantic conventions.
    Metric {
        name: "concurrency_limit.queued_calls",
        prometheus: "concurrency_limit_queued_calls",
        kind: Kind::UpDownCounter,
        unit: "{call}",
        description: "Calls that wait for permits",
        labels: &[OF_LIMITER],
        needs: None,
        figure: Figure::Waiting,
    },
    Metric {
        name: "concurrency_limit.acquisitions",
        prometheus: "concurrency_limit_acquisitions_total",
        kind: Kind::Counter,
        unit: "{call}",
        description: "Calls by what became of them",
        labels: &[OF_LIMITER, Label { name: "result", values: RESULTS }],
        needs: None,
        figure: Figure::Results,
    },
    Metric {
        name: "concurrency_limit.wait_time",
        prometheus: "concurrency_limit_wait_time_seconds",
        kind: Kind::Histogram,
        unit: "s",
        description: "How long calls waited that were admitted after waiting",
        labels: &[OF_LIMITER],
        needs: None,
        figure: Figure::Waits,
    },
    Metric {
        name: "concurrency_limit.limit.changes",
        prometheus: "concurrency_limit_limit_changes_total",
        kind: Kind::Counter,
        unit: "{change}",
        description: "Changes of the limit by who made them",
        labels: &[OF_LIMITER, Label { name: "source", values: SOURCES }],
        needs: None,
        figure: Figure::Changes,
    },
    Metric {
        name: "concurrency_limit.active_keys",
        prometheus: "concurrency_limit_active_keys",
        kind: Kind::UpDownCounter,
        unit: "{key}",
        description: "Keys that have holders or waiters",
        labels: &[OF_LIMITER],
        needs: None,
        figure: Figure::Keys,
    },
    Metric {
        name: "concurrency_limit.hold_time",
        prometheus: "concurrency_limit_hold_time_seconds",
        kind: Kind::Histogram,
        unit: "s",
        description: "How long permits were held, of a sample of the calls",
        labels: &[OF_LIMITER],
        needs: Some("diagnostics"),
        figure: Figure::HoldTime,
    },
    Metric {
        name: "concurrency_limit.oldest_holder.start_timestamp",
        prometheus: "concurrency_limit_oldest_holder_start_timestamp_seconds",
        kind: Kind::Gauge,
        unit: "s",
        description: "When the oldest holder got its permits, in seconds since 1970; not there if there is none",
        labels: &[OF_LIMITER],
        needs: Some("diagnostics"),
        figure: Figure::OldestHolder,
    },
];

const OF_LIMITER: Label = Label { name: LIMITER, values: &[] };

const RESULTS: &[&str] = &[
    "immediate",
    "waited",
    "queue_full",
    "timeout",
    "cancelled",
    "closed",
    "too_heavy",
    "evicted",
];

const SOURCES: &[&str] = &["file", "environment", "live"];
