//! The waits that go on: since when a reader knows that a call waits.

use super::{MS, handle, read};
use limit_runtime::inspect::LimiterReading;
use limit_runtime::{Limiter, find, inspect};
use limit_tests::polling::{assert_waits, let_in, permit, served, waiter};
use limit_tests::runtimes::paused;
use std::time::Duration;
use tokio::time::advance;

const S: Duration = Duration::from_secs(1);

/// Returns the number of waits that go on, the longest of them, and all together.
fn ongoing(reading: &LimiterReading) -> Option<(u64, Duration, Duration)> {
    let oldest = reading.oldest_wait()?;
    let Some(waits) = reading.ongoing_waits.as_ref() else {
        return Some((0, oldest, Duration::ZERO));
    };
    Some((waits.count(), oldest, waits.total()))
}

#[tokio::test(start_paused = true)]
async fn a_wait_goes_on_since_the_first_reading_that_saw_it() {
    let name = "ongoing-first-seen";
    let limiter = Limiter::new(name, 1);
    let held = permit(&limiter);
    assert_eq!(ongoing(&read(name)), None);
    let mut first = waiter(limiter.acquire());
    advance(10 * S).await;
    assert_eq!(
        ongoing(&read(name)),
        Some((0, Duration::ZERO, Duration::ZERO)),
        "no reading has seen it before"
    );
    advance(30 * S).await;
    let second = waiter(limiter.acquire());
    assert_eq!(ongoing(&read(name)), Some((1, 30 * S, 30 * S)));
    advance(5 * S).await;
    assert_eq!(ongoing(&read(name)), Some((2, 35 * S, 40 * S)), "the first stays the oldest");
    drop(held);
    let held = served(&mut first);
    assert_eq!(
        ongoing(&read(name)),
        Some((1, 5 * S, 5 * S)),
        "a call that is admitted waits no more"
    );
    drop(second);
    assert_eq!(ongoing(&read(name)), None);
    // It gets the slot of one that has left.
    let _third = waiter(limiter.acquire());
    assert_eq!(ongoing(&read(name)), Some((0, Duration::ZERO, Duration::ZERO)));
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_call_is_known_in_any_order_and_of_any_key() {
    let newest_first = Limiter::new("ongoing-lifo", 1).order(limit_runtime::Order::Lifo);
    let keyed = Limiter::new("ongoing-keyed", 1).keyed();
    let ranked = Limiter::new("ongoing-ranked", 1).scope(limit_runtime::Scope::Process);
    let held = (permit(&newest_first), let_in_key(&keyed), permit(&ranked));
    let old = (
        waiter(newest_first.acquire()),
        waiter(keyed.key("busy").acquire()),
        waiter(ranked.acquire()),
    );
    let names = ["ongoing-lifo", "ongoing-keyed", "ongoing-ranked"];
    let oldest = || names.map(|name| read(name).oldest_wait());
    assert_eq!(oldest(), [Some(Duration::ZERO); 3]);
    for age in 1..=3 {
        advance(S).await;
        let newer = (
            waiter(newest_first.acquire()),
            waiter(keyed.key("busy").acquire()),
            waiter(ranked.acquire().priority(1)),
        );
        assert_eq!(oldest(), [Some(age * S); 3]);
        drop(newer);
    }
    drop((held, old));
}

fn let_in_key(keyed: &limit_runtime::KeyedLimiter) -> limit_runtime::Permit {
    limit_tests::polling::at_once(keyed.key("busy").acquire())
}

#[tokio::test(start_paused = true)]
async fn a_reading_changes_neither_the_order_nor_the_wait_that_is_counted() {
    let name = "ongoing-unchanged";
    let limiter = Limiter::new(name, 1).max_waiting(9);
    let held = let_in(limiter.acquire());
    let mut calls: Vec<_> = (0..3).map(|_| waiter(limiter.acquire())).collect();
    advance(20 * MS).await;
    read(name);
    advance(20 * MS).await;
    drop(held);
    for first in 0..3 {
        read(name);
        let permit = served(&mut calls[first]).expect("it is admitted");
        for behind in &mut calls[first + 1..] {
            assert_waits(behind);
        }
        drop(permit);
    }
    let waits = read(name).totals.counters;
    let waits = waits.waits().expect("three have waited");
    assert_eq!((waits.count(), waits.total()), (3, 120 * MS));
}

#[test]
fn waits_in_all_runtimes_count_and_many_of_them() {
    const CALLS: u32 = 3_000;
    let name = "ongoing-many";
    let limiter = Limiter::new(name, 1);
    let runtimes = [paused(), paused()];
    let mut calls = Vec::new();
    for runtime in &runtimes {
        runtime.block_on(async {
            let held = permit(&limiter);
            calls.push((held, (0..CALLS).map(|_| waiter(limiter.acquire())).collect::<Vec<_>>()));
        });
    }
    let [first, _] = &runtimes;
    let seen = first.block_on(async { ongoing(&read(name)) });
    assert_eq!(seen, Some((0, Duration::ZERO, Duration::ZERO)));
    let later = first.block_on(async {
        advance(S).await;
        ongoing(&read(name))
    });
    assert_eq!(later, Some((2 * u64::from(CALLS), S, 2 * CALLS * S)));
    drop(calls);
    assert_eq!(ongoing(&read(name)), None);
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_was_dropped_has_no_waits() {
    let limiter = Limiter::new("ongoing-dropped", 1);
    let held = permit(&limiter);
    let call = waiter(limiter.acquire());
    let stale = handle("ongoing-dropped");
    assert!(inspect::read(&stale).oldest_wait().is_some());
    drop((call, held));
    drop(limiter);
    assert!(inspect::read(&stale).oldest_wait().is_none());
    assert!(find("ongoing-dropped").is_none());
}
