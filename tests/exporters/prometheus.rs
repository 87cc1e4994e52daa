//! The text that `prometheus-client` encodes.

use crate::support::{
    encode, encoded, everything_once, expected, is_built, is_of_diagnostics, is_of_some, number,
    of_everything, one_thread, samples,
};
use limit_exporters::prometheus::Collector;
use limit_exporters::{Kind, METRICS};
use limit_runtime::{Limiter, Order, Rejected, RejectedKind, Scope, Source};
use limit_tests::polling::waiter;
use limit_tests::programs::is_alone;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Returns the samples of one limiter, without its buckets.
fn of(limiter: &str, samples: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let label = format!("limiter=\"{limiter}\"");
    let of_limiter = |name: &&String| {
        name.contains(&label) && !name.contains("_bucket") && !is_of_diagnostics(name)
    };
    let names = samples.keys().filter(of_limiter);
    names.map(|name| (name.clone(), samples[name])).collect()
}

#[tokio::test(start_paused = true)]
async fn every_figure_is_that_of_the_snapshot() {
    static LIMITER: Limiter<Rejected> = of_everything("prometheus::everything");

    let permit = everything_once(&LIMITER).await;
    let snapshot = LIMITER.snapshot();
    let shown = of("prometheus::everything", &samples(&encoded(Collector::new())));
    assert_eq!(shown, expected(&snapshot));
    let results = crate::support::results(&snapshot.total).into_iter();
    let counts: Vec<_> = results.map(|(_, count)| count).collect();
    assert_eq!(
        counts,
        [3.0, 2.0, 1.0, 4.0, 1.0, 1.0, 1.0, 2.0, 1.0, 0.0, 0.0, 0.0],
        "as the script has it"
    );
    drop(permit);
}

#[test]
fn everything_is_there_from_the_start_at_zero() {
    let limiter = Limiter::new("prometheus::zero", 7);
    assert_eq!(limiter.snapshot().total.limit, 7);
    let text = encoded(Collector::new());
    let shown = of("prometheus::zero", &samples(&text));
    let always = || METRICS.iter().filter(|metric| is_built(metric) && !is_of_some(metric));
    for metric in always() {
        let name = metric.prometheus.trim_end_matches("_total");
        assert!(text.contains(&format!("# TYPE {name} ")), "{name}");
    }
    for (name, value) in &shown {
        let is_limit = name.starts_with("concurrency_limit_permit_limit");
        let is_on = [",scope=", ",order=", "_enforced"].iter().any(|part| name.contains(part));
        let expected = if is_limit { 7.0 } else { f64::from(u8::from(is_on)) };
        assert_eq!(*value, expected, "{name}");
    }
    assert_eq!(shown, expected(&limiter.snapshot()));
    let counters = || always().filter(|metric| metric.kind == Kind::Counter);
    let values: usize =
        counters().flat_map(|metric| metric.labels).map(|label| label.values.len()).sum();
    let results = 3 + RejectedKind::ALL.len();
    assert_eq!(values, results + Source::ALL.len() - 1, "results and sources");
    for label in counters().flat_map(|metric| metric.labels) {
        for value in label.values {
            let label = format!("{}=\"{value}\"", label.name);
            assert!(shown.keys().any(|name| name.contains(&label)), "{label}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn waits_are_in_their_buckets() {
    let limiter = Limiter::new("prometheus::waits", 1);
    // In milliseconds.
    let waits = [0, 1, 2, 3, 16, 17, 70, 1000, 60_000, 68_719, 68_720, 100_000];
    for wait in waits {
        let permit = limiter.acquire().await;
        let mut waiter = Box::pin(limiter.acquire());
        assert!(futures::poll!(&mut waiter).is_pending());
        tokio::time::advance(Duration::from_millis(wait)).await;
        drop(permit);
        drop(waiter.await);
    }
    let shown = samples(&encoded(Collector::new()));
    let mut bounds = Vec::new();
    for (series, count) in &shown {
        let bucket = "concurrency_limit_wait_time_seconds_bucket{le=\"";
        let Some(rest) = series.strip_prefix(bucket) else { continue };
        let Some((bound, "limiter=\"prometheus::waits\"}")) = rest.split_once("\",") else {
            continue;
        };
        let bound: f64 = bound.parse().expect("a number");
        let exact = waits.iter().filter(|&&wait| number(wait) / 1e3 <= bound).count();
        assert_eq!(*count, crate::support::figure(exact), "up to {bound} s");
        bounds.push(bound);
    }
    bounds.sort_by(f64::total_cmp);
    assert_eq!(bounds.pop(), Some(f64::INFINITY));
    let powers: Vec<_> = (18..=34).step_by(2).map(|power| number(1 << power) / 1e9).collect();
    assert_eq!(bounds, powers);
}

#[test]
fn by_runtime_each_live_one_has_its_own_and_sums_never_go_back() {
    let limiter = Limiter::new("prometheus::runtimes", 2);
    let shown = || of("prometheus::runtimes", &samples(&encoded(Collector::new().by_runtime())));
    let sums = |shown: &BTreeMap<String, f64>| {
        let mut sums = BTreeMap::<String, f64>::new();
        for (name, value) in shown {
            let (start, rest) = name.split_once(",runtime=\"").unwrap_or((name, "\""));
            let (_, rest) = rest.split_once('"').expect("the end of a value");
            *sums.entry(format!("{start}{rest}")).or_default() += value;
        }
        sums
    };
    let admitted_at_once = |runtime: &dyn std::fmt::Display| {
        format!(
            "concurrency_limit_acquisitions_total{{limiter=\"prometheus::runtimes\",\
             runtime=\"{runtime}\",result=\"admitted_at_once\"}}"
        )
    };

    let (one, other) = (one_thread(), one_thread());
    one.block_on(async { drop(limiter.acquire().await) });
    let permit = other.block_on(limiter.acquire());
    let [first, second] = &*limiter.snapshot().runtimes else { panic!("two live runtimes") };
    let (first, second) = (first.runtime, second.runtime);
    let before = shown();
    assert_eq!((before[&admitted_at_once(&first)], before[&admitted_at_once(&second)]), (1.0, 1.0));
    assert_eq!(before[&admitted_at_once(&"retired")], 0.0);

    drop(one);
    let after = shown();
    assert!(!after.contains_key(&admitted_at_once(&first)), "it is gone");
    assert_eq!(
        (after[&admitted_at_once(&second)], after[&admitted_at_once(&"retired")]),
        (1.0, 1.0)
    );

    // A permit outlives its runtime.
    drop(other);
    let last = shown();
    assert_eq!(last[&admitted_at_once(&"retired")], 2.0);
    let usage =
        "concurrency_limit_permit_usage{limiter=\"prometheus::runtimes\",runtime=\"retired\"}";
    assert_eq!(last[usage], 1.0);
    assert!(!last.keys().any(|name| name.contains("_limit_permit_limit")), "no limit of the ended");

    // The next runtime reuses the memory of the first, and has a number of its own.
    let third = one_thread();
    third.block_on(async { drop(limiter.acquire().await) });
    let reused = shown();
    assert!(!reused.contains_key(&admitted_at_once(&first)));
    assert_eq!(reused[&admitted_at_once(&"retired")], 2.0);

    for (earlier, later) in [(&before, &after), (&after, &last), (&last, &reused)] {
        let (earlier, later) = (sums(earlier), sums(later));
        for (name, value) in earlier.iter().filter(|(name, _)| name.contains("_total")) {
            assert!(later[name] >= *value, "{name} went back");
        }
    }
    drop(permit);
    let (all, by_runtime) = (expected(&limiter.snapshot()), sums(&shown()));
    for (name, value) in all.iter().filter(|(name, _)| !name.contains("permit_limit")) {
        assert_eq!(by_runtime[name], *value, "{name}");
    }
}

#[test]
fn sums_never_go_back_while_runtimes_come_and_go() {
    use std::sync::atomic::{AtomicBool, Ordering};

    static LIMITER: Limiter = Limiter::new("prometheus::coming-and-going", 4);
    let done = AtomicBool::new(false);
    let total = |text: &str| -> f64 {
        let of_limiter = |name: &str| {
            name.starts_with(
                "concurrency_limit_acquisitions_total{limiter=\"prometheus::coming-and-going\"",
            ) && name.contains("result=\"admitted_at_once\"")
        };
        let samples = samples(text);
        samples.iter().filter(|(name, _)| of_limiter(name)).map(|(_, count)| count).sum()
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..200 {
                        one_thread().block_on(async {
                            for _ in 0..5 {
                                drop(LIMITER.acquire().await);
                            }
                        });
                    }
                })
            })
            .collect();
        let (done, total) = (&done, &total);
        let scraper = scope.spawn(move || {
            let mut last = 0.0;
            while !done.load(Ordering::Relaxed) {
                let now = total(&encoded(Collector::new().by_runtime()));
                assert!(now >= last, "from {last} back to {now}");
                last = now;
            }
        });
        for worker in workers {
            worker.join().expect("no panic");
        }
        done.store(true, Ordering::Relaxed);
        scraper.join().expect("sums never go back");
    });
    assert_eq!(total(&encoded(Collector::new().by_runtime())), 2000.0);
    assert_eq!(total(&encoded(Collector::new())), 2000.0);
}

#[test]
fn a_second_collector_is_refused_and_what_is_encoded_is_as_with_one() {
    let limiter = Limiter::new("prometheus::twice", 7);
    assert_eq!(limiter.snapshot().total.limit, 7);
    let mut registry = Registry::default();
    Collector::new().register(&mut registry).expect("it is the first");
    for second in [Collector::new(), Collector::new().by_runtime()] {
        let error = second.register(&mut registry).expect_err("it would show all twice");
        assert!(error.to_string().contains("already"), "{error}");
    }
    let text = encode(&registry);
    let types = text.lines().filter(|line| line.starts_with("# TYPE")).count();
    let built = METRICS.iter().filter(|metric| is_built(metric)).count();
    // Another test may have a fleet, keys or rates meanwhile.
    let of_some = METRICS.iter().filter(|metric| is_of_some(metric)).count();
    assert!((built - of_some..=built).contains(&types), "{types}");
    let line = "concurrency_limit_permit_limit{limiter=\"prometheus::twice\"} 7\n";
    assert_eq!(text.matches(line).count(), 1);
}

#[test]
fn a_collector_is_found_however_it_was_registered_and_no_other_is_taken_for_it() {
    #[derive(Debug)]
    struct Another;

    impl prometheus_client::collector::Collector for Another {
        fn encode(&self, _: DescriptorEncoder<'_>) -> std::fmt::Result {
            Ok(())
        }
    }

    let mut registry = Registry::default();
    registry.register_collector(Box::new(Another));
    registry.register("Collector", "Collector", Counter::<u64>::default());
    Collector::new().register(&mut registry).expect("it is the first of its kind");

    let mut registry = Registry::default();
    registry.register_collector(Box::new(Arc::new(Collector::new())));
    Collector::new().register(&mut registry).expect_err("there is one in an `Arc`");

    let mut registry = Registry::default();
    let part = registry.sub_registry_with_prefix("part");
    Collector::new().register(part).expect("it is the first");
    Collector::new().register(&mut registry).expect_err("there is one in a part of it");
    // Each registry may have one.
    Collector::new().register(&mut Registry::default()).expect("it is the first there");
}

#[test]
fn keys_are_counted_and_not_named() {
    let limiter = Limiter::new("prometheus::keys", 2).keyed().total(9);
    let permits: Vec<_> = ["alice", "bob", "bob"]
        .into_iter()
        .map(|user| limiter.key(user).try_acquire().expect("a permit is free"))
        .collect();
    let text = encoded(Collector::new());
    let shown = samples(&text);
    assert_eq!(shown["concurrency_limit_active_keys{limiter=\"prometheus::keys\"}"], 2.0);
    assert!(!text.contains("alice") && !text.contains("bob"));
    let figures = |names: [&str; 5]| {
        let name = |name| format!("concurrency_limit_{name}{{limiter=\"prometheus::keys\"}}");
        let shown = samples(&encoded(Collector::new()));
        names.map(|figure| shown.get(&name(figure)).copied())
    };
    let names = [
        "full_keys",
        "worst_key_permit_usage",
        "worst_key_permit_limit",
        "worst_key_queued_calls",
        "permit_limit_of_all_keys",
    ];
    assert_eq!(figures(names), [1.0, 2.0, 2.0, 0.0, 9.0].map(Some));
    let waiters = [(); 3].map(|()| waiter(limiter.key("bob").acquire()));
    assert_eq!(figures(names), [1.0, 2.0, 2.0, 3.0, 9.0].map(Some));
    drop((waiters, permits));
    limiter.set_total(usize::MAX);
    assert_eq!(
        figures(names),
        [Some(0.0), Some(0.0), Some(0.0), Some(0.0), None],
        "no key is in use"
    );
}

#[test]
fn the_permits_that_a_ramp_withholds_are_shown() {
    let name = "prometheus::ramp";
    let limiter = Limiter::new(name, 5).ramp(Duration::from_secs(3_600)).scope(Scope::Process);
    let _held = limiter.try_acquire().expect("the first is let in");
    let shown = of(name, &samples(&encoded(Collector::new())));
    let figure = |series: &str| shown[&format!("concurrency_limit_{series}{{limiter=\"{name}\"}}")];
    assert_eq!((figure("ramp_seconds"), figure("permit_withheld")), (3_600.0, 4.0));
    assert_eq!((figure("permit_limit"), figure("permit_usage")), (5.0, 1.0));
}

#[test]
fn the_state_of_a_limiter_is_shown() {
    let name = "prometheus::state";
    let limiter =
        Limiter::new(name, 1).max_waiting(3).per(Duration::from_secs(60)).order(Order::Lifo);
    let limiter = limiter.scope(Scope::Process);
    assert_eq!(limiter.limit(), Some(1));
    drop(limiter.try_acquire().expect("a permit is free"));
    limiter.close();
    let shown = of(name, &samples(&encoded(Collector::new())));
    let of_state = |series: &str, label: &str| {
        shown.get(&format!("concurrency_limit_{series}{{limiter=\"{name}\"{label}}}")).copied()
    };
    assert_eq!(of_state("closed", ""), Some(1.0));
    assert_eq!(of_state("window_seconds", ""), Some(60.0));
    assert_eq!(of_state("oldest_wait_seconds", ""), Some(0.0), "nobody waits");
    let order = ["fifo", "lifo"].map(|order| of_state("order", &format!(",order=\"{order}\"")));
    assert_eq!(order, [None, Some(1.0)]);
    assert_eq!(of_state("scope", ",scope=\"process\""), Some(1.0));
    limiter.reopen();
    let shown = of(name, &samples(&encoded(Collector::new())));
    assert_eq!(shown[&format!("concurrency_limit_closed{{limiter=\"{name}\"}}")], 0.0);
}

#[test]
fn names_are_escaped() {
    let limiter = Limiter::new("prometheus::\"a\\b\"\nc", 5);
    assert_eq!(limiter.snapshot().total.limit, 5);
    let text = encoded(Collector::new());
    let line = "concurrency_limit_permit_limit{limiter=\"prometheus::\\\"a\\\\b\\\"\\nc\"} 5\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn thousand_limiters_are_all_there() {
    // Never dropped: so many dropped names would make those of other tests forgotten.
    if !is_alone("prometheus::thousand_limiters_are_all_there") {
        return;
    }
    let name = |index: usize| format!("prometheus::many-{index}");
    let limiters: Vec<_> = (0..1000).map(|index| Limiter::named(name(index), index + 1)).collect();
    for limiter in &limiters {
        drop(limiter.try_acquire().expect("a permit is free"));
    }
    let shown = samples(&encoded(Collector::new()));
    for limiter in &limiters {
        for (name, value) in expected(&limiter.snapshot()) {
            assert_eq!(shown.get(&name), Some(&value), "{name}");
        }
    }
}

#[cfg(feature = "diagnostics")]
const OLDEST: &str = "oldest_holder_start_timestamp_seconds";

/// Calls a function at a later time than everything before.
#[cfg(feature = "diagnostics")]
fn later<T>(run: impl FnOnce() -> T) -> T {
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_millis(20) {
        std::hint::spin_loop();
    }
    run()
}

#[cfg(feature = "diagnostics")]
#[test]
fn holds_are_sampled_and_the_oldest_holder_is_known_while_there_is_one() {
    limit_runtime::diagnostics::record(true);
    let limiter = Limiter::new("prometheus::holders", 3);
    let series = |name: &str| {
        let name = format!("concurrency_limit_{name}{{limiter=\"prometheus::holders\"}}");
        samples(&encoded(Collector::new())).get(&name).copied()
    };
    let now = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.expect("it is later than 1970").as_secs_f64()
    };
    assert_eq!(limiter.snapshot().total.limit, 3);
    assert_eq!((series("hold_time_seconds_count"), series(OLDEST)), (None, None));
    let before = now();
    let first = limiter.try_acquire().expect("a permit is free");
    let after = now();
    let second = later(|| limiter.try_acquire().expect("a permit is free"));
    let started = series(OLDEST).expect("there is one");
    // With a tolerance: the wall clock is not the clock by which ages are measured.
    assert!(started > before - 60.0 && started < after + 60.0, "{started} in {before}..{after}");
    drop(first);
    let next = series(OLDEST).expect("there is another");
    assert!(next > started, "{next} after {started}");
    // The first call of a thread is counted.
    assert_eq!(series("hold_time_seconds_count"), Some(1.0));
    assert!(series("hold_time_seconds_sum").is_some_and(|sum| sum > 0.0));
    drop(second);
    assert_eq!((series("hold_time_seconds_count"), series(OLDEST)), (Some(1.0), None));
    for _ in 0..63 {
        drop(limiter.try_acquire());
    }
    assert_eq!(series("hold_time_seconds_count"), Some(2.0), "of 65 calls, the first and the last");
}

#[cfg(feature = "diagnostics")]
#[test]
fn holds_of_each_limiter_are_sampled_where_calls_alternate() {
    limit_runtime::diagnostics::record(true);
    let outer = Limiter::new("prometheus::outer", 1);
    let inner = Limiter::new("prometheus::inner", 1);
    for _ in 0..640 {
        let _outer = outer.try_acquire();
        drop(inner.try_acquire());
    }
    let shown = samples(&encoded(Collector::new()));
    for limiter in ["outer", "inner"] {
        let name = format!(
            "concurrency_limit_hold_time_seconds_count{{limiter=\"prometheus::{limiter}\"}}"
        );
        assert_eq!(shown.get(&name), Some(&10.0), "{limiter}");
    }
}

#[cfg(feature = "diagnostics")]
#[tokio::test]
async fn waits_are_not_taken_for_holds() {
    limit_runtime::diagnostics::record(true);
    let limiter = Limiter::new("prometheus::waits-and-holds", 1);
    let held = limiter.acquire().await;
    let mut waiter = Box::pin(limiter.acquire());
    assert!(futures::poll!(&mut waiter).is_pending());
    drop(held);
    let held = waiter.await;
    let count = || {
        let name =
            "concurrency_limit_hold_time_seconds_count{limiter=\"prometheus::waits-and-holds\"}";
        samples(&encoded(Collector::new())).get(name).copied()
    };
    assert_eq!(count(), Some(1.0));
    // The first and the last of 65 calls are counted.
    drop(held);
    for _ in 0..62 {
        drop(limiter.acquire().await);
    }
    assert_eq!(count(), Some(1.0));
    drop(limiter.acquire().await);
    assert_eq!(count(), Some(2.0));
}

#[cfg(feature = "diagnostics")]
#[test]
fn oldest_holder_is_that_of_all_runtimes_and_no_waiter() {
    limit_runtime::diagnostics::record(true);
    let limiter = Limiter::new("prometheus::oldest-of-all", 1);
    let series = || {
        let name = format!("concurrency_limit_{OLDEST}{{limiter=\"prometheus::oldest-of-all\"}}");
        samples(&encoded(Collector::new())).get(&name).copied()
    };
    let runtimes = [one_thread(), one_thread()];
    let first = runtimes[1].block_on(limiter.acquire());
    let of_first = series().expect("there is one");
    let second = later(|| runtimes[0].block_on(limiter.acquire()));
    assert_eq!(series(), Some(of_first));
    drop(first);
    assert!(series().expect("there is another") > of_first);
    drop(second);
    limiter.set_limit(0);
    let mut waiter = Box::pin(limiter.acquire());
    let _context = runtimes[0].enter();
    assert!(futures::FutureExt::now_or_never(&mut waiter).is_none());
    assert_eq!((limiter.waiters().len(), series()), (1, None));
}

#[cfg(feature = "diagnostics")]
#[test]
fn oldest_holder_is_not_that_of_a_dropped_limiter_whose_place_was_taken() {
    use std::sync::atomic::{AtomicBool, Ordering};

    limit_runtime::diagnostics::record(true);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let held = Limiter::new("prometheus::place-held", 1);
                let permit = held.try_acquire();
                std::thread::yield_now();
                drop(held);
                drop(permit);
                let idle = Limiter::new("prometheus::place-idle", 1);
                assert_eq!(idle.snapshot().total.limit, 1);
                std::thread::yield_now();
            }
        });
        let series = format!("concurrency_limit_{OLDEST}{{limiter=\"prometheus::place-idle\"}}");
        let wrong = (0..3_000).filter(|_| encoded(Collector::new()).contains(&series)).count();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(wrong, 0);
    });
}
