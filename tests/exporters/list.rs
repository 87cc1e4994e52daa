//! The list of metrics agrees with the documentation and with the rules for names.

use limit_exporters::{Kind, METRICS, Metric};
use std::collections::HashSet;

const DOCUMENTATION: &str = include_str!("../../integrations/limit-exporters/src/lib.rs");

#[test]
fn documentation_has_the_list() {
    let rows: Vec<_> = DOCUMENTATION
        .lines()
        .filter_map(|line| line.strip_prefix("//! "))
        .filter(|line| line.starts_with("| `concurrency_limit."))
        .collect();
    let expected: Vec<_> = METRICS.iter().map(row).collect();
    assert_eq!(rows, expected, "the table in limit-exporters/src/lib.rs");
}

fn row(metric: &Metric) -> String {
    let labels = metric.labels.iter().map(|label| {
        let values: Vec<_> = label.values.iter().map(|value| format!("`{value}`")).collect();
        let values =
            if values.is_empty() { String::new() } else { format!(": {}", values.join(", ")) };
        format!("`{}`{values}", label.name)
    });
    let needs = metric.needs.map(|feature| format!(" (feature `{feature}`)")).unwrap_or_default();
    format!(
        "| `{}` | `{}` | {} | `{}` | {} | {}{needs} |",
        metric.name,
        metric.prometheus,
        metric.kind.as_str(),
        metric.unit,
        labels.collect::<Vec<_>>().join(", "),
        metric.description,
    )
}

#[test]
fn prometheus_names_are_those_that_follow_from_opentelemetrys() {
    for metric in METRICS {
        let unit = if metric.unit == "s" { "_seconds" } else { "" };
        let total = if metric.kind == Kind::Counter { "_total" } else { "" };
        assert_eq!(metric.prometheus, format!("{}{unit}{total}", metric.name.replace('.', "_")));
    }
}

#[test]
fn names_are_lower_case_and_no_two_are_alike() {
    let mut names = HashSet::new();
    for metric in METRICS {
        assert!(metric.name.starts_with("concurrency_limit."), "{}", metric.name);
        let allowed = |char: char| char.is_ascii_lowercase() || char == '_' || char == '.';
        assert!(metric.name.chars().all(allowed), "{}", metric.name);
        assert!(names.insert(metric.name), "{} twice", metric.name);
        assert_eq!(metric.labels[0].name, "limiter", "{}", metric.name);
        assert!(!metric.description.ends_with('.'), "exporters add it: {}", metric.name);
    }
}

#[test]
fn no_name_ends_as_those_of_a_histograms_or_a_counters_series_do() {
    // Prometheus adds these to names itself: a reader would take the metric for a part of another.
    let endings = ["_bucket", "_count", "_created", "_info", "_sum", "_total"];
    for metric in METRICS {
        let name = match metric.kind {
            Kind::Counter => metric.prometheus.trim_end_matches("_total"),
            _ => metric.prometheus,
        };
        assert!(!endings.iter().any(|ending| name.ends_with(ending)), "{name}");
    }
}
