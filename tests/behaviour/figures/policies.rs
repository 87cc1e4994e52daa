//! Figures of limiters with policies: bounds, orders, rates, keys, shadows.

use super::{MS, assert_snapshot, one_wait};
use limit_runtime::{Figures, KeyedLimiter, Limiter, Order, Rejected};
use limit_tests::figures::total;
use limit_tests::polling::{at_once, let_in, refused, served, waiter};
use limit_tests::runtimes::one_thread;
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::{advance, sleep};

#[tokio::test(start_paused = true)]
async fn a_limiter_that_refuses_for_every_reason_agrees_with_a_script() {
    let limiter =
        Limiter::new("counters-script", 3).order(Order::Lifo).max_waiting(2).max_wait(100 * MS);
    let mut expected = Figures::default();
    (expected.limit, expected.capacity) = (3, Some(3));
    assert_eq!(total(&limiter), expected);

    let first = let_in(limiter.acquire().weight(2));
    expected.in_use = 2;
    expected.admitted_at_once = 1;
    assert_snapshot(&limiter, &expected);

    refused(limiter.acquire().weight(4));
    expected.rejected.too_heavy = 1;
    assert_snapshot(&limiter, &expected);

    drop(let_in(limiter.acquire().enabled(false)));
    drop(let_in(limiter.acquire().weight(0)));
    expected.admitted_at_once = 3;
    assert_snapshot(&limiter, &expected);

    let second = let_in(limiter.acquire());
    expected.in_use = 3;
    expected.admitted_at_once = 4;
    assert_snapshot(&limiter, &expected);

    let mut oldest = waiter(limiter.acquire());
    let mut middle = waiter(limiter.acquire());
    expected.waiting = 2;
    expected.most_waiting = 2;
    assert_snapshot(&limiter, &expected);

    let mut newest = waiter(limiter.acquire());
    expected.rejected.evicted = 1;
    assert_snapshot(&limiter, &expected);
    served(&mut oldest).unwrap_err();
    assert_snapshot(&limiter, &expected);

    limiter.try_acquire().unwrap_err();
    expected.rejected.no_permits = 1;
    assert_snapshot(&limiter, &expected);

    advance(40 * MS).await;
    drop(second);
    let third = served(&mut newest).unwrap();
    expected.waiting = 1;
    expected.admitted_after_waiting = 1;
    expected.wait = one_wait(40 * MS);
    assert_snapshot(&limiter, &expected);

    sleep(60 * MS).await;
    served(&mut middle).unwrap_err();
    expected.waiting = 0;
    expected.rejected.timed_out = 1;
    assert_snapshot(&limiter, &expected);

    let cancelled = waiter(limiter.acquire());
    drop(cancelled);
    expected.cancelled = 1;
    assert_snapshot(&limiter, &expected);

    let mut closed = waiter(limiter.acquire());
    limiter.close();
    expected.rejected.closed = 1;
    assert_snapshot(&limiter, &expected);
    served(&mut closed).unwrap_err();
    refused(limiter.acquire());
    expected.rejected.closed = 2;
    assert_snapshot(&limiter, &expected);
    assert_eq!(expected.rejected.total(), 6);

    limiter.set_limit(1);
    (expected.limit, expected.capacity) = (1, Some(1));
    assert_snapshot(&limiter, &expected);
    drop(first);
    expected.in_use = 1;
    assert_snapshot(&limiter, &expected);
    drop(third);
    expected.in_use = 0;
    assert_snapshot(&limiter, &expected);
}

#[tokio::test(start_paused = true)]
async fn a_limiter_with_keys_and_a_rate_agrees_with_a_script() {
    let limiter = Limiter::new("counters-keys", 1).per(1000 * MS).keyed().total(2);
    let mut expected = Figures::default();
    (expected.limit, expected.total, expected.capacity) = (1, Some(2), Some(2));

    let first = at_once(limiter.key('a').acquire());
    expected.in_use = 1;
    expected.keys = 1;
    expected.admitted_at_once = 1;
    assert_snapshot(&limiter, &expected);

    let second = at_once(limiter.key('b').acquire());
    expected.in_use = 2;
    expected.keys = 2;
    expected.admitted_at_once = 2;
    assert_snapshot(&limiter, &expected);

    let mut third = waiter(limiter.key('c').acquire());
    expected.waiting = 1;
    expected.most_waiting = 1;
    expected.keys = 3;
    assert_snapshot(&limiter, &expected);

    drop(first);
    expected.in_use = 1;
    assert_snapshot(&limiter, &expected); // it cools: `a` is known, and nobody is served

    limiter.key('d').try_acquire().unwrap_err();
    expected.rejected.no_permits = 1;
    assert_snapshot(&limiter, &expected);

    sleep(1000 * MS).await;
    yield_now().await;
    let third = served(&mut third);
    expected.in_use = 2;
    expected.waiting = 0;
    expected.keys = 2;
    expected.admitted_after_waiting = 1;
    expected.wait = limiter.snapshot().total.wait;
    assert_eq!((expected.wait.count, expected.wait.max), (1, 1000 * MS));
    assert_snapshot(&limiter, &expected);

    drop(second);
    expected.in_use = 1;
    expected.keys = 1;
    assert_snapshot(&limiter, &expected); // its window was over before

    drop(third);
    expected.in_use = 0;
    assert_snapshot(&limiter, &expected);
    advance(1000 * MS).await;
    expected.keys = 0;
    assert_snapshot(&limiter, &expected);
}

#[test]
fn a_retired_runtimes_totals_stay() {
    static LIMITER: Limiter<Rejected> =
        Limiter::new("counters-retired", 1).order(Order::Lifo).max_waiting(1);
    static SHADOW: Limiter = Limiter::new("counters-retired-shadow", 1).max_waiting(1).shadow();
    static KEYED: KeyedLimiter<Rejected> =
        Limiter::new("counters-retired-keys", 1).max_wait(Duration::ZERO).keyed();

    for round in 1..=5 {
        let runtime = one_thread();
        runtime.block_on(async {
            let held = let_in(LIMITER.acquire());
            let _evicted = waiter(LIMITER.acquire());
            let mut waiting = waiter(LIMITER.acquire());
            drop(held);
            drop(served(&mut waiting).unwrap());
            LIMITER.close();
            refused(LIMITER.acquire());
            LIMITER.reopen();
            drop((0..3).map(|_| at_once(SHADOW.acquire())).collect::<Vec<_>>());
            let held = let_in(KEYED.key(round).acquire());
            refused(KEYED.key(round).acquire());
            drop(held);
        });
        let live = (LIMITER.snapshot(), SHADOW.snapshot(), KEYED.snapshot());
        assert_eq!((live.0.runtimes.len(), live.1.runtimes.len()), (1, 1));
        assert_eq!(live.0.runtimes[0].figures.rejected.evicted, 1, "of this runtime alone");
        assert_eq!(live.1.runtimes[0].figures.shadowed.waited, 1);
        drop(runtime);

        let after = (LIMITER.snapshot(), SHADOW.snapshot(), KEYED.snapshot());
        assert!(after.0.runtimes.is_empty());
        assert_eq!(
            (after.0.total, after.1.total, after.2.total),
            (live.0.total, live.1.total, live.2.total)
        );
        let rejected = after.0.total.rejected;
        assert_eq!(
            (rejected.evicted, rejected.closed, rejected.total()),
            (round, round, 2 * round)
        );
        let shadowed = after.1.total.shadowed;
        assert_eq!((shadowed.waited, shadowed.rejected.queue_full), (round, round));
        assert_eq!(after.1.total.admitted_at_once, 3 * round);
        assert_eq!((after.2.total.rejected.no_permits, after.2.total.keys), (round, 0));
    }
}
