//! Figures that a recorder of the facade `metrics` receives.

use crate::support::{
    everything_once, expected, figure, is_built, is_of_fleet, number, of_everything,
    of_some_metrics, results,
};
use limit_exporters::METRICS;
use limit_exporters::metrics::{collect, describe};
use limit_runtime::{Limiter, Rejected};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, SharedString, Unit};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Makes a recorder at an address at which no other has been.
pub(crate) fn recorder() -> &'static DebuggingRecorder {
    Box::leak(Box::default())
}

pub(crate) fn collected(recorder: &DebuggingRecorder) -> BTreeMap<String, DebugValue> {
    metrics::with_local_recorder(recorder, collect);
    values(&recorder.snapshotter())
}

/// Returns the new values, by the names that the other tests use.
fn values(snapshotter: &Snapshotter) -> BTreeMap<String, DebugValue> {
    let values = snapshotter.snapshot().into_vec().into_iter().map(|(key, _, _, value)| {
        let key = key.key();
        let metric = METRICS.iter().find(|metric| metric.name == key.name()).expect("on the list");
        let labels: Vec<_> =
            key.labels().map(|label| format!("{}=\"{}\"", label.key(), label.value())).collect();
        (format!("{}{{{}}}", metric.prometheus, labels.join(",")), value)
    });
    values.collect()
}

pub(crate) fn as_number(value: &DebugValue) -> f64 {
    match value {
        DebugValue::Counter(count) => number(*count),
        DebugValue::Gauge(value) => value.into_inner(),
        DebugValue::Histogram(samples) => panic!("samples: {samples:?}"),
    }
}

fn waits(values: &BTreeMap<String, DebugValue>, limiter: &str) -> Vec<f64> {
    match &values[&format!("concurrency_limit_wait_time_seconds{{limiter=\"{limiter}\"}}")] {
        DebugValue::Histogram(samples) => {
            samples.iter().map(|sample| sample.into_inner()).collect()
        }
        other => panic!("no samples: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn every_figure_is_that_of_the_snapshot() {
    static LIMITER: Limiter<Rejected> = of_everything("facade::everything");

    // Calls from before the recorder count too.
    let permit = everything_once(&LIMITER).await;
    let snapshot = LIMITER.snapshot();
    collect();
    let values = collected(recorder());
    for (name, value) in expected(&snapshot) {
        if !name.contains("wait_time") {
            assert_eq!(as_number(&values[&name]), value, "{name}");
        }
    }
    let waits = waits(&values, "facade::everything");
    assert_eq!(waits.len() as u64, snapshot.total.wait.count);
    let (sum, exact) = (waits.iter().sum::<f64>(), snapshot.total.wait.total.as_secs_f64());
    assert!((sum - exact).abs() < 1e-9, "{sum} for {exact}");
    drop(permit);
}

#[tokio::test(start_paused = true)]
async fn waits_are_told_once() {
    let limiter = Limiter::new("facade::waits", 1);
    let recorder = recorder();
    for wait in [3, 3, 500] {
        let permit = limiter.acquire().await;
        let mut waiter = Box::pin(limiter.acquire());
        assert!(futures::poll!(&mut waiter).is_pending());
        tokio::time::advance(Duration::from_millis(wait)).await;
        drop(permit);
        let held = waiter.await;
        // The sample comes while the permit is held, and not again when it is back.
        let [sample] = waits(&collected(recorder), "facade::waits")[..] else {
            panic!("one sample");
        };
        let exact = Duration::from_millis(wait).as_secs_f64();
        assert!((sample - exact).abs() < 1e-9, "{sample} for {exact}");
        drop(held);
        assert_eq!(waits(&collected(recorder), "facade::waits"), Vec::<f64>::new());
    }
    // Another recorder receives all samples.
    assert_eq!(waits(&collected(self::recorder()), "facade::waits").len(), 3);
}

#[test]
fn counters_of_a_name_never_go_back() {
    let recorder = recorder();
    let admitted_at_once = || {
        let values = collected(recorder);
        let name = "concurrency_limit_acquisitions_total{limiter=\"facade::dropped\",result=\"admitted_at_once\"}";
        let usage = "concurrency_limit_permit_usage{limiter=\"facade::dropped\"}";
        (as_number(&values[name]), as_number(&values[usage]))
    };
    let limiter = Limiter::new("facade::dropped", 4);
    let held = limiter.try_acquire();
    assert_eq!(admitted_at_once(), (1.0, 1.0));
    drop(limiter.try_acquire());
    drop(limiter);
    // The last counts are not lost, and no permit is in use any more.
    assert_eq!(admitted_at_once(), (2.0, 0.0));
    drop(held);
    let again = Limiter::new("facade::dropped", 4);
    drop(again.try_acquire());
    assert_eq!(admitted_at_once(), (3.0, 0.0));
    // The limiter is dropped and made again between two collections.
    drop(again);
    let again = Limiter::new("facade::dropped", 4);
    let held = again.try_acquire();
    assert_eq!(admitted_at_once(), (4.0, 1.0));
    drop(held);
}

#[test]
fn changes_of_a_name_never_go_back() {
    let recorder = recorder();
    let live = || {
        let name =
            "concurrency_limit_limit_changes_total{limiter=\"facade::changes\",source=\"live\"}";
        as_number(&collected(recorder)[name])
    };
    for changes in 1..=3 {
        let limiter = Limiter::new("facade::changes", 4);
        limiter.set_limit(5);
        assert_eq!(live(), figure(changes));
    }
    assert_eq!(live(), 3.0);
}

#[test]
fn everything_is_described() {
    let _some = of_some_metrics("facade::described");
    let recorder = recorder();
    metrics::with_local_recorder(recorder, || {
        describe();
        collect();
    });
    let described: BTreeMap<_, _> = recorder
        .snapshotter()
        .snapshot()
        .into_vec()
        .into_iter()
        .map(|(key, unit, description, _)| (key.key().name().to_owned(), (unit, description)))
        .collect();
    for metric in METRICS.iter().filter(|it| is_built(it) && !is_of_fleet(it)) {
        let (unit, description) = &described[metric.name];
        assert_eq!(description.as_deref(), Some(metric.description));
        let expected = if metric.unit == "s" { Unit::Seconds } else { Unit::Count };
        assert_eq!(*unit, Some(expected), "{}", metric.name);
    }
}

#[test]
fn all_results_are_there_at_zero() {
    let limiter = Limiter::new("facade::zero", 6);
    assert_eq!(limiter.snapshot().total.limit, 6);
    let values = collected(recorder());
    for (name, value) in expected(&limiter.snapshot()) {
        if !name.contains("wait_time") {
            assert_eq!(as_number(&values[&name]), value, "{name}");
        }
    }
    for (result, count) in results(&limiter.snapshot().total) {
        assert_eq!(count, figure(0), "{result}");
    }
    assert_eq!(waits(&values, "facade::zero"), Vec::<f64>::new());
}

/// A recorder that panics once, after it has received waits.
struct Panics {
    recorder: DebuggingRecorder,
    has_panicked: AtomicBool,
}

impl metrics::Recorder for Panics {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        // The changes come after the waits.
        if key.name() == "concurrency_limit.limit.changes" {
            assert!(self.has_panicked.swap(true, Ordering::Relaxed), "as the test wants it");
        }
        self.recorder.register_counter(key, metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.recorder.register_gauge(key, metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        self.recorder.register_histogram(key, metadata)
    }
}

#[tokio::test(start_paused = true)]
async fn a_recorder_that_panicked_is_not_told_again_what_it_was_told() {
    let limiter = Limiter::new("facade::panics", 1);
    let held = limiter.acquire().await;
    let mut waiter = Box::pin(limiter.acquire());
    assert!(futures::poll!(&mut waiter).is_pending());
    tokio::time::advance(Duration::from_millis(3)).await;
    drop(held);
    drop(waiter.await);
    let recorder: &Panics = Box::leak(Box::new(Panics {
        recorder: DebuggingRecorder::default(),
        has_panicked: AtomicBool::new(false),
    }));
    let collect = || metrics::with_local_recorder(recorder, collect);
    catch_unwind(AssertUnwindSafe(collect)).expect_err("the recorder panics");
    collect();
    assert_eq!(waits(&values(&recorder.recorder.snapshotter()), "facade::panics").len(), 1);
}

/// A recorder that collects whenever it registers a counter.
struct Collects(DebuggingRecorder);

impl metrics::Recorder for Collects {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        collect();
        self.0.register_counter(key, metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.0.register_gauge(key, metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        self.0.register_histogram(key, metadata)
    }
}

#[test]
fn a_recorder_that_collects_while_it_is_told_does_not_wait_for_itself() {
    let limiter = Limiter::new("facade::collects", 1);
    drop(limiter.try_acquire());
    let recorder: &Collects = Box::leak(Box::new(Collects(DebuggingRecorder::default())));
    metrics::with_local_recorder(recorder, collect);
    let values = values(&recorder.0.snapshotter());
    let series = "concurrency_limit_acquisitions_total{limiter=\"facade::collects\",result=\"admitted_at_once\"}";
    assert_eq!(as_number(&values[series]), 1.0);
}

#[cfg(feature = "diagnostics")]
#[test]
fn holds_of_a_name_are_told_once() {
    limit_runtime::diagnostics::record(true);
    let recorder = recorder();
    let told = || {
        let name = "concurrency_limit_hold_time_seconds{limiter=\"facade::holds\"}";
        match &collected(recorder)[name] {
            DebugValue::Histogram(samples) => samples.len(),
            other => panic!("no samples: {other:?}"),
        }
    };
    // The first call of a thread is counted.
    let hold = |limiter: &Limiter| {
        std::thread::scope(|scope| drop(scope.spawn(|| drop(limiter.try_acquire())).join()));
    };
    let limiter = Limiter::new("facade::holds", 1);
    assert_eq!(limiter.snapshot().total.limit, 1);
    assert_eq!(told(), 0);
    hold(&limiter);
    hold(&limiter);
    assert_eq!((told(), told()), (2, 0));
    // After one more hold the limiter is dropped and its name is used again.
    hold(&limiter);
    drop(limiter);
    let again = Limiter::new("facade::holds", 1);
    hold(&again);
    assert_eq!((told(), told()), (2, 0));
    drop(again);
    assert_eq!(told(), 0);
}

#[cfg(feature = "diagnostics")]
#[test]
fn the_oldest_holder_is_no_number_where_there_is_none() {
    limit_runtime::diagnostics::record(true);
    let recorder = recorder();
    let name =
        "concurrency_limit_oldest_holder_start_timestamp_seconds{limiter=\"facade::oldest\"}";
    let oldest = || as_number(&collected(recorder)[name]);
    let limiter = Limiter::new("facade::oldest", 2);
    let permit = limiter.try_acquire();
    let first = oldest();
    assert!(first > 1.7e9, "seconds since 1970");
    let later = limiter.try_acquire();
    assert!((oldest() - first).abs() < 1.0);
    drop(permit);
    assert!(oldest() > 1.7e9);
    drop(later);
    assert!(oldest().is_nan());
}

#[test]
fn gauges_of_keys_and_of_the_order_are_reset_when_their_figures_are_gone() {
    let name = "facade::states";
    let recorder: &DebuggingRecorder = Box::leak(Box::default());
    let gauges = || -> BTreeMap<String, f64> {
        metrics::with_local_recorder(recorder, collect);
        let all = recorder.snapshotter().snapshot().into_vec().into_iter();
        let gauges = all.filter_map(|(key, _, _, value)| {
            let DebugValue::Gauge(value) = value else { return None };
            let labels: Vec<_> = key.key().labels().map(metrics::Label::value).collect();
            let is_ours = labels.contains(&name) && !key.key().name().contains("oldest_holder");
            is_ours.then(|| {
                (format!("{} {}", key.key().name(), labels[1..].join(" ")), value.into_inner())
            })
        });
        gauges.collect()
    };
    let of = |gauges: &BTreeMap<String, f64>, figure: &str| {
        gauges.get(&format!("concurrency_limit.{figure}")).copied()
    };
    let plain = Limiter::new(name, 1);
    assert_eq!(plain.snapshot().total.limit, 1);
    let shown = gauges();
    assert_eq!(of(&shown, "full_keys "), None, "it has no keys");
    assert_eq!(
        ["order fifo", "order lifo", "order deadline"].map(|of_order| of(&shown, of_order)),
        [Some(1.0), Some(0.0), Some(0.0)]
    );
    drop(plain);
    let keyed = Limiter::new(name, 1).order(limit_runtime::Order::Lifo).keyed().total(4);
    let held = keyed.key(1).try_acquire().expect("a permit is free");
    let shown = gauges();
    assert_eq!(
        ["full_keys ", "permit.limit_of_all_keys "].map(|figure| of(&shown, figure)),
        [Some(1.0), Some(4.0)]
    );
    assert_eq!(
        ["order fifo", "order lifo", "order deadline"].map(|of_order| of(&shown, of_order)),
        [Some(0.0), Some(1.0), Some(0.0)]
    );
    keyed.set_total(usize::MAX);
    let shown = gauges();
    assert_eq!(
        ["full_keys ", "permit.limit_of_all_keys "].map(|figure| of(&shown, figure)),
        [Some(1.0), Some(0.0)]
    );
    drop((held, keyed));
    for (gauge, value) in gauges() {
        // 0 would be a limit that was switched off.
        let is_reset = if gauge.contains("enforced") { value.is_nan() } else { value == 0.0 };
        assert!(is_reset, "{gauge} is {value}: the limiter is gone");
    }
}
