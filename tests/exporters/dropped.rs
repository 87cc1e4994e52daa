//! Limiters that come and go: nothing of what they count is lost, counters do not go back, and the series
//! are no more than the names.

use crate::opentelemetry::Provider;
use crate::support::{encode, encoded, figure, number, samples};
use limit_exporters::metrics::collect;
use limit_exporters::prometheus::Collector;
use limit_runtime::Limiter;
use limit_tests::programs::is_alone;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, SharedString, Unit};
use metrics_util::registry::{AtomicStorage, Registry as Store};
use opentelemetry_sdk::metrics::Temporality;
use prometheus_client::registry::Registry;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

/// The number of requests. Each makes a limiter and one call that is admitted at once. Three limiters exist at a time,
/// and the next takes the name of the oldest.
const REQUESTS: usize = 2_000;

fn requests(test: &str, mut after_some: impl FnMut()) {
    let mut alive: Vec<Option<Limiter>> = (0..3).map(|_| None).collect();
    for request in 0..REQUESTS {
        let slot = request % 3;
        // The old limiter goes first, as when a request ends before another begins.
        drop(alive[slot].take());
        let limiter = Limiter::named(format!("dropped::{test}-{slot}"), 3);
        drop(limiter.try_acquire().expect("a permit is free"));
        alive[slot] = Some(limiter);
        if request % 400 == 399 {
            after_some();
        }
    }
}

/// A recorder like that for Prometheus: values stay, and a counter that is set takes the larger value.
struct Recorder(Store<Key, AtomicStorage>);

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.0.get_or_create_counter(key, |counter| counter.clone().into())
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.0.get_or_create_gauge(key, |gauge| gauge.clone().into())
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.0.get_or_create_histogram(key, |histogram| histogram.clone().into())
    }
}

fn recorder() -> &'static Recorder {
    Box::leak(Box::new(Recorder(Store::new(AtomicStorage))))
}

fn limiter_of(key: &Key) -> String {
    let label = key.labels().find(|label| label.key() == "limiter");
    label.expect("each series has it").value().to_owned()
}

impl Recorder {
    /// Returns the limiters whose names begin so.
    fn limiters(&self, beginning: &str) -> BTreeSet<String> {
        let all = self.0.get_counter_handles().into_keys().map(|key| limiter_of(&key));
        all.filter(|limiter| limiter.starts_with(beginning)).collect()
    }

    fn admitted_at_once(&self, beginning: &str) -> f64 {
        let of_them = |key: &Key| {
            let mut labels = key.labels();
            labels.any(|label| (label.key(), label.value()) == ("result", "admitted_at_once"))
                && limiter_of(key).starts_with(beginning)
        };
        let counters = self.0.get_counter_handles().into_iter();
        counters
            .filter(|(key, _)| of_them(key))
            .map(|(_, counter)| number(counter.load(Ordering::Relaxed)))
            .sum()
    }

    fn gauge(&self, metric: &str, limiter: &str) -> Option<f64> {
        let mut gauges = self.0.get_gauge_handles().into_iter();
        let is_it = |key: &Key| key.name() == metric && limiter_of(key) == limiter;
        let (_, gauge) = gauges.find(|(key, _)| is_it(key))?;
        Some(f64::from_bits(gauge.load(Ordering::Relaxed)))
    }
}

/// Returns the names of the limiters that begin so, and their calls that were admitted at once.
fn shown(text: &str, beginning: &str) -> (BTreeSet<String>, f64) {
    let start = format!("limiter=\"{beginning}");
    let of_them: Vec<_> =
        samples(text).into_iter().filter(|(series, _)| series.contains(&start)).collect();
    let name = |series: &String| {
        let (_, rest) = series.split_once("limiter=\"").expect("it has the label");
        rest.split('"').next().unwrap_or_default().to_owned()
    };
    let names = of_them.iter().map(|(series, _)| name(series)).collect();
    let admitted_at_once =
        of_them.iter().filter(|(series, _)| series.contains("\"admitted_at_once\""));
    (names, admitted_at_once.map(|(_, calls)| calls).sum())
}

#[test]
fn prometheus_counts_all_of_those_that_have_had_a_name() {
    for collector in [Collector::new(), Collector::new().by_runtime()] {
        let of =
            if format!("{collector:?}").contains("true") { "prometheus-by" } else { "prometheus" };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(collector));
        let beginning = format!("dropped::{of}-");
        let mut last = 0.0;
        requests(of, || {
            let (_, calls) = shown(&encode(&registry), &beginning);
            assert_eq!(calls, last + 400.0, "{of}: also of limiters that no reading has seen");
            last = calls;
        });
        // All limiters are gone: their counters stay, their gauges do not.
        let text = encode(&registry);
        let (names, calls) = shown(&text, &beginning);
        assert_eq!((names.len(), calls), (3, figure(REQUESTS)), "{of}: {names:?}");
        for gauge in ["permit_limit", "permit_usage", "queued_calls", "active_keys"] {
            let start = format!("concurrency_limit_{gauge}{{limiter=\"{beginning}");
            assert!(!text.contains(&start), "{of}: {gauge}");
        }
    }
}

#[test]
fn opentelemetry_counts_all_of_those_that_have_had_a_name() {
    for temporality in [Temporality::Cumulative, Temporality::Delta] {
        let provider = Provider::new(temporality);
        let _observation = provider.observe();
        let test = format!("opentelemetry-{temporality:?}");
        let all = || {
            let collected = provider.collect();
            let name = |slot: usize| format!("dropped::{test}-{slot}");
            (0..3).filter_map(|slot| collected.admitted_at_once(&name(slot))).sum::<f64>()
        };
        let mut sum = 0.0;
        let mut add = |value: f64| {
            sum = if temporality == Temporality::Delta { sum + value } else { value };
            sum
        };
        let mut rounds = 0;
        requests(&test, || {
            rounds += 1;
            assert_eq!(add(all()), figure(rounds * 400));
        });
        assert_eq!(add(all()), figure(REQUESTS));
    }
}

#[test]
fn a_recorder_of_the_facade_counts_all_of_those_that_have_had_a_name() {
    let recorder = recorder();
    let collect = || metrics::with_local_recorder(recorder, collect);
    let mut rounds = 0;
    requests("facade", || {
        rounds += 1;
        collect();
        assert_eq!(recorder.admitted_at_once("dropped::facade-"), figure(rounds * 400));
        assert_eq!(
            recorder.gauge("concurrency_limit.permit.limit", "dropped::facade-0"),
            Some(3.0)
        );
    });
    collect();
    assert_eq!(recorder.admitted_at_once("dropped::facade-"), figure(REQUESTS));
    assert_eq!(recorder.limiters("dropped::facade-").len(), 3);
    assert_eq!(recorder.gauge("concurrency_limit.permit.limit", "dropped::facade-0"), Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn waits_and_changes_of_those_that_have_had_a_name_are_added_up() {
    let series = |name: &str| {
        let shown = samples(&encoded(Collector::new()));
        shown.get(name).copied().unwrap_or_default()
    };
    let provider = Provider::new(Temporality::Cumulative);
    let _observation = provider.observe();
    for round in 1..=3 {
        let limiter = Limiter::new("dropped::waits", 1);
        limiter.set_limit(2);
        limiter.set_limit(1);
        let permit = limiter.acquire().await;
        let mut waiter = Box::pin(limiter.acquire());
        assert!(futures::poll!(&mut waiter).is_pending());
        tokio::time::advance(std::time::Duration::from_millis(5)).await;
        drop(permit);
        drop(waiter.await);
        drop(limiter);
        let waits = series("concurrency_limit_wait_time_seconds_count{limiter=\"dropped::waits\"}");
        assert_eq!(waits, figure(round));
        let changes = series(
            "concurrency_limit_limit_changes_total{limiter=\"dropped::waits\",source=\"live\"}",
        );
        assert_eq!(changes, figure(2 * round));
        // The histogram of OpenTelemetry has as many.
        assert_eq!(provider.collect().waits("dropped::waits").count, round as u64);
    }
}

#[test]
fn names_that_are_never_used_again_do_not_add_up() {
    if !is_alone("dropped::names_that_are_never_used_again_do_not_add_up") {
        return;
    }
    let collector = Collector::new();
    let mut registry = Registry::default();
    registry.register_collector(Box::new(collector));
    registry.register_collector(Box::new(Collector::new().by_runtime()));
    let provider = Provider::new(Temporality::Cumulative);
    let _observation = provider.observe();
    let recorder = recorder();
    let collect = || metrics::with_local_recorder(recorder, collect);
    let stays = Limiter::new("stays", 1);
    drop(stays.try_acquire());
    for request in 0..REQUESTS {
        let limiter = Limiter::named(format!("request {request}"), 1);
        drop(limiter.try_acquire());
        if request % 500 == 0 {
            collect();
            assert_eq!(recorder.gauge("concurrency_limit.permit.limit", limiter.name()), Some(1.0));
            provider.collect();
            encode(&registry);
        }
    }
    let (names, calls) = shown(&encoded(Collector::new()), "");
    assert_eq!((names.len(), calls), (101, 101.0), "the last hundred, and the one that is there");
    assert!(names.contains("stays") && names.contains("request 1999"), "{names:?}");
    let collected = provider.collect();
    let observed =
        collected.numbers.keys().filter(|series| series.contains("\"admitted_at_once\"")).count();
    assert_eq!(observed, 101);
    collect();
    let of_stuck = recorder.gauge("concurrency_limit.permit.limit", "request 1500");
    assert_eq!(
        of_stuck,
        Some(0.0),
        "a recorder is told of each that it was told of that it is gone"
    );

    // One of the last thousand names continues from where it was, an older one starts from zero.
    for (request, calls) in [(1500, 2.0), (200, 1.0)] {
        let limiter = Limiter::named(format!("request {request}"), 1);
        drop(limiter.try_acquire());
        let (_, counted) = shown(&encoded(Collector::new()), &format!("request {request}\""));
        assert_eq!(counted, calls, "{request}");
    }
}

#[test]
fn limiters_that_were_never_used_by_a_call_leave_nothing() {
    assert_eq!(Limiter::new("dropped::unused", 1).snapshot().total.limit, 1);
    assert!(!encoded(Collector::new()).contains("dropped::unused"));
}

#[cfg(feature = "task")]
#[test]
fn a_pool_for_each_request_makes_no_more_series_than_there_are_pools() {
    use limit_runtime::task::Pool;

    if !is_alone("dropped::a_pool_for_each_request_makes_no_more_series_than_there_are_pools") {
        return;
    }
    crate::support::one_thread().block_on(async {
        let mut alive: Vec<_> = (0..3).map(|_| None).collect();
        for request in 0..REQUESTS {
            let pool = Pool::new(3);
            pool.spawn(async {}).await.await.expect("no panic");
            alive[request % 3] = Some(pool);
        }
        let (names, _) = shown(&encoded(Collector::new()), "pool");
        // For a moment there are four: the next is made before the oldest is dropped.
        assert!(names.len() <= 4, "{names:?}");
    });
}
