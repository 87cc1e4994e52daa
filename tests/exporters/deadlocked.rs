//! The figure of limiters that are part of a deadlock.

use crate::facade::{as_number, collected, recorder};
use crate::opentelemetry::Provider;
use crate::support::{encoded, samples};
use limit_exporters::prometheus::Collector;
use limit_runtime::Limiter;
use limit_tests::deadlock::{Deadlock, NAMES};
use opentelemetry_sdk::metrics::Temporality;
use std::collections::BTreeMap;

#[test]
fn limiters_of_a_deadlock_are_told_from_the_others_as_long_as_it_lasts() {
    let other = Limiter::new("deadlocked::other", 1);
    assert_eq!(other.snapshot().total.limit, 1);
    let (recorder, provider) = (recorder(), Provider::new(Temporality::Cumulative));
    let _observation = provider.observe();
    let all = || -> [BTreeMap<String, f64>; 3] {
        let received = collected(recorder).into_iter();
        let received = received.filter(|(name, _)| name.contains("deadlocked{"));
        [
            samples(&encoded(Collector::new())),
            received.map(|(name, value)| (name, as_number(&value))).collect(),
            provider.collect().numbers,
        ]
    };
    let assert = |limiter: &str, value: f64| {
        let series = format!("concurrency_limit_deadlocked{{limiter=\"{limiter}\"}}");
        for shown in all() {
            assert_eq!(shown.get(&series), Some(&value), "{series}");
        }
    };

    let deadlock = Deadlock::begin();
    for limiter in NAMES {
        assert(limiter, 1.0);
    }
    assert("deadlocked::other", 0.0);
    deadlock.end();
    for limiter in NAMES {
        assert(limiter, 0.0);
    }
}

#[test]
fn dropped_limiters_have_no_such_figure() {
    let (recorder, limiter) = (recorder(), Limiter::new("deadlocked::dropped", 1));
    let series = "concurrency_limit_deadlocked{limiter=\"deadlocked::dropped\"}";
    drop(limiter.try_acquire());
    assert_eq!(samples(&encoded(Collector::new())).get(series), Some(&0.0));
    assert_eq!(as_number(&collected(recorder)[series]), 0.0);
    drop(limiter);
    assert_eq!(samples(&encoded(Collector::new())).get(series), None);
    // A recorder cannot forget it.
    assert_eq!(as_number(&collected(recorder)[series]), 0.0);
}
