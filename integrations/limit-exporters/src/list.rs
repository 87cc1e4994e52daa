//! The list of metrics.

use crate::labels::{KEY, LIMITER, RENEWAL, RESULT, SOURCE};
use crate::metric::{Count, Distribution, Figure, Kind, LedgerLevel, Level, Metric};

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
        name: "concurrency_limit.grants.taken_back",
        prometheus: "concurrency_limit_grants_taken_back_total",
        kind: Kind::Counter,
        unit: "{grant}",
        description: "Grants that were taken back because their waiters had not claimed them in time",
        labels: &[LIMITER],
        needs: None,
        figure: Figure::Count(Count::TakenBack),
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
    Metric {
        name: "concurrency_limit.deadlocked",
        prometheus: "concurrency_limit_deadlocked",
        kind: Kind::Gauge,
        unit: "1",
        description: "1 while the limiter is part of a deadlock, else 0",
        labels: &[LIMITER],
        needs: Some("diagnostics"),
        figure: Figure::Deadlocked,
    },
    // Each process of a fleet shows the figures of all, so they are gauges. The figures of one process can be added up.
    Metric {
        name: "concurrency_limit.fleet.permit.limit",
        prometheus: "concurrency_limit_fleet_permit_limit",
        kind: Kind::Gauge,
        unit: "{permit}",
        description: "Limit in force over the fleet: the smallest that a process wants",
        labels: &[LIMITER, KEY],
        needs: None,
        figure: Figure::Ledger(LedgerLevel::Limit),
    },
    Metric {
        name: "concurrency_limit.fleet.permit.limit_here",
        prometheus: "concurrency_limit_fleet_permit_limit_here",
        kind: Kind::Gauge,
        unit: "{permit}",
        description: "Limit over the fleet that this process wants",
        labels: &[LIMITER, KEY],
        needs: None,
        figure: Figure::Ledger(LedgerLevel::LimitHere),
    },
    Metric {
        name: "concurrency_limit.fleet.permit.usage",
        prometheus: "concurrency_limit_fleet_permit_usage",
        kind: Kind::Gauge,
        unit: "{permit}",
        description: "Calls that run in all processes, as far as the ledger knows",
        labels: &[LIMITER, KEY],
        needs: None,
        figure: Figure::Ledger(LedgerLevel::InUse),
    },
    Metric {
        name: "concurrency_limit.fleet.permit.share",
        prometheus: "concurrency_limit_fleet_permit_share",
        kind: Kind::UpDownCounter,
        unit: "{permit}",
        description: "Permits of the fleet that this process may use",
        labels: &[LIMITER, KEY],
        needs: None,
        figure: Figure::Ledger(LedgerLevel::Share),
    },
    Metric {
        name: "concurrency_limit.fleet.permit.want",
        prometheus: "concurrency_limit_fleet_permit_want",
        kind: Kind::UpDownCounter,
        unit: "{permit}",
        description: "Permits of the fleet that this process can use",
        labels: &[LIMITER, KEY],
        needs: None,
        figure: Figure::Ledger(LedgerLevel::Want),
    },
    Metric {
        name: "concurrency_limit.fleet.nodes",
        prometheus: "concurrency_limit_fleet_nodes",
        kind: Kind::Gauge,
        unit: "{process}",
        description: "Processes that the ledger knows",
        labels: &[LIMITER, KEY],
        needs: None,
        figure: Figure::Ledger(LedgerLevel::Nodes),
    },
    Metric {
        name: "concurrency_limit.fleet.queued_nodes",
        prometheus: "concurrency_limit_fleet_queued_nodes",
        kind: Kind::Gauge,
        unit: "{process}",
        description: "Processes that wait for permits",
        labels: &[LIMITER, KEY],
        needs: None,
        figure: Figure::Ledger(LedgerLevel::Queued),
    },
    Metric {
        name: "concurrency_limit.fleet.learning",
        prometheus: "concurrency_limit_fleet_learning",
        kind: Kind::Gauge,
        unit: "1",
        description: "1 while the ledger gives out no permits because it may have forgotten some",
        labels: &[LIMITER, KEY],
        needs: None,
        figure: Figure::Ledger(LedgerLevel::Learning),
    },
    Metric {
        name: "concurrency_limit.fleet.lease.remaining",
        prometheus: "concurrency_limit_fleet_lease_remaining_seconds",
        kind: Kind::Gauge,
        unit: "s",
        description: "Time until the lease of this process ends; 0 without a lease",
        labels: &[LIMITER, KEY],
        needs: None,
        figure: Figure::Ledger(LedgerLevel::LeaseLeft),
    },
    Metric {
        name: "concurrency_limit.fleet.store.time",
        prometheus: "concurrency_limit_fleet_store_time_seconds",
        kind: Kind::Gauge,
        unit: "s",
        description: "Time that the store took for its last answer",
        labels: &[LIMITER, KEY],
        needs: None,
        figure: Figure::Ledger(LedgerLevel::StoreTime),
    },
    Metric {
        name: "concurrency_limit.fleet.renewals",
        prometheus: "concurrency_limit_fleet_renewals_total",
        kind: Kind::Counter,
        unit: "{renewal}",
        description: "Renewals of the lease of this process by result",
        labels: &[LIMITER, KEY, RENEWAL],
        needs: None,
        figure: Figure::Renewals,
    },
];
