//! Shares of a limit: what each is guaranteed and has, who waits, and the calls.

use crate::facade;
use crate::opentelemetry::Provider;
use crate::support::{encoded, number, samples};
use limit_exporters::prometheus::Collector;
use limit_runtime::{Limiter, Permit, Rejected, Share};
use limit_tests::polling::waiter;
use metrics_util::debugging::DebugValue;
use opentelemetry_sdk::metrics::Temporality;
use std::collections::BTreeMap;
use tokio_test::task::Spawn;

const SHARES: &[Share] = &[Share::new("live", 60), Share::new("batch", 20).at_most(50)];

/// A limiter with 10 permits, of which `batch` has five. Another of its calls waits, and one was refused.
struct Busy {
    limiter: &'static Limiter<Rejected>,
    _permits: Vec<Permit>,
    _waiting: Spawn<Box<dyn Future<Output = Result<Permit, Rejected>> + Unpin>>,
}

impl Busy {
    fn new(name: &'static str) -> Self {
        let limiter = Limiter::new(name, 10).max_waiting(1).shares(SHARES);
        let limiter: &'static Limiter<Rejected> = Box::leak(Box::new(limiter));
        let permits = (0..5).map(|_| limiter.share("batch").try_acquire().expect("free")).collect();
        limiter.share("batch").try_acquire().expect_err("it has as many as it may");
        let call: Box<dyn Future<Output = _> + Unpin> = Box::new(limiter.share("batch").acquire());
        Self { limiter, _permits: permits, _waiting: waiter(call) }
    }

    /// Returns the series that an exporter is to show.
    fn expected() -> BTreeMap<String, f64> {
        let mut expected = BTreeMap::new();
        for (share, guaranteed, usage, queued, admitted, refused) in
            [("live", 6, 0, 0, 0, 0), ("batch", 2, 5, 1, 5, 1), ("rest", 2, 0, 0, 0, 0)]
        {
            for (figure, value) in [
                ("permit_guaranteed", guaranteed),
                ("permit_usage", usage),
                ("queued_calls", queued),
                ("admissions_total", admitted),
                ("refusals_total", refused),
            ] {
                expected.insert(format!("{figure} {share}"), number(value));
            }
        }
        expected
    }
}

/// Picks the series of the shares of a limiter.
fn pick(series: impl IntoIterator<Item = (String, f64)>, limiter: &str) -> BTreeMap<String, f64> {
    let mut picked = BTreeMap::new();
    for (series, value) in series {
        let Some(series) = series.strip_prefix("concurrency_limit_share_") else { continue };
        let Some((name, labels)) = series.split_once('{') else { continue };
        let Some((_, share)) = labels.split_once("share=\"") else { continue };
        if labels.contains(&format!("limiter=\"{limiter}\"")) {
            let share = share.split('"').next().unwrap_or_default();
            picked.insert(format!("{name} {share}"), value);
        }
    }
    picked
}

#[test]
fn prometheus_shows_each_share() {
    let busy = Busy::new("shares::prometheus");
    for collector in [Collector::new(), Collector::new().by_runtime()] {
        assert_eq!(pick(samples(&encoded(collector)), busy.limiter.name()), Busy::expected());
    }
}

#[test]
fn opentelemetry_shows_each_share() {
    let busy = Busy::new("shares::opentelemetry");
    let provider = Provider::new(Temporality::Cumulative);
    let _observation = provider.observe();
    assert_eq!(pick(provider.collect().numbers, busy.limiter.name()), Busy::expected());
}

#[test]
fn the_facade_shows_each_share_and_no_use_of_one_that_is_gone() {
    let recorder = facade::recorder();
    let read = |limiter: &str| {
        let all = facade::collected(recorder).into_iter();
        let numbers = all.filter_map(|(series, value)| match value {
            DebugValue::Gauge(value) => Some((series, value.into_inner())),
            DebugValue::Counter(count) => Some((series, number(count))),
            DebugValue::Histogram(_) => None,
        });
        pick(numbers, limiter)
    };
    let busy = Busy::new("shares::facade");
    assert_eq!(read(busy.limiter.name()), Busy::expected());

    let limiter = Limiter::new("shares::gone", 10).shares(SHARES);
    let permit = limiter.share("live").try_acquire().expect("free");
    assert_eq!(read("shares::gone")["permit_guaranteed live"], 6.0);
    drop((permit, limiter));
    let gone = read("shares::gone");
    assert_eq!((gone["permit_guaranteed live"], gone["admissions_total live"]), (0.0, 1.0));
}

#[test]
fn a_limiter_without_shares_has_none_of_these_series() {
    let limiter = Limiter::new("shares::none", 7);
    drop(limiter.try_acquire());
    assert_eq!(pick(samples(&encoded(Collector::new())), limiter.name()), BTreeMap::new());
}
