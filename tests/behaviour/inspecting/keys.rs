//! The keys of a reading: the one that is worst off, those at their limit, and the limit over all of them.

use super::{handle, read};
use limit_runtime::{KeyedLimiter, Limiter, Order, Permit, inspect};
use limit_tests::polling::{at_once, permit, waiter};
use limit_tests::runtimes::one_thread;
use std::time::Duration;

fn take(limiter: &KeyedLimiter, key: &'static str, calls: usize) -> Vec<Permit> {
    (0..calls).map(|_| at_once(limiter.key(key).acquire())).collect()
}

/// Returns the worst key with its permits that are out, its limit and its waiters, and the number of full keys.
fn worst(name: &str) -> (Option<Worst>, usize) {
    let reading = read(name);
    let worst = reading.worst_key.map(|key| (key.name, key.in_use, key.limit, key.waiting));
    (worst, reading.full_keys)
}

type Worst = (String, usize, usize, usize);

fn key(name: &str, in_use: usize, limit: usize, waiting: usize) -> Worst {
    (name.to_owned(), in_use, limit, waiting)
}

#[test]
fn the_worst_key_has_the_most_waiters_or_else_the_largest_part_of_its_permits_out() {
    let name = "inspecting-worst";
    let limiter = Limiter::new(name, 3).keyed().total(20);
    assert_eq!(limiter.snapshot().total.keys, 0);
    assert_eq!(worst(name), (None, 0));
    let quiet = take(&limiter, "quiet", 1);
    assert_eq!(worst(name), (Some(key("quiet", 1, 3, 0)), 0));
    let busy = take(&limiter, "busy", 2);
    assert_eq!(worst(name), (Some(key("busy", 2, 3, 0)), 0));
    let full = [take(&limiter, "full", 3), take(&limiter, "acme", 3)];
    let first = waiter(limiter.key("full").acquire());
    assert_eq!(worst(name), (Some(key("full", 3, 3, 1)), 2));
    let more = [(); 2].map(|()| waiter(limiter.key("acme").acquire()));
    assert_eq!(worst(name), (Some(key("acme", 3, 3, 2)), 2));
    drop((first, more, full));
    assert_eq!(worst(name), (Some(key("busy", 2, 3, 0)), 0));
    drop((quiet, busy));
    assert_eq!(worst(name), (None, 0));
}

#[test]
fn a_key_is_held_to_its_limit_in_each_runtime_so_its_figures_are_those_of_one() {
    static LIMITER: KeyedLimiter = Limiter::new("inspecting-worst-of-two", 3).keyed();

    let [first, second] = [one_thread(), one_thread()];
    let here = first.block_on(async { take(&LIMITER, "acme", 2) });
    let there = second.block_on(async { take(&LIMITER, "acme", 3) });
    assert_eq!(worst("inspecting-worst-of-two"), (Some(key("acme", 3, 3, 0)), 1));
    let both = inspect::busiest_keys(&handle("inspecting-worst-of-two"), 1);
    assert_eq!((both[0].in_use, both[0].limit), (5, 6), "here they are those of both");
    drop((here, there));
}

#[test]
fn the_total_the_window_and_the_order_are_in_readings_and_snapshots() {
    let limiter =
        Limiter::new("inspecting-total", 3).keyed().total(5).scope(limit_runtime::Scope::Process);
    let held = take(&limiter, "acme", 2);
    let total = || {
        let (snapshot, reading) = (limiter.snapshot(), read("inspecting-total"));
        let figures = [&snapshot.total, &snapshot.runtimes[0].figures];
        assert!(figures.iter().all(|figures| figures.total == reading.usage.total));
        assert!(figures.iter().all(|figures| figures.capacity == reading.usage.total));
        assert_eq!(reading.by_runtime[0].usage.total, reading.usage.total);
        reading.usage.total
    };
    assert_eq!(total(), Some(5));
    limiter.set_total(7);
    assert_eq!(total(), Some(7));
    limiter.set_total(usize::MAX);
    assert_eq!(total(), None, "it caps nothing, and no number of permits is the most");
    drop(held);

    let minute = Duration::from_secs(60);
    let plain = Limiter::new("inspecting-policy", 4).order(Order::Lifo).per(minute);
    let held = permit(&plain);
    let (snapshot, reading) = (plain.snapshot(), read("inspecting-policy"));
    assert_eq!((snapshot.order, snapshot.per), (Order::Lifo, Some(minute)));
    assert_eq!((reading.order, reading.per), (Order::Lifo, Some(minute)));
    assert_eq!((snapshot.total.total, snapshot.total.capacity), (None, Some(4)));
    drop(held);
}

#[test]
fn the_capacity_is_that_of_all_runtimes() {
    let limiter = Limiter::new("inspecting-capacity", 4);
    assert_eq!(limiter.snapshot().total.capacity, Some(4), "before the first call");
    let runtimes = [one_thread(), one_thread()];
    let held = runtimes.each_ref().map(|runtime| runtime.block_on(async { permit(&limiter) }));
    let snapshot = limiter.snapshot();
    assert_eq!(snapshot.total.capacity, Some(8));
    assert!(snapshot.runtimes.iter().all(|runtime| runtime.figures.capacity == Some(4)));
    drop(held);
}
