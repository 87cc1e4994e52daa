//! Figures by runtime add up, while runtimes come and go.

use crate::opentelemetry::{Collected, Provider};
use crate::support::{encode, figure, number, one_thread, samples};
use limit_exporters::metrics::collect_by_runtime;
use limit_exporters::prometheus::Collector;
use limit_runtime::{Limiter, Snapshot};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use opentelemetry_sdk::metrics::Temporality;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;

/// The values of the series that only grow.
type Counts = BTreeMap<String, f64>;

/// The growth of all series of an exporter, as a backend adds it up.
#[derive(Default)]
struct Growth {
    last: Counts,
    all: BTreeMap<String, f64>,
}

impl Growth {
    /// Adds a reading of series that count from the start. Series that are absent stay as they are.
    fn read(&mut self, counts: Counts) {
        for (series, value) in counts {
            let before = self.last.insert(series.clone(), value).unwrap_or_default();
            assert!(value >= before, "{series} went from {before} back to {value}");
            self.add(&series, value - before);
        }
    }

    fn add(&mut self, series: &str, more: f64) {
        assert!(more >= 0.0, "{series} went back by {more}");
        let what = ["admitted_at_once", "admitted_after_waiting", "wait_time"]
            .into_iter()
            .find(|&what| series.contains(what));
        if let Some(what) = what {
            *self.all.entry(what.to_owned()).or_default() += more;
        }
    }

    fn assert_is_all_of(&self, snapshot: &Snapshot) {
        let total = &snapshot.total;
        assert_eq!(self.all["admitted_at_once"], number(total.admitted_at_once));
        assert_eq!(self.all["admitted_after_waiting"], number(total.admitted_after_waiting));
        assert_eq!(self.all["wait_time"], number(total.wait.count));
        let calls = number(total.admitted_at_once + total.admitted_after_waiting);
        assert_eq!(calls, figure(THREADS * RUNTIMES * TASKS * CALLS));
    }
}

const THREADS: usize = 2;
const RUNTIMES: usize = 60;
const TASKS: usize = 3;
const CALLS: usize = 5;

/// Runs runtimes that come and go on several threads, with calls that wait, and reads meanwhile.
fn while_runtimes_come_and_go(limiter: &'static Limiter, mut read: impl FnMut()) {
    std::thread::scope(|scope| {
        let use_runtimes = || {
            for _ in 0..RUNTIMES {
                let runtime = one_thread();
                runtime.block_on(async {
                    let tasks = (0..TASKS).map(|_| {
                        tokio::spawn(async {
                            for _ in 0..CALLS {
                                let _permit = limiter.acquire().await;
                                tokio::task::yield_now().await;
                            }
                        })
                    });
                    for task in tasks.collect::<Vec<_>>() {
                        task.await.expect("no panic");
                    }
                });
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(use_runtimes)).collect();
        while !threads.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            read();
        }
        for thread in threads {
            thread.join().expect("no panic");
        }
    });
    read();
}

#[test]
fn prometheus_series_grow_by_what_the_limiter_counts() {
    static LIMITER: Limiter = Limiter::new("by-runtime::prometheus", 1);
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Collector::new().by_runtime()));
    let mut growth = Growth::default();
    while_runtimes_come_and_go(&LIMITER, || {
        let counts = samples(&encode(&registry)).into_iter().filter(|(series, _)| {
            let counts = ["acquisitions", "wait_time_seconds_count"];
            series.contains("by-runtime::prometheus")
                && counts.iter().any(|name| series.contains(name))
        });
        growth.read(counts.collect());
    });
    growth.assert_is_all_of(&LIMITER.snapshot());
}

/// Returns the count of each series, of samples too.
fn of_opentelemetry(collected: &Collected, limiter: &str) -> Counts {
    let numbers = collected.numbers.iter().map(|(series, value)| (series.clone(), *value));
    let samples = collected
        .histograms
        .iter()
        .map(|(series, samples)| (series.clone(), number(samples.count)));
    let is_count = |series: &str| series.contains("acquisitions") || series.contains("wait_time");
    let all = numbers.chain(samples);
    all.filter(|(series, _)| series.contains(limiter) && is_count(series)).collect()
}

#[test]
fn opentelemetry_series_grow_by_what_the_limiter_counts() {
    static LIMITER: Limiter = Limiter::new("by-runtime::cumulative", 1);
    let provider = Provider::new(Temporality::Cumulative);
    let _observation = provider.observe_by_runtime();
    let mut growth = Growth::default();
    while_runtimes_come_and_go(&LIMITER, || {
        growth.read(of_opentelemetry(&provider.collect(), "by-runtime::cumulative"));
    });
    growth.assert_is_all_of(&LIMITER.snapshot());
}

#[test]
fn opentelemetry_deltas_add_up_to_what_the_limiter_counts() {
    static LIMITER: Limiter = Limiter::new("by-runtime::delta", 1);
    let provider = Provider::new(Temporality::Delta);
    let _observation = provider.observe_by_runtime();
    let mut growth = Growth::default();
    while_runtimes_come_and_go(&LIMITER, || {
        for (series, more) in of_opentelemetry(&provider.collect(), "by-runtime::delta") {
            growth.add(&series, more);
        }
    });
    growth.assert_is_all_of(&LIMITER.snapshot());
}

/// Returns what a recorder of the facade has of a limiter. Samples come once.
fn of_facade(recorder: &DebuggingRecorder, limiter: &str) -> Vec<(String, DebugValue)> {
    metrics::with_local_recorder(recorder, collect_by_runtime);
    let all = recorder.snapshotter().snapshot().into_vec().into_iter().map(|(key, _, _, value)| {
        let labels: Vec<_> =
            key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        (format!("{} {}", key.key().name(), labels.join(" ")), value)
    });
    all.filter(|(series, _)| series.contains(limiter)).collect()
}

#[test]
fn facade_series_grow_by_what_the_limiter_counts() {
    static LIMITER: Limiter = Limiter::new("by-runtime::facade", 1);
    let recorder: &DebuggingRecorder = Box::leak(Box::default());
    let mut growth = Growth::default();
    let mut gauges = BTreeMap::new();
    while_runtimes_come_and_go(&LIMITER, || {
        for (series, value) in of_facade(recorder, "by-runtime::facade") {
            match value {
                // The recorder empties what it has shown: 0 means that no new value came.
                DebugValue::Counter(0) => {}
                DebugValue::Counter(count) => growth.read([(series, number(count))].into()),
                DebugValue::Histogram(samples) => growth.add(&series, figure(samples.len())),
                DebugValue::Gauge(value) => drop(gauges.insert(series, value.into_inner())),
            }
        }
    });
    growth.assert_is_all_of(&LIMITER.snapshot());
    // These are figures of the limiter, which is still there.
    let of_limiter = [
        "oldest_holder",
        "concurrency_limit.scope",
        "concurrency_limit.order",
        "concurrency_limit.enforced",
    ];
    for (series, value) in gauges {
        let is_of_limiter = of_limiter.iter().any(|name| series.contains(name));
        assert!(value == 0.0 || is_of_limiter, "{series}: all runtimes have ended");
    }
}

#[test]
fn live_runtimes_have_series_of_their_own() {
    static LIMITER: Limiter = Limiter::new("by-runtime::own", 4);
    let provider = Provider::new(Temporality::Cumulative);
    let _observation = provider.observe_by_runtime();
    let recorder: &DebuggingRecorder = Box::leak(Box::default());

    let ended = one_thread();
    ended.block_on(async { drop(LIMITER.acquire().await) });
    drop(ended);
    let (one, other) = (one_thread(), one_thread());
    one.block_on(async { drop(LIMITER.acquire().await) });
    let permit = other.block_on(LIMITER.acquire());
    let [first, second] = &*LIMITER.snapshot().runtimes else { panic!("two live runtimes") };
    let collected = provider.collect();
    let facade: BTreeMap<_, _> = of_facade(recorder, "by-runtime::own").into_iter().collect();
    for (runtime, calls, in_use) in [
        (first.runtime.to_string(), 1, 0),
        (second.runtime.to_string(), 1, 1),
        ("retired".into(), 1, 0),
    ] {
        let name = |metric: &str, more: &str| {
            format!(
                "concurrency_limit_{metric}{{limiter=\"by-runtime::own\"{more},runtime=\"{runtime}\"}}"
            )
        };
        let series = name("acquisitions_total", ",result=\"admitted_at_once\"");
        assert_eq!(collected.numbers[&series], number(calls), "{series}");
        let series = name("permit_usage", "");
        assert_eq!(collected.numbers[&series], number(in_use), "{series}");
        let series = name("permit_limit", "");
        let limit = collected.numbers.get(&series).copied();
        assert_eq!(limit, (runtime != "retired").then_some(4.0), "{series}");

        let labels = format!("limiter=by-runtime::own runtime={runtime}");
        let series = format!("concurrency_limit.acquisitions {labels} result=admitted_at_once");
        assert_eq!(facade[&series], DebugValue::Counter(calls), "{series}");
        let series = format!("concurrency_limit.permit.usage {labels}");
        assert_eq!(facade[&series], DebugValue::Gauge(number(in_use).into()), "{series}");
    }
    drop(permit);
    drop((one, other));
    let changes =
        "concurrency_limit_limit_changes_total{limiter=\"by-runtime::own\",source=\"live\"}";
    assert_eq!(provider.collect().numbers[changes], 0.0, "of no runtime");
}

#[test]
fn name_that_is_used_again_goes_on_in_its_runtime() {
    let provider = Provider::new(Temporality::Cumulative);
    let _observation = provider.observe_by_runtime();
    let runtime = one_thread();
    let mut series = None;
    for calls in [2, 3] {
        let limiter = Limiter::new("by-runtime::again", 1);
        runtime.block_on(async {
            for _ in 0..calls {
                drop(limiter.acquire().await);
            }
        });
        let number = limiter.snapshot().runtimes[0].runtime;
        let name = format!(
            "concurrency_limit_acquisitions_total{{limiter=\"by-runtime::again\",\
             result=\"admitted_at_once\",runtime=\"{number}\"}}"
        );
        let shown = provider.collect().numbers[&name];
        assert_eq!(shown, if calls == 2 { 2.0 } else { 5.0 });
        assert_eq!(*series.get_or_insert_with(|| name.clone()), name, "the same runtime");
    }
    let name = series.expect("it was shown");
    assert_eq!(provider.collect().numbers[&name], 5.0, "also when its limiter is gone");
    drop(runtime);
    provider.collect();
    assert!(!provider.collect().numbers.contains_key(&name), "its runtime has ended");
}
