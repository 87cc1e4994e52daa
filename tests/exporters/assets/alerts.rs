//! The alerting rules.

use super::{metric, refused};
use std::fmt::Write;

/// The page with a section on each alert.
const RUNBOOK: &str = "https://docs.rs/limit-exporters/latest/limit_exporters/runbook/index.html";

pub(crate) struct Alert {
    pub(crate) name: &'static str,
    severity: &'static str,
    lasts: &'static str,
    expression: String,
    summary: &'static str,
    description: &'static str,
}

impl Alert {
    /// Returns the section of the documentation that says what to do.
    pub(crate) fn runbook_url(&self) -> String {
        format!("{RUNBOOK}#{}", self.name.to_lowercase())
    }
}

pub(crate) fn alerting_rules() -> Vec<Alert> {
    [of_admissions(), of_states(), of_fleets()].into_iter().flatten().collect()
}

/// Returns the alerts about calls that are not admitted, or not soon.
fn of_admissions() -> Vec<Alert> {
    let (usage, limit) = (metric("permit.usage"), metric("permit.limit"));
    let (waiting, calls) = (metric("queued_calls"), metric("acquisitions"));
    let (waits, oldest_wait, stalled) =
        (metric("wait_time"), metric("oldest_wait"), metric("stalled"));
    let (full_keys, total) = (metric("full_keys"), metric("permit.limit_of_all_keys"));
    let (key_usage, key_limit) =
        (metric("worst_key.permit.usage"), metric("worst_key.permit.limit"));
    let key_waiting = metric("worst_key.queued_calls");
    let refused = refused();
    vec![
        Alert {
            name: "ConcurrencyLimitStalled",
            severity: "critical",
            lasts: "1m",
            expression: format!("{stalled} > 120"),
            summary: "{{ $labels.limiter }} admits no calls",
            description: "For {{ $value | humanizeDuration }} calls have waited for permits of concurrency limit \
                          {{ $labels.limiter }}, and none was admitted: the calls that hold its permits do not end.",
        },
        Alert {
            name: "ConcurrencyLimitSaturated",
            severity: "warning",
            lasts: "5m",
            // With keys the limit is that of each key: the worst one counts, and the total.
            expression: format!(
                "(\n  {usage} >= {limit} > 0\n  unless ignoring (runtime)\n  {full_keys}\n  or\n  \
                 {usage} >= ignoring (runtime) group_left () {total}\n)\n\
                 and\n{waiting} > 0\n\
                 or\n{key_usage} >= {key_limit} > 0\nand\n{key_waiting} > 0"
            ),
            summary: "All permits of {{ $labels.limiter }} are out",
            description: "For five minutes all permits of concurrency limit {{ $labels.limiter }}, or of one of its \
                          keys, have been out ({{ $value }} of them) and calls have waited.",
        },
        Alert {
            name: "ConcurrencyLimitRejecting",
            severity: "warning",
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
            expression: format!(
                "histogram_quantile(0.99, rate({waits}_bucket[5m])) > 1.1\nor\n{oldest_wait} > 30"
            ),
            summary: "Calls wait long for {{ $labels.limiter }}",
            description: "For five minutes one in a hundred of the calls that wait for concurrency limit \
                          {{ $labels.limiter }} has waited {{ $value | humanizeDuration }} or more, or one call has \
                          waited so long.",
        },
    ]
}

/// Returns the alerts about the state of one limiter.
fn of_states() -> Vec<Alert> {
    let (limit, calls) = (metric("permit.limit"), metric("acquisitions"));
    let (waiting, closed, held_off) =
        (metric("queued_calls"), metric("closed"), metric("adaptive.held_off"));
    let oldest = metric("oldest_holder.start_timestamp");
    let (deadlocked, taken_back) = (metric("deadlocked"), metric("grants.taken_back"));
    vec![
        Alert {
            name: "ConcurrencyLimitHolderStuck",
            severity: "warning",
            lasts: "1m",
            expression: format!("time() - {oldest}\n> 300"),
            summary: "A holder of {{ $labels.limiter }} does not end",
            description: "A call has held permits of concurrency limit {{ $labels.limiter }} for \
                          {{ $value | humanizeDuration }}. The log and the console show its place in the code.",
        },
        Alert {
            name: "ConcurrencyLimitPausedOrClosed",
            severity: "warning",
            lasts: "10m",
            // The limit of a limiter that no call has needed may not be known yet, and is 0 then. It is 0 as well while a
            // backend asks for a pause, which ends by itself.
            expression: format!(
                "{limit} == 0\nand\n{waiting} + sum without (result) ({calls}) > 0\n\
                 unless ignoring (runtime)\n{held_off} == 1\nor\n{closed} == 1"
            ),
            summary: "{{ $labels.limiter }} is paused or closed",
            description: "For ten minutes concurrency limit {{ $labels.limiter }} has been paused (its limit is 0, and \
                          every call waits) or closed (every call is refused).",
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
    ]
}

/// Returns the alerts about limits over a fleet.
fn of_fleets() -> Vec<Alert> {
    let (fleet_limit, wanted) = (metric("fleet.permit.limit"), metric("fleet.permit.limit_here"));
    let (renewals, lease) = (metric("fleet.renewals"), metric("fleet.lease.remaining"));
    let nodes = metric("fleet.nodes");
    vec![
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

pub(super) fn alerts() -> String {
    let mut yaml = String::from(
        "# Alerting rules for limit-runtime's metrics. The runbook explains each threshold. They are a start: set\n\
         # them to what is normal for your limits.\n\
         groups:\n  - name: concurrency-limit\n    rules:\n",
    );
    for alert in alerting_rules() {
        let runbook = alert.runbook_url();
        let Alert { name, severity, lasts, expression, summary, description } = alert;
        let expression = expression.replace('\n', "\n          ");
        let written = write!(
            yaml,
            "      - alert: {name}\n        expr: |-\n          {expression}\n        for: {lasts}\n        \
             labels:\n          severity: {severity}\n        annotations:\n          \
             summary: \"{summary}\"\n          description: \"{description}\"\n          \
             runbook_url: {runbook}\n"
        );
        written.expect("a string takes everything");
    }
    yaml
}
