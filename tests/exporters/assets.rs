//! The dashboard and the alerting rules, made from the list of metrics.

use limit_exporters::METRICS;
use limit_runtime::RejectedKind;
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Returns the path and the content of each file.
pub(crate) fn all() -> [(PathBuf, String); 2] {
    let path = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets").join(name);
    [(path("grafana.json"), dashboard()), (path("alerts.yml"), alerts())]
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

struct Alert {
    name: &'static str,
    severity: &'static str,
    lasts: &'static str,
    expression: String,
    summary: &'static str,
    description: &'static str,
}

fn alerting_rules() -> [Alert; 8] {
    let (usage, limit) = (metric("permit.usage"), metric("permit.limit"));
    let (waiting, calls) = (metric("queued_calls"), metric("acquisitions"));
    let (waits, oldest) = (metric("wait_time"), metric("oldest_holder.start_timestamp"));
    let refused = refused();
    let (fleet_limit, wanted) = (metric("fleet.permit.limit"), metric("fleet.permit.limit_here"));
    let (renewals, lease) = (metric("fleet.renewals"), metric("fleet.lease.remaining"));
    let nodes = metric("fleet.nodes");
    let (deadlocked, taken_back) = (metric("deadlocked"), metric("grants.taken_back"));
    [
        Alert {
            name: "ConcurrencyLimitSaturated",
            severity: "warning",
            lasts: "5m",
            expression: format!("{usage} >= {limit}\nand\n{waiting} > 0"),
            summary: "All permits of {{ $labels.limiter }} are out",
            description: "For five minutes all permits of concurrency limit {{ $labels.limiter }} \
                          have been out ({{ $value }} of them) and calls have waited.",
        },
        Alert {
            name: "ConcurrencyLimitRejecting",
            severity: "critical",
            lasts: "5m",
            expression: format!(
                "sum without (result) (rate({calls}{{result=~\"{refused}\"}}[5m]))\n/\n\
                 sum without (result) (rate({calls}[5m]))\n> 0.05"
            ),
            summary: "{{ $labels.limiter }} refuses calls",
            description: "Concurrency limit {{ $labels.limiter }} has refused \
                          {{ $value | humanizePercentage }} of its calls for five minutes.",
        },
        Alert {
            name: "ConcurrencyLimitWaitHigh",
            severity: "warning",
            lasts: "5m",
            // Just above a bound: quantiles within a bucket are interpolated.
            expression: format!("histogram_quantile(0.99, rate({waits}_bucket[5m]))\n> 1.1"),
            summary: "Calls wait long for {{ $labels.limiter }}",
            description: "Of the calls that wait for concurrency limit {{ $labels.limiter }}, one in \
                          a hundred has waited {{ $value | humanizeDuration }} or more for five minutes.",
        },
        Alert {
            name: "ConcurrencyLimitHolderStuck",
            severity: "warning",
            lasts: "1m",
            expression: format!("time() - {oldest}\n> 300"),
            summary: "A holder of {{ $labels.limiter }} does not end",
            description: "A call has held permits of concurrency limit {{ $labels.limiter }} for \
                          {{ $value | humanizeDuration }}.",
        },
        Alert {
            name: "ConcurrencyLimitDeadlock",
            severity: "critical",
            lasts: "1m",
            expression: format!("{deadlocked} == 1"),
            summary: "Calls wait for each other at {{ $labels.limiter }}",
            description: "For a minute calls have waited for permits of concurrency limit {{ $labels.limiter }} \
                          that come back only when these calls go on. The log and the console show each call and \
                          who holds what it waits for. Raise the limit, cancel one of the calls or restart the \
                          process. Then take the limits in one order everywhere.",
        },
        Alert {
            name: "ConcurrencyLimitGrantsTakenBack",
            severity: "warning",
            lasts: "10m",
            expression: format!("increase({taken_back}[5m])\n> 3"),
            summary: "Grants of {{ $labels.limiter }} are taken back",
            description: "For ten minutes grants of concurrency limit {{ $labels.limiter }} have been taken back, \
                          {{ $value | humanize }} in the last five: calls that were handed permits were not \
                          polled. With the feature diagnostics the log names their places.",
        },
        Alert {
            name: "ConcurrencyLimitFleetCutOff",
            severity: "critical",
            lasts: "1m",
            expression: format!(
                "sum without (result) (rate({renewals}{{result=~\"failed|refused\"}}[2m])) > 0\nand\n{lease} == 0"
            ),
            summary: "A process gets no permits of {{ $labels.limiter }}",
            description: "For a minute the process has had no lease of concurrency limit \
                          {{ $labels.limiter }} and cannot renew it: the store cannot be reached, or the \
                          processes of the fleet have different leases.",
        },
        Alert {
            name: "ConcurrencyLimitFleetDisagrees",
            severity: "warning",
            lasts: "10m",
            expression: format!("{wanted} > {fleet_limit}\nand\n{nodes} > 0"),
            summary: "Processes want different limits of {{ $labels.limiter }}",
            description: "For ten minutes this process has wanted a limit of {{ $value }} over the fleet for \
                          concurrency limit {{ $labels.limiter }}, and another process has wanted less. The \
                          smallest holds.",
        },
    ]
}

fn alerts() -> String {
    let mut yaml = String::from(
        "# Alerting rules for limit-runtime's metrics. Thresholds are a start: set them to what is\n\
         # normal for your limits.\n\
         groups:\n  - name: concurrency-limit\n    rules:\n",
    );
    for alert in alerting_rules() {
        let Alert { name, severity, lasts, expression, summary, description } = alert;
        let expression = expression.replace('\n', "\n          ");
        let written = write!(
            yaml,
            "      - alert: {name}\n        expr: |-\n          {expression}\n        for: {lasts}\n        \
             labels:\n          severity: {severity}\n        annotations:\n          \
             summary: \"{summary}\"\n          description: \"{description}\"\n"
        );
        written.expect("a string takes everything");
    }
    yaml
}

/// The labels of the series that the dashboard's variables select.
const CHOSEN: &str = "limiter=~\"$limiter\",job=~\"$job\"";

struct Panel {
    title: &'static str,
    description: &'static str,
    unit: &'static str,
    /// Expressions, and the legends of their series.
    targets: Vec<(String, String)>,
    /// `true` if the series are stacked.
    stacked: bool,
}

impl Panel {
    fn new(title: &'static str, description: &'static str, unit: &'static str) -> Self {
        Self { title, description, unit, targets: Vec::new(), stacked: false }
    }

    fn stacked(mut self) -> Self {
        self.stacked = true;
        self
    }

    fn show(mut self, expression: impl Into<String>, called: impl Into<String>) -> Self {
        self.targets.push((expression.into(), called.into()));
        self
    }

    fn percentiles(mut self, metric: &str) -> Self {
        for (quantile, called) in [("0.5", "p50"), ("0.9", "p90"), ("0.99", "p99")] {
            let rate = format!("rate({metric}_bucket{{{CHOSEN}}}[$__rate_interval])");
            let expression =
                format!("histogram_quantile({quantile}, sum by (limiter, le) ({rate}))");
            self = self.show(expression, format!("{{{{limiter}}}} {called}"));
        }
        self
    }
}

fn panels() -> Vec<Panel> {
    let sum = |metric: &str| format!("sum by (limiter) ({metric}{{{CHOSEN}}})");
    let rate = |metric: &str, more: &str, by: &str| {
        format!("sum by ({by}) (rate({metric}{{{CHOSEN}{more}}}[$__rate_interval]))")
    };
    // Each process shows the figures of the whole fleet.
    let of_all = |name: &str| format!("max by (limiter, key) ({}{{{CHOSEN}}})", metric(name));
    let of_each =
        |name: &str| format!("max by (limiter, key, instance) ({}{{{CHOSEN}}})", metric(name));
    let (usage, limit) = (sum(metric("permit.usage")), sum(metric("permit.limit")));
    let calls = metric("acquisitions");
    let refused = rate(calls, &format!(",result=~\"{}\"", refused()), "limiter");
    let oldest = format!("{}{{{CHOSEN}}}", metric("oldest_holder.start_timestamp"));
    vec![
        Panel::new("Permits in use", "Permits that are out, and how many there are.", "short")
            .show(usage.clone(), "{{limiter}}")
            .show(limit.clone(), "{{limiter}} limit"),
        Panel::new(
            "Share of the limit in use",
            "Near 100% calls wait or are refused. More, where a limit is that of each runtime or key.",
            "percentunit",
        )
        .show(format!("{usage} / {limit}"), "{{limiter}}"),
        Panel::new("Waiting", "Calls that wait for permits.", "short")
            .show(sum(metric("queued_calls")), "{{limiter}}"),
        Panel::new("Calls by result", "What became of calls, each second.", "ops")
            .show(rate(calls, "", "result"), "{{result}}")
            .stacked(),
        Panel::new("Share refused", "Of all calls. Those of closed limiters are not among them.", "percentunit")
            .show(format!("{refused} / {}", rate(calls, "", "limiter")), "{{limiter}}"),
        Panel::new("Wait time", "Of calls that waited and were admitted.", "s")
            .percentiles(metric("wait_time")),
        Panel::new("Grants taken back", "Permits that waiters were handed and had not claimed in time, each second.", "ops")
            .show(rate(metric("grants.taken_back"), "", "limiter"), "{{limiter}}"),
        Panel::new("Deadlocked", "1 while calls of the limiter wait for each other. With the feature `diagnostics`.", "short")
            .show(format!("max by (limiter) ({}{{{CHOSEN}}})", metric("deadlocked")), "{{limiter}}"),
        Panel::new("Limit changes", "By who made them: a file, the environment, the program.", "short")
            .show(
                format!(
                    "sum by (limiter, source) (increase({}{{{CHOSEN}}}[$__rate_interval]))",
                    metric("limit.changes")
                ),
                "{{limiter}} {{source}}",
            )
            .stacked(),
        Panel::new("Keys in use", "Keys that have holders or waiters.", "short")
            .show(sum(metric("active_keys")), "{{limiter}}"),
        Panel::new("Hold time", "Of a sample of the calls. With the feature `diagnostics`.", "s")
            .percentiles(metric("hold_time")),
        Panel::new("Fleet: in use", "Calls that run in all processes, the limit in force, and the largest that a process wants.", "short")
            .show(of_all("fleet.permit.usage"), "{{limiter}} {{key}}")
            .show(of_all("fleet.permit.limit"), "{{limiter}} {{key}} limit")
            .show(of_all("fleet.permit.limit_here"), "{{limiter}} {{key}} wanted"),
        Panel::new("Fleet: shares", "Permits that each process may use, and those that it can use.", "short")
            .show(of_each("fleet.permit.share"), "{{limiter}} {{key}} {{instance}}")
            .show(of_each("fleet.permit.want"), "{{limiter}} {{key}} {{instance}} can use"),
        Panel::new("Fleet: processes", "Processes that the ledger knows, and those that wait for permits.", "short")
            .show(of_all("fleet.nodes"), "{{limiter}} {{key}}")
            .show(of_all("fleet.queued_nodes"), "{{limiter}} {{key}} wait")
            .show(of_all("fleet.learning"), "{{limiter}} {{key}} learns"),
        Panel::new("Fleet: renewals by result", "Renewals of leases, each second.", "ops")
            .show(rate(metric("fleet.renewals"), "", "limiter, result"), "{{limiter}} {{result}}")
            .stacked(),
        Panel::new("Fleet: time until the lease ends", "0 without a lease.", "s")
            .show(of_each("fleet.lease.remaining"), "{{limiter}} {{key}} {{instance}}"),
        Panel::new("Fleet: time of the store", "The time that the store took for its last answer.", "s")
            .show(of_each("fleet.store.time"), "{{limiter}} {{key}} {{instance}}"),
        Panel::new("Age of the oldest holder", "With the feature `diagnostics`.", "s")
            .show(format!("max by (limiter) (time() - {oldest})"), "{{limiter}}"),
    ]
}

fn dashboard() -> String {
    let datasource = json!({ "type": "prometheus", "uid": "${datasource}" });
    let panels: Vec<_> = std::iter::zip(0.., panels())
        .map(|(index, panel)| {
            let targets: Vec<_> = std::iter::zip('A'.., panel.targets)
                .map(|(reference, (expression, called))| {
                    json!({
                        "datasource": datasource,
                        "expr": expression,
                        "legendFormat": called,
                        "refId": reference.to_string(),
                    })
                })
                .collect();
            json!({
                "id": index + 1,
                "type": "timeseries",
                "title": panel.title,
                "description": panel.description,
                "datasource": datasource,
                "gridPos": { "h": 8, "w": 12, "x": index % 2 * 12, "y": index / 2 * 8 },
                "fieldConfig": {
                    "defaults": {
                        "unit": panel.unit,
                        "min": 0,
                        "custom": {
                            "fillOpacity": if panel.stacked { 30 } else { 0 },
                            "stacking": { "mode": if panel.stacked { "normal" } else { "none" } },
                        },
                    },
                    "overrides": [],
                },
                "options": {
                    "legend": { "displayMode": "list", "placement": "bottom" },
                    "tooltip": { "mode": "multi", "sort": "desc" },
                },
                "targets": targets,
            })
        })
        .collect();
    let variable = |name: &str, label: &str| {
        let query = format!("label_values({}, {name})", metric("permit.limit"));
        json!({
            "name": name,
            "label": label,
            "type": "query",
            "datasource": datasource,
            "definition": query,
            "query": { "query": query, "refId": "StandardVariableQuery" },
            "refresh": 2,
            "sort": 1,
            "includeAll": true,
            "multi": true,
            "allValue": ".*",
            "current": { "text": "All", "value": "$__all" },
        })
    };
    let dashboard = json!({
        "uid": "limit-runtime",
        "title": "Concurrency limits",
        "tags": ["concurrency", "limit-runtime"],
        "editable": true,
        "graphTooltip": 1,
        "schemaVersion": 39,
        "version": 1,
        "refresh": "30s",
        "time": { "from": "now-1h", "to": "now" },
        "templating": {
            "list": [
                {
                    "name": "datasource",
                    "label": "Data source",
                    "type": "datasource",
                    "query": "prometheus",
                    "current": {},
                },
                variable("job", "Job"),
                variable("limiter", "Limiter"),
            ],
        },
        "panels": panels,
    });
    let json = serde_json::to_string_pretty(&sorted(dashboard)).expect("it is JSON");
    json + "\n"
}

/// Sorts the keys of all maps. Their order depends on features of the JSON library.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            let entries = entries.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}
