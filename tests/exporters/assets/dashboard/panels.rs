//! The panels and their queries.

use super::super::{metric, refused};
use super::{CHOSEN, Form, Panel, Row, WORST};

pub(super) fn rows() -> Vec<Row> {
    let row = |title, collapsed, panels| Row { title, collapsed, panels };
    vec![
        row("At a glance", false, numbers()),
        row("The worst limiters", false, vec![table()]),
        row("Since when", false, worst()),
        row("All limiters that are chosen", true, all()),
        row("Limits that adapt", true, adaptive()),
        row("Shares", true, shares()),
        row("Keys", true, keys()),
        row("Fleets", true, fleets()),
    ]
}

/// Selects the series of a metric.
fn chosen(name: &str) -> String {
    format!("{}{{{CHOSEN}}}", metric(name))
}

fn sum(name: &str) -> String {
    format!("sum by (limiter) ({})", chosen(name))
}

/// Each process has such a figure, and the worst counts.
fn max(name: &str) -> String {
    format!("max by (limiter) ({})", chosen(name))
}

fn min(name: &str) -> String {
    format!("min by (limiter) ({})", chosen(name))
}

fn rate(name: &str, more: &str, by: &str) -> String {
    format!("sum by ({by}) (rate({}{{{CHOSEN}{more}}}[$__rate_interval]))", metric(name))
}

/// The refused calls, each second.
fn refused_rate(by: &str) -> String {
    rate("acquisitions", &format!(",result=~\"{}\"", refused()), by)
}

/// The share of the permits that is out: with keys, that of the worst key, or of all keys together if that is more.
/// Paused limiters have none.
fn use_of(by: &str) -> String {
    let [usage, limit, total] =
        ["permit.usage", "permit.limit", "permit.limit_of_all_keys"].map(chosen);
    let [keys, key_usage, key_limit] =
        ["full_keys", "worst_key.permit.usage", "worst_key.permit.limit"].map(chosen);
    let without_keys = format!("{usage} / ({limit} > 0) unless ignoring (runtime) {keys}");
    let worst_key = format!("{key_usage} / ({key_limit} > 0)");
    let together = format!("{usage} / ignoring (runtime) group_left () ({total} > 0)");
    // The label keeps the two figures of a limiter with keys apart.
    let together = format!("label_replace({together}, \"of\", \"all keys\", \"\", \"\")");
    format!("max by ({by}) ({without_keys} or {worst_key} or {together})")
}

/// The time for which each limiter has admitted no call while calls waited, from two minutes on. See the alert
/// `ConcurrencyLimitStalled`.
fn stalled(by: &str) -> String {
    format!("max by ({by}) ({}) > 120", chosen("stalled"))
}

/// 1 for each limiter that is paused or closed.
fn paused_or_closed(by: &str) -> String {
    let [limit, closed, calls, held_off] =
        ["permit.limit", "closed", "acquisitions", "adaptive.held_off"].map(chosen);
    let paused = format!(
        "({limit} == 0 and sum without (result) ({calls}) > 0 unless ignoring (runtime) {held_off} == 1) + 1"
    );
    format!("max by ({by}) ({paused} or {closed} == 1)")
}

fn topk(expression: &str) -> String {
    format!("topk({WORST}, {expression})")
}

/// The worst limiters of which a figure is not 0.
fn worst_above_0(expression: &str) -> String {
    topk(&format!("{expression} > 0"))
}

fn percentile(name: &str, quantile: &str, by: &str) -> String {
    let rate = format!("rate({}_bucket{{{CHOSEN}}}[$__rate_interval])", metric(name));
    format!("histogram_quantile({quantile}, sum by ({by}, le) ({rate}))")
}

fn percentiles(panel: Panel, name: &str) -> Panel {
    let quantiles = [("0.5", "p50"), ("0.9", "p90"), ("0.99", "p99")];
    quantiles.into_iter().fold(panel, |panel, (quantile, called)| {
        panel.show(percentile(name, quantile, "limiter"), format!("{{{{limiter}}}} {called}"))
    })
}

fn numbers() -> Vec<Panel> {
    let number = |title, description, unit, expression: String| {
        Panel::new(Form::Number, title, description, unit).show(expression, "")
    };
    // A count of nothing has no value.
    let count = |expression: String| format!("count({expression}) or vector(0)");
    let all = |expression: String| format!("sum({expression}) or vector(0)");
    vec![
        number(
            "Stalled",
            "Limiters at which calls wait, and none was admitted for two minutes.",
            "short",
            count(stalled("limiter, instance")),
        )
        .thresholds(1.0, 1.0),
        number(
            "Full",
            "Limiters whose permits are all out; with keys, of one key.",
            "short",
            count(format!("{} >= 1", use_of("limiter, instance"))),
        )
        .thresholds(1.0, f64::INFINITY),
        number("Waiting", "Calls that wait for permits.", "short", all(chosen("queued_calls"))),
        number(
            "Oldest wait",
            "The time for which the oldest waiter has waited.",
            "s",
            format!("max({}) or vector(0)", chosen("oldest_wait")),
        )
        .thresholds(10.0, 30.0),
        number(
            "Refused",
            "Refused calls, each second. Those of closed limiters are not among them.",
            "ops",
            all(refused_rate("limiter")),
        )
        .thresholds(0.01, f64::INFINITY),
        number(
            "Paused or closed",
            "Limiters whose limit is 0, or that refuse every call.",
            "short",
            count(paused_or_closed("limiter, instance")),
        )
        .thresholds(1.0, f64::INFINITY),
    ]
}

fn table() -> Panel {
    const BY: &str = "limiter, instance";
    let by = |name: &str| format!("max by ({BY}) ({})", chosen(name));
    Panel::new(
        Form::Table,
        "The worst limiters",
        "The limiters with the most waiters, the longest waits, the most refusals and the least room. A name leads to \
         the limiter's page, if the variable `page` has its address.",
        "short",
    )
    .column(topk(&stalled(BY)), "Stalled for", "s", Some((120.0, 120.0)))
    .column(
        worst_above_0(&format!("sum by ({BY}) ({})", chosen("queued_calls"))),
        "Waiting",
        "short",
        None,
    )
    .column(worst_above_0(&by("oldest_wait")), "Oldest wait", "s", Some((10.0, 30.0)))
    .column(worst_above_0(&refused_rate(BY)), "Refused a second", "ops", Some((0.01, f64::INFINITY)))
    .column(worst_above_0(&use_of(BY)), "In use", "percentunit", Some((0.8, 1.0)))
    .column(
        worst_above_0(&percentile("wait_time", "0.99", BY)),
        "p99 wait",
        "s",
        Some((1.1, 10.0)),
    )
}

fn worst() -> Vec<Panel> {
    let oldest = chosen("oldest_holder.start_timestamp");
    vec![
        Panel::lines("Share of the permits in use", "With keys, of the worst key or of all together. At 100 % calls wait or are refused.", "percentunit")
            .show(topk(&use_of("limiter")), "{{limiter}}")
            .thresholds(0.8, 1.0),
        Panel::lines("Waiting", "Calls that wait for permits.", "short")
            .show(topk(&sum("queued_calls")), "{{limiter}}"),
        Panel::lines("Oldest wait", "The time for which the oldest waiter has waited. A line that climbs by one second each second is a limiter that no call leaves.", "s")
            .show(topk(&max("oldest_wait")), "{{limiter}}")
            .thresholds(10.0, 30.0),
        Panel::lines("Stalled", "The time for which calls have waited and none was admitted. Paused and closed limiters have none.", "s")
            .show(worst_above_0(&max("stalled")), "{{limiter}}")
            .thresholds(10.0, 120.0),
        Panel::lines("Admitted", "Calls that got permits, each second.", "ops")
            .show(topk(&rate("acquisitions", ",result=~\"admitted_.*\"", "limiter")), "{{limiter}}"),
        Panel::lines("Share refused", "Of all calls. Those of closed limiters are not among them.", "percentunit")
            .show(topk(&format!("{} / {}", refused_rate("limiter"), rate("acquisitions", "", "limiter"))), "{{limiter}}")
            .thresholds(0.05, f64::INFINITY),
        Panel::new(Form::Heatmap, "Waits", "How many calls were admitted after which wait.", "s")
            .show(
                format!("sum by (le) (increase({}_bucket{{{CHOSEN}}}[$__rate_interval]))", metric("wait_time")),
                "{{le}}",
            ),
        Panel::lines("Age of the oldest holder", "With the feature `diagnostics`.", "s")
            .show(topk(&format!("max by (limiter) (time() - {oldest})")), "{{limiter}}")
            .thresholds(60.0, 300.0),
        Panel::lines("Deadlocked", "1 while calls of the limiter wait for each other. With the feature `diagnostics`.", "short")
            .show(topk(&max("deadlocked")), "{{limiter}}")
            .thresholds(1.0, 1.0),
    ]
}

fn all() -> Vec<Panel> {
    let policy = |name: &str| format!("max by (limiter, {name}) ({})", chosen(name));
    vec![
        Panel::lines("Permits in use", "Permits that are out, and how many there are.", "short")
            .show(sum("permit.usage"), "{{limiter}}")
            .show(sum("permit.limit"), "{{limiter}} limit"),
        Panel::stacked("Calls by result", "What became of calls, each second.", "ops")
            .show(rate("acquisitions", "", "result"), "{{result}}"),
        percentiles(Panel::lines("Wait time", "Of calls that waited and were admitted.", "s"), "wait_time"),
        percentiles(Panel::lines("Hold time", "Of a sample of the calls. With the feature `diagnostics`.", "s"), "hold_time"),
        Panel::stacked("Limit changes", "By who made them: a file, the environment, the program.", "short")
            .show(
                format!(
                    "sum by (limiter, source) (increase({}[$__rate_interval]))",
                    chosen("limit.changes")
                ),
                "{{limiter}} {{source}}",
            ),
        Panel::lines("Grants taken back", "Permits that waiters were handed and had not claimed in time, each second.", "ops")
            .show(rate("grants.taken_back", "", "limiter"), "{{limiter}}"),
        Panel::lines("Paused or closed", "1 while the limit is 0, or the limiter refuses every call.", "short")
            .show(paused_or_closed("limiter"), "{{limiter}}")
            .show(max("closed"), "{{limiter}} closed"),
        Panel::lines("Enforced", "1 while the limit holds, 0 while it is in shadow or off.", "short")
            .show(min("enforced"), "{{limiter}}"),
        Panel::lines("Bounds of the queue", "The most calls that may wait, and the longest time in seconds. Nothing is shown without a bound.", "short")
            .show(min("max_waiting"), "{{limiter}} calls")
            .show(min("max_waiting_of_all_keys"), "{{limiter}} calls of all keys")
            .show(min("max_wait"), "{{limiter}} seconds"),
        Panel::lines("Ramp", "Permits that are not let in yet after a start, and the seconds in which all are. Nothing is shown without a ramp.", "short")
            .show(max("permit.withheld"), "{{limiter}} withheld")
            .show(max("ramp"), "{{limiter}} seconds"),
        Panel::lines("Scope, order and window", "The calls that share the permits, the waiter that is served first, and the window of a rate in seconds.", "short")
            .show(policy("scope"), "{{limiter}} {{scope}}")
            .show(policy("order"), "{{limiter}} {{order}}")
            .show(max("window"), "{{limiter}} window"),
    ]
}

fn adaptive() -> Vec<Panel> {
    let [limit, total, low] =
        ["permit.limit", "permit.limit_of_all_keys", "adaptive.limit.low"].map(chosen);
    // With keys the limit over all of them adapts. The limit alone may have the label `runtime`.
    let process = "on (limiter, job, instance)";
    let chosen_limit = format!(
        "max by (limiter) (({limit} unless {process} {total} or {total}) and {process} {low})"
    );
    vec![
        Panel::lines("Limit and its range", "The limit that was chosen, the range in which it adapts, and with advice the limit that it would choose.", "short")
            .show(chosen_limit, "{{limiter}}")
            .show(max("adaptive.limit.low"), "{{limiter}} low")
            .show(max("adaptive.limit.high"), "{{limiter}} high")
            .show(max("adaptive.advice"), "{{limiter}} advice"),
        Panel::stacked("Changes by adaptation", "By reason. A question halves the limit for a moment, and the answer brings it back.", "short")
            .show(
                format!(
                    "sum by (limiter, reason) (increase({}[$__rate_interval]))",
                    chosen("adaptive.changes")
                ),
                "{{limiter}} {{reason}}",
            ),
        Panel::lines("Time of a call behind the limiter", "At the limit, and at half of it, where a call waits for no other. The more they differ, the more calls wait behind the limiter.", "s")
            .show(max("adaptive.time"), "{{limiter}}")
            .show(max("adaptive.base_time"), "{{limiter}} at half"),
        Panel::lines("Queue behind the limiter", "Running calls that wait for others there. Beside them, 1 while the limit is held at a number that somebody set, and 1 while new calls are held off.", "short")
            .show(max("adaptive.queued_calls"), "{{limiter}}")
            .show(max("adaptive.frozen"), "{{limiter}} held at a number")
            .show(max("adaptive.held_off"), "{{limiter}} held off"),
    ]
}

fn shares() -> Vec<Panel> {
    let of_each = |name: &str| format!("sum by (limiter, share) ({})", chosen(name));
    vec![
        Panel::lines("Permits of each share", "Permits that its calls have, and those that are guaranteed to them.", "short")
            .show(of_each("share.permit.usage"), "{{limiter}} {{share}}")
            .show(of_each("share.permit.guaranteed"), "{{limiter}} {{share}} guaranteed"),
        Panel::lines("Waiting calls of each share", "A share that waits while it has less than it is guaranteed gets the next permits that come back.", "short")
            .show(of_each("share.queued_calls"), "{{limiter}} {{share}}"),
        Panel::lines("Calls of each share", "Admitted and refused, each second.", "ops")
            .show(rate("share.admissions", "", "limiter, share"), "{{limiter}} {{share}}")
            .show(rate("share.refusals", "", "limiter, share"), "{{limiter}} {{share}} refused"),
    ]
}

fn keys() -> Vec<Panel> {
    vec![
        Panel::lines("Keys", "Keys that have holders or waiters, and keys whose permits are all out.", "short")
            .show(sum("active_keys"), "{{limiter}}")
            .show(sum("full_keys"), "{{limiter}} full"),
        Panel::lines("The worst key", "Permits that are out of the key with the most waiters, and the calls that wait for it.", "short")
            .show(max("worst_key.permit.usage"), "{{limiter}}")
            .show(max("worst_key.permit.limit"), "{{limiter}} limit")
            .show(max("worst_key.queued_calls"), "{{limiter}} waiting"),
        Panel::lines("All keys together", "Permits that are out, and the limit over all keys.", "short")
            .show(format!("{} and {}", sum("permit.usage"), sum("permit.limit_of_all_keys")), "{{limiter}}")
            .show(sum("permit.limit_of_all_keys"), "{{limiter}} limit"),
    ]
}

fn fleets() -> Vec<Panel> {
    // Each process shows the figures of the whole fleet.
    let of_all = |name: &str| format!("max by (limiter, key) ({})", chosen(name));
    let of_each = |name: &str| format!("max by (limiter, key, instance) ({})", chosen(name));
    vec![
        Panel::lines("Fleet: in use", "Calls that run in all processes, the limit in force, and the largest that a process wants.", "short")
            .show(of_all("fleet.permit.usage"), "{{limiter}} {{key}}")
            .show(of_all("fleet.permit.limit"), "{{limiter}} {{key}} limit")
            .show(of_all("fleet.permit.limit_here"), "{{limiter}} {{key}} wanted"),
        Panel::lines("Fleet: shares", "Permits that each process may use, and those that it can use.", "short")
            .show(of_each("fleet.permit.share"), "{{limiter}} {{key}} {{instance}}")
            .show(of_each("fleet.permit.want"), "{{limiter}} {{key}} {{instance}} can use"),
        Panel::lines("Fleet: processes", "Processes that the ledger knows, and those that wait for permits.", "short")
            .show(of_all("fleet.nodes"), "{{limiter}} {{key}}")
            .show(of_all("fleet.queued_nodes"), "{{limiter}} {{key}} wait")
            .show(of_all("fleet.learning"), "{{limiter}} {{key}} learns"),
        Panel::stacked("Fleet: renewals by result", "Renewals of leases, each second.", "ops")
            .show(rate("fleet.renewals", "", "limiter, result"), "{{limiter}} {{result}}"),
        Panel::lines("Fleet: time until the lease ends", "0 without a lease.", "s")
            .show(of_each("fleet.lease.remaining"), "{{limiter}} {{key}} {{instance}}"),
        Panel::lines("Fleet: time of the store", "The time that the store took for its last answer.", "s")
            .show(of_each("fleet.store.time"), "{{limiter}} {{key}} {{instance}}"),
    ]
}
