//! Helpers of several tests.

use crate::adapting;
use limit_exporters::Metric;
use limit_exporters::prometheus::Collector;
use limit_runtime::{Figures, Limiter, RejectedKind, Share, Snapshot};
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Makes a runtime for this thread.
pub(crate) fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime can be made")
}

/// Returns the text of a registry with that collector.
pub(crate) fn encoded(collector: Collector) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(collector));
    encode(&registry)
}

/// Returns the text of a registry.
pub(crate) fn encode(registry: &Registry) -> String {
    let mut text = String::new();
    text::encode(&mut text, registry).expect("a string takes everything");
    text
}

/// Returns whether exporters show a metric in this build.
pub(crate) fn is_built(metric: &Metric) -> bool {
    metric.needs.is_none_or(|needs| needs == "diagnostics" && cfg!(feature = "diagnostics"))
}

/// Returns whether a metric is there only for some limiters: those of a fleet, with keys, with a rate, with
/// shares, or with a limit that adapts.
pub(crate) fn is_of_some(metric: &Metric) -> bool {
    let some = [
        "full_keys",
        "worst_key",
        "limit_of_all_keys",
        "window",
        "ramp",
        "permit.withheld",
        "max_wait",
        ".adaptive.",
        ".share.",
    ];
    is_of_fleet(metric) || some.iter().any(|name| metric.name.contains(name))
}

/// Returns whether a metric is there only for limiters of a fleet.
pub(crate) fn is_of_fleet(metric: &Metric) -> bool {
    metric.name.contains(".fleet.")
}

/// Returns whether a series comes from `diagnostics`. Snapshots do not have it.
pub(crate) fn is_of_diagnostics(series: &str) -> bool {
    ["hold_time", "oldest_holder", "deadlocked"].iter().any(|name| series.contains(name))
}

/// Returns the samples of a text in Prometheus's format, by name and labels.
pub(crate) fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let samples = lines.map(|line| {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        (series.to_owned(), value.parse().expect("a number"))
    });
    samples.collect()
}

/// Returns the samples that Prometheus is to show of a limiter, without the buckets, by name and labels.
pub(crate) fn expected(snapshot: &Snapshot) -> BTreeMap<String, f64> {
    let Snapshot { name, total, limit_changes, scope, order, settings, .. } = snapshot;
    let mut expected = BTreeMap::new();
    let mut put = |metric: &str, label: Option<(&str, &str)>, value: f64| {
        let label = label.map(|(label, value)| format!(",{label}=\"{value}\"")).unwrap_or_default();
        expected.insert(format!("concurrency_limit_{metric}{{limiter=\"{name}\"{label}}}"), value);
    };
    put("permit_limit", None, figure(total.limit));
    put("permit_usage", None, figure(total.in_use));
    put("queued_calls", None, figure(total.waiting));
    put("active_keys", None, figure(total.keys));
    put("scope", Some(("scope", scope.as_str())), 1.0);
    put("order", Some(("order", order.as_str())), 1.0);
    let holds = settings.enabled.value && !settings.shadow.value;
    put("enforced", None, if holds { 1.0 } else { 0.0 });
    if let Some(most) = settings.max_waiting.value {
        put("max_waiting", None, figure(most));
    }
    if let Some(most) = settings.max_waiting_total.value {
        put("max_waiting_of_all_keys", None, figure(most));
    }
    if let Some(longest) = settings.max_wait.value {
        put("max_wait_seconds", None, longest.as_secs_f64());
    }
    // None of these limiters is closed or has a waiter that was seen twice.
    put("closed", None, 0.0);
    put("oldest_wait_seconds", None, 0.0);
    put("stalled_seconds", None, 0.0);
    for (result, count) in results(total) {
        put("acquisitions_total", Some(("result", result)), count);
    }
    put("grants_taken_back_total", None, number(total.taken_back));
    let changes = [
        ("file", limit_changes.file),
        ("environment", limit_changes.environment),
        ("live", limit_changes.live),
    ];
    for (source, count) in changes {
        put("limit_changes_total", Some(("source", source)), number(count));
    }
    put("wait_time_seconds_count", None, number(total.wait.count));
    put("wait_time_seconds_sum", None, total.wait.total.as_secs_f64());
    expected
}

/// Returns the values of the label `result`, and the number of calls of each.
pub(crate) fn results(total: &Figures) -> Vec<(&'static str, f64)> {
    let others = [
        ("admitted_at_once", total.admitted_at_once),
        ("admitted_after_waiting", total.admitted_after_waiting),
        ("cancelled", total.cancelled),
    ];
    let rejected = RejectedKind::ALL.iter().map(|&kind| (kind.as_str(), total.rejected.get(kind)));
    others.into_iter().chain(rejected).map(|(result, count)| (result, number(count))).collect()
}

pub(crate) fn figure(value: usize) -> f64 {
    number(value as u64)
}

#[expect(clippy::cast_precision_loss, reason = "tests count to less than 2^53")]
pub(crate) fn number(value: u64) -> f64 {
    value as f64
}

/// Makes calls with every result that needs no fleet: 3 admitted at once, 2 admitted after waiting, 1 cancelled, 4 without permits,
/// 1 queue full, 1 timed out, 1 too heavy, 2 closed, 1 evicted. Changes the limit twice. One permit of 2 is out as
/// long as the returned value is there, and nobody waits.
pub(crate) async fn everything_once(
    limiter: &Limiter<limit_runtime::Rejected>,
) -> impl Drop + use<> {
    let first = limiter.acquire().await.expect("a permit is free"); // admitted at once
    limiter.set_max_waiting(0);
    limiter.acquire().await.expect_err("no call may wait"); // queue full
    limiter.set_max_waiting(3);
    let mut waiters = Vec::new();
    for _ in 0..3 {
        let mut waiter = Box::pin(limiter.acquire());
        assert!(futures::poll!(&mut waiter).is_pending(), "the limit is 1");
        waiters.push(waiter);
    }
    for _ in 0..4 {
        limiter.try_acquire().expect_err("no permit is free"); // no permits
    }
    limiter.acquire_many(3).await.expect_err("more than the limit"); // too heavy
    // At most 3 calls wait, and the newest is served first: the oldest is evicted.
    let mut newest = Box::pin(limiter.acquire());
    assert!(futures::poll!(&mut newest).is_pending());
    let evicted = waiters.remove(0).await.expect_err("it was the oldest");
    assert_eq!(evicted.kind(), RejectedKind::Evicted);
    drop(waiters.remove(0)); // cancelled
    let late = limiter.acquire().max_wait(Duration::from_millis(1)).await;
    assert_eq!(late.expect_err("no permit is free").kind(), RejectedKind::TimedOut);
    tokio::time::sleep(Duration::from_millis(20)).await;
    drop(first);
    drop(newest.await.expect("the newest is next")); // admitted after waiting
    tokio::time::sleep(Duration::from_millis(1)).await;
    drop(waiters.remove(0).await.expect("its turn")); // admitted after waiting
    drop(limiter.try_acquire().expect("it is free")); // admitted at once
    limiter.close();
    for _ in 0..2 {
        limiter.acquire().await.expect_err("it is closed"); // closed
    }
    limiter.reopen();
    limiter.set_limit(3);
    limiter.set_limit(2);
    limiter.acquire().await.expect("a permit is free") // admitted at once
}

/// Makes limiters that have the metrics of limiters with keys, rates, shares and bounds, and of limits that adapt, and
/// keeps a permit.
pub(crate) fn of_some_metrics(name: &'static str) -> impl Sized {
    let limiter =
        Limiter::new(name, 1).per(Duration::from_secs(1)).keyed().total(9).max_waiting_total(9);
    let held = limiter.key(1).try_acquire().expect("a permit is free");
    let advised: &str = Box::leak(format!("{name}-adapting").into());
    let shared: &str = Box::leak(format!("{name}-shared").into());
    let shared = Limiter::new(shared, 1).shares(const { &[Share::new("live", 50)] });
    drop(shared.try_acquire());
    let bounded = Limiter::named(format!("{name}-bounded"), 1);
    let bounded = bounded.max_waiting(3).max_wait(Duration::from_secs(9));
    let bounded = bounded.ramp(Duration::from_secs(9));
    let _ = bounded.snapshot();
    (limiter, held, adapting::advised(advised), bounded, shared)
}

/// Makes a limiter for [`everything_once`].
pub(crate) const fn of_everything(name: &'static str) -> Limiter<limit_runtime::Rejected> {
    Limiter::new(name, 1).max_waiting(3).order(limit_runtime::Order::Lifo)
}
