//! Figures of limiters, checked after each step of a script.

mod policies;
mod sampled;

use limit_runtime::{Admission, Figures, Limiter, Scope, WaitTimes, concurrency_limit};
use limit_tests::figures::{assert_all_free, total};
use limit_tests::polling::{permit, served, waiter};
use limit_tests::runtimes::one_thread;
use std::time::Duration;
use tokio::time::advance;
use tokio_test::task;

const MS: Duration = Duration::from_millis(1);

/// Asserts all figures of a limiter that is in use on one runtime.
#[track_caller]
fn assert_snapshot<E: Admission, K>(limiter: &Limiter<E, K>, expected: &Figures) {
    let snapshot = limiter.snapshot();
    assert_eq!(snapshot.name, limiter.name());
    assert_eq!(snapshot.scope, Scope::Runtime);
    assert_eq!(snapshot.total, *expected);
    assert_eq!(snapshot.runtimes.len(), 1);
    assert_eq!(snapshot.runtimes[0].figures, *expected);
    assert!(snapshot.warnings.is_empty());
}

/// Returns the figures of one wait that was this long.
fn one_wait(wait: Duration) -> WaitTimes {
    let mut waits = WaitTimes::default();
    waits.count = 1;
    for figure in [&mut waits.total, &mut waits.p50, &mut waits.p90, &mut waits.p99, &mut waits.max]
    {
        *figure = wait;
    }
    waits
}

#[tokio::test(start_paused = true)]
async fn the_snapshot_agrees_with_a_script_after_every_step() {
    let limiter = Limiter::new("figures-script", 2);
    let unused = limiter.snapshot();
    assert!(unused.runtimes.is_empty());
    let mut expected = Figures::default();
    (expected.limit, expected.capacity) = (2, Some(2));
    assert_eq!(unused.total, expected);

    let first = permit(&limiter);
    expected.in_use = 1;
    expected.admitted_at_once = 1;
    assert_snapshot(&limiter, &expected);

    let second = limiter.try_acquire().expect("one is free");
    expected.in_use = 2;
    expected.admitted_at_once = 2;
    assert_snapshot(&limiter, &expected);

    limiter.try_acquire().unwrap_err();
    expected.rejected.no_permits = 1;
    assert_snapshot(&limiter, &expected);

    assert!(task::spawn(limiter.acquire_many(3)).poll().is_ready());
    expected.rejected.too_heavy = 1;
    assert_snapshot(&limiter, &expected);
    assert_eq!(expected.rejected.total(), 2);

    let mut third = waiter(limiter.acquire());
    expected.waiting = 1;
    expected.most_waiting = 1;
    assert_snapshot(&limiter, &expected);

    let fourth = waiter(limiter.acquire());
    let fifth = waiter(limiter.acquire());
    expected.waiting = 3;
    expected.most_waiting = 3;
    assert_snapshot(&limiter, &expected);

    drop(fourth);
    expected.waiting = 2;
    expected.cancelled = 1;
    assert_snapshot(&limiter, &expected);

    advance(10 * MS).await;
    drop(first);
    expected.waiting = 1;
    assert_snapshot(&limiter, &expected);

    advance(5 * MS).await;
    let third = served(&mut third);
    expected.admitted_after_waiting = 1;
    // The wait ends when the call goes on, 5 ms after it was handed the permit.
    expected.wait = one_wait(15 * MS);
    assert_snapshot(&limiter, &expected);

    limiter.set_limit(1);
    (expected.limit, expected.capacity) = (1, Some(1));
    assert_snapshot(&limiter, &expected);

    drop(second);
    expected.in_use = 1;
    assert_snapshot(&limiter, &expected);

    drop(third);
    expected.waiting = 0;
    assert_snapshot(&limiter, &expected);

    drop(fifth);
    expected.in_use = 0;
    expected.cancelled = 2;
    assert_snapshot(&limiter, &expected);

    drop(permit(&limiter));
    expected.admitted_at_once = 3;
    assert_snapshot(&limiter, &expected);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn there_is_a_wait_for_each_call_that_waited_and_was_let_in_and_no_other() {
    let limiter = Limiter::new("figures-histogram", 1);
    for wait in 1..=100 {
        let held = permit(&limiter);
        let cancelled = waiter(limiter.acquire());
        let mut admitted = waiter(limiter.acquire());
        limiter.try_acquire().unwrap_err();
        assert!(task::spawn(limiter.acquire_many(2)).poll().is_ready());
        drop(cancelled);
        advance(wait * MS).await;
        drop(held);
        drop(served(&mut admitted));

        // The call is granted its permit, but is dropped before it is polled.
        let held = permit(&limiter);
        let unnoticed = waiter(limiter.acquire());
        advance(500 * MS).await;
        drop(held);
        assert!(unnoticed.is_woken());
        drop(unnoticed);

        // The call is refused because the limit went down.
        limiter.set_limit(2);
        let held = permit(&limiter);
        let mut too_heavy = waiter(limiter.acquire_many(2));
        advance(500 * MS).await;
        limiter.set_limit(1);
        served(&mut too_heavy).unwrap_err();
        drop(held);

        assert_eq!(total(&limiter).wait.count, u64::from(wait));
    }
    let figures = total(&limiter);
    assert_eq!(figures.admitted_at_once, 300);
    assert_eq!(figures.admitted_after_waiting, 100);
    assert_eq!(figures.cancelled, 200);
    assert_eq!((figures.rejected.no_permits, figures.rejected.too_heavy), (100, 200));
    assert_eq!(figures.wait.total, 5050 * MS);
    assert_eq!(figures.wait.max, 100 * MS);
    for (percentile, wait) in
        [(figures.wait.p50, 50), (figures.wait.p90, 90), (figures.wait.p99, 99)]
    {
        let wait = wait * MS;
        assert!(percentile >= wait && percentile <= wait + wait / 8, "{percentile:?} of {wait:?}");
    }
    assert_all_free(&limiter);
}

#[test]
fn a_retired_runtimes_totals_stay() {
    static LIMITER: Limiter = Limiter::new("figures-retired", 1);

    #[concurrency_limit(limiter = LIMITER)]
    async fn limited() {
        tokio::task::yield_now().await;
    }

    for round in 1..=5 {
        let runtime = one_thread();
        runtime.block_on(async {
            tokio::join!(limited(), limited(), limited());
            let held = permit(&LIMITER);
            drop(waiter(LIMITER.acquire()));
            LIMITER.try_acquire().unwrap_err();
            assert!(task::spawn(LIMITER.acquire_many(2)).poll().is_ready());
            drop(held);
        });
        let live = LIMITER.snapshot();
        assert_eq!(live.runtimes.len(), 1);
        assert_eq!(live.runtimes[0].figures.admitted_at_once, 2, "of this runtime alone");
        drop(runtime);

        let snapshot = LIMITER.snapshot();
        assert!(snapshot.runtimes.is_empty());
        assert_eq!(snapshot.total, live.total, "nothing changed when the runtime ended");
        let total = snapshot.total;
        assert_eq!((total.in_use, total.waiting, total.most_waiting), (0, 0, 2));
        assert_eq!(total.admitted_at_once, 2 * round);
        assert_eq!(total.admitted_after_waiting, 2 * round);
        assert_eq!(total.wait.count, 2 * round);
        assert_eq!(total.cancelled, round);
        assert_eq!((total.rejected.no_permits, total.rejected.too_heavy), (round, round));
    }
}

#[test]
fn totals_add_up_over_live_and_retired_runtimes() {
    #[concurrency_limit(2, name = "figures-several")]
    async fn limited() {}

    let runtimes: Vec<_> = (0..3).map(|_| one_thread()).collect();
    for (calls, runtime) in (1..).zip(&runtimes) {
        for _ in 0..calls {
            runtime.block_on(limited());
        }
    }
    let limiter = limit_runtime::find("figures-several").expect("it is in use");
    let admitted = || -> (u64, Vec<u64>) {
        let snapshot = limiter.snapshot();
        let each = snapshot.runtimes.iter().map(|runtime| runtime.figures.admitted_at_once);
        (snapshot.total.admitted_at_once, each.collect())
    };
    assert_eq!(admitted(), (6, vec![1, 2, 3]));
    drop(runtimes);
    assert_eq!(admitted(), (6, vec![]));
    assert!(tokio_test::task::spawn(limited()).poll().is_ready(), "outside any runtime");
    assert_eq!(admitted(), (7, vec![1]));
}
