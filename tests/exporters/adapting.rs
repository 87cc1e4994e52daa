//! Limits that adapt: their figures, and their changes by reason.

use crate::facade;
use crate::opentelemetry::Provider;
use crate::support::{encoded, figure, number, one_thread, samples};
use limit_exporters::prometheus::Collector;
use limit_runtime::{AdaptiveCause, AdaptiveFigures, Limiter, Scope};
use metrics_util::debugging::DebugValue;
use opentelemetry_sdk::metrics::Temporality;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::time::sleep;

/// Calls a backend that works on 4 calls at a time, from so many tasks, for a moment.
async fn load(limiter: &Limiter, workers: &Semaphore, tasks: u32) {
    let end = Instant::now() + Duration::from_millis(150);
    let task = |_| async move {
        while Instant::now() < end {
            let _permit = limiter.acquire().await;
            let _worker = workers.acquire().await.expect("it is not closed");
            sleep(Duration::from_millis(1)).await;
        }
    };
    futures::future::join_all((0..tasks).map(task)).await;
}

/// Gives a limiter quiet times, and times with more calls than the backend works on, until it has learnt enough. In real
/// time: other tests read all limiters meanwhile, and a limit that adapts goes by the clock of whoever reads it first.
fn learn(limiter: &Limiter, is_enough: impl Fn() -> bool + Sync) {
    let run = || {
        let workers = Semaphore::new(4);
        let begun = Instant::now();
        one_thread().block_on(async {
            while !is_enough() {
                assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", limiter.snapshot());
                load(limiter, &workers, 3).await;
                load(limiter, &workers, 40).await;
            }
        });
    };
    // The caller may be in a runtime.
    std::thread::scope(|scope| scope.spawn(run).join().expect("no panic"));
}

/// Makes a limiter with all figures of a limit that adapts, also of advice. They outlive the runtime that made them.
pub(crate) fn advised(name: &'static str) -> Limiter {
    let limiter = Limiter::adaptive(name, 1..=100).scope(Scope::Process).start(12).advise();
    learn(&limiter, || {
        let known = limiter.snapshot().adaptive;
        known.is_some_and(|known| known.advice.is_some() && known.queue.is_some())
    });
    limiter
}

fn figures(limiter: &Limiter) -> AdaptiveFigures {
    limiter.snapshot().adaptive.expect("it adapts, and was called")
}

/// Returns the gauges that an exporter is to show, and of those that have no value 0.
fn gauges(of: &AdaptiveFigures) -> BTreeMap<String, f64> {
    let flag = |is_on| f64::from(u8::from(is_on));
    let all = [
        ("limit_low", Some(figure(of.low))),
        ("limit_high", Some(figure(of.high))),
        ("base_time", of.base_time.map(|time| time.as_secs_f64())),
        ("time", of.time.map(|time| time.as_secs_f64())),
        ("queued_calls", of.queue.map(figure)),
        ("advice", of.advice.map(figure)),
        ("frozen", Some(flag(of.is_frozen))),
        ("held_off", Some(flag(of.is_held_off))),
    ];
    let there = all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    there.collect()
}

/// Returns the changes that an exporter is to show, by reason.
fn changes(limiter: &Limiter) -> BTreeMap<String, f64> {
    let counts = limiter.snapshot().total.adapted;
    let all = AdaptiveCause::ALL.iter();
    all.map(|&cause| (cause.to_string(), number(counts.get(cause)))).collect()
}

/// Returns the gauges of a limiter and its changes by reason, of the series that an exporter has shown.
fn pick(
    series: impl IntoIterator<Item = (String, f64)>,
    limiter: &str,
) -> (BTreeMap<String, f64>, BTreeMap<String, f64>) {
    let (mut gauges, mut changes) = (BTreeMap::new(), BTreeMap::new());
    for (series, value) in series {
        let Some(series) = series.strip_prefix("concurrency_limit_adaptive_") else { continue };
        let Some((name, labels)) = series.split_once('{') else { continue };
        if !labels.contains(&format!("limiter=\"{limiter}\"")) {
            continue;
        }
        if let Some((_, reason)) = labels.split_once("reason=\"") {
            assert_eq!(name, "changes_total");
            *changes.entry(reason.trim_end_matches("\"}").to_owned()).or_default() += value;
        } else {
            gauges.insert(name.trim_end_matches("_seconds").to_owned(), value);
        }
    }
    (gauges, changes)
}

fn shown(collector: Collector, limiter: &str) -> (BTreeMap<String, f64>, BTreeMap<String, f64>) {
    pick(samples(&encoded(collector)), limiter)
}

#[test]
fn prometheus_shows_the_range_the_times_the_queue_and_the_advice() {
    let limiter = advised("adapting::advice");
    let known = figures(&limiter);
    let (gauges_shown, changes_shown) = shown(Collector::new(), limiter.name());
    assert_eq!(gauges_shown, gauges(&known));
    assert_eq!(gauges_shown.len(), 8);
    assert_eq!(changes_shown, changes(&limiter), "advice changes nothing");
    assert_eq!(changes_shown.values().sum::<f64>(), 0.0);
}

#[test]
fn changes_are_counted_by_reason_and_not_as_those_of_somebody() {
    let limiter = Limiter::adaptive("adapting::changes", 1..=100).scope(Scope::Process);
    learn(&limiter, || limiter.snapshot().total.adapted.grow > 0);
    let changes = changes(&limiter);
    for collector in [Collector::new(), Collector::new().by_runtime()] {
        assert_eq!(shown(collector, "adapting::changes").1, changes);
    }
    assert_eq!(limiter.snapshot().limit_changes.live, 0);

    limiter.set_limit(9);
    let (gauges, _) = shown(Collector::new(), "adapting::changes");
    assert_eq!(gauges["frozen"], 1.0);
    drop(limiter);
    let (gauges, still) = shown(Collector::new(), "adapting::changes");
    assert!(gauges.is_empty(), "{gauges:?}");
    assert_eq!(still, changes, "the counters of a name stay");
}

#[test]
fn a_limit_that_does_not_adapt_has_none_of_these_series() {
    let limiter = Limiter::new("adapting::fixed", 7);
    drop(limiter.try_acquire());
    assert_eq!(shown(Collector::new(), "adapting::fixed"), Default::default());
}

#[test]
fn while_calls_are_held_off_that_is_shown() {
    let limiter = Limiter::adaptive("adapting::held-off", 1..=100);
    one_thread().block_on(async {
        let permit = limiter.try_acquire().expect("one is free");
        permit.overloaded_for(Duration::from_secs(3600));
        let (gauges, _) = shown(Collector::new(), "adapting::held-off");
        assert_eq!(gauges["held_off"], 1.0);
    });
}

#[test]
fn the_facade_has_the_same_and_no_number_for_a_time_that_is_not_known_any_more() {
    let limiter = advised("adapting::facade");
    let recorder = facade::recorder();
    let read = || {
        let all = facade::collected(recorder).into_iter();
        let gauges = all.filter_map(|(series, value)| match value {
            DebugValue::Gauge(value) => Some((series, value.into_inner())),
            _ => None,
        });
        pick(gauges, "adapting::facade").0
    };
    assert_eq!(read(), gauges(&figures(&limiter)));
    drop(limiter);
    let gone = read();
    for name in ["base_time", "time", "queued_calls", "advice"] {
        assert!(gone[name].is_nan(), "{name}: {gone:?}");
    }
    assert_eq!((gone["limit_low"], gone["frozen"]), (0.0, 0.0));
}

#[test]
fn opentelemetry_has_the_same() {
    let limiter = advised("adapting::opentelemetry");
    let provider = Provider::new(Temporality::Cumulative);
    let _observation = provider.observe();
    let shown = pick(provider.collect().numbers, "adapting::opentelemetry");
    assert_eq!(shown, (gauges(&figures(&limiter)), changes(&limiter)));
}
