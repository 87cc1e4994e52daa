//! The dashboard and the alerting rules, made from the list of metrics.

pub(crate) mod alerts;
mod dashboard;

use limit_exporters::METRICS;
use limit_runtime::RejectedKind;
use std::path::{Path, PathBuf};

/// Returns the path and the content of each file.
pub(crate) fn all() -> [(PathBuf, String); 2] {
    let path = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets").join(name);
    [(path("grafana.json"), dashboard::dashboard()), (path("alerts.yml"), alerts::alerts())]
}

/// Returns the name of a metric with Prometheus.
fn metric(name: &str) -> &'static str {
    let name = format!("concurrency_limit.{name}");
    let metric = METRICS.iter().find(|metric| metric.name == name);
    metric.unwrap_or_else(|| panic!("there is no metric `{name}`")).prometheus
}

/// Returns the results of refused calls, except those that a closed limiter refused, as a regular expression.
fn refused() -> String {
    let kinds = RejectedKind::ALL.iter().filter(|kind| **kind != RejectedKind::Closed);
    kinds.map(|kind| kind.as_str()).collect::<Vec<_>>().join("|")
}
