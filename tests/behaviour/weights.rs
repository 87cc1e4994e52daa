//! Calls that take several permits, or none.

use limit_runtime::{Limiter, RejectedKind, Scope};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::occupancy::Inside;
use limit_tests::polling::{assert_waits, let_in, permit, refused, served, waiter};
use limit_tests::runtimes::{join, workers};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::yield_now;

#[test]
fn a_call_takes_as_many_permits_as_it_says_and_gives_them_back() {
    let limiter = Limiter::new("weights-taken", 10);
    let four = let_in(limiter.acquire().weight(4));
    assert_figures(&limiter, 4, 0);
    let six = let_in(limiter.acquire().weight(6));
    assert_figures(&limiter, 10, 0);
    let mut next = waiter(limiter.acquire());
    drop(four);
    let one = served(&mut next);
    assert_figures(&limiter, 7, 0);
    drop((six, one));
    assert_all_free(&limiter);
}

#[test]
fn a_limiters_weight_is_that_of_calls_that_do_not_say() {
    let limiter = Limiter::new("weights-of-limiter", 10).weight(4);
    let tried = limiter.try_acquire().unwrap();
    let asked = let_in(limiter.acquire());
    assert_figures(&limiter, 8, 0);
    let light = let_in(limiter.acquire().weight(2));
    assert_figures(&limiter, 10, 0);
    let mut next = waiter(limiter.acquire());
    drop(light);
    assert_waits(&mut next);
    let rejected = limiter.try_acquire().unwrap_err();
    assert_eq!((rejected.kind(), rejected.weight()), (RejectedKind::NoPermits, 4));
    drop(tried);
    let next = served(&mut next).unwrap();
    assert_figures(&limiter, 8, 0);
    drop((asked, next));
    assert_figures(&limiter, 0, 0);

    limiter.set_limit(3);
    let too_heavy = limiter.try_acquire().unwrap_err();
    assert_eq!((too_heavy.kind(), too_heavy.weight()), (RejectedKind::TooHeavy, 4));
    assert_eq!(refused(limiter.acquire()).kind(), RejectedKind::TooHeavy);
    drop(let_in(limiter.acquire().weight(3)));
}

#[test]
fn of_two_weights_said_of_a_call_the_last_counts() {
    let limiter = Limiter::new("weights-twice", 10).weight(9).weight(2);
    let held = let_in(limiter.acquire());
    assert_figures(&limiter, 2, 0);
    let other = let_in(limiter.acquire().weight(7).weight(5));
    assert_figures(&limiter, 7, 0);
    drop((held, other));
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_call_heavier_than_the_limit_is_refused_at_once_and_nobody_waits_for_it() {
    let limiter = Limiter::new("weights-too-heavy", 4);
    let held = [permit(&limiter), permit(&limiter)];
    let mut waiting = waiter(limiter.acquire().weight(3));
    for weight in [5, 100, 1 << 31, u32::MAX] {
        let rejected = refused(limiter.acquire().weight(weight));
        assert_eq!((rejected.kind(), rejected.weight()), (RejectedKind::TooHeavy, weight));
        assert_eq!((rejected.limit(), rejected.in_use(), rejected.waiting()), (4, 2, 1));
        assert_eq!(rejected.retry_after(), None, "to wait does not help");
    }
    assert_figures(&limiter, 2, 1);
    assert_waits(&mut waiting);
    assert_eq!(total(&limiter).rejected.too_heavy, 4);
    drop(held);
    drop(served(&mut waiting).unwrap());
    assert_all_free(&limiter);
}

#[test]
fn a_lowered_limit_refuses_those_who_wait_for_more() {
    let limiter = Limiter::new("weights-lowered", 8);
    let held = let_in(limiter.acquire().weight(8));
    let mut waiting: Vec<_> =
        [8, 2, 5, 4].map(|weight| waiter(limiter.acquire().weight(weight))).into();
    limiter.set_limit(4);
    for (call, weight, left) in [(0, 8, 3), (2, 5, 2)] {
        let rejected = served(&mut waiting[call]).unwrap_err();
        assert_eq!((rejected.kind(), rejected.weight()), (RejectedKind::TooHeavy, weight));
        assert_eq!((rejected.limit(), rejected.in_use(), rejected.waiting()), (4, 8, left));
        assert_eq!(
            rejected.to_string(),
            format!(
                "call too heavy for concurrency limit `weights-lowered`: {weight} permits wanted, \
                 the limit is 4"
            )
        );
    }
    assert_waits(&mut waiting[1]);
    assert_waits(&mut waiting[3]);
    drop(held);
    let two = served(&mut waiting[1]).unwrap();
    assert_waits(&mut waiting[3]);
    drop(two);
    drop(served(&mut waiting[3]).unwrap());
    assert_all_free(&limiter);
}

#[test]
fn at_limit_zero_heavy_ones_wait_until_it_is_known_whether_they_fit() {
    let limiter = Limiter::new("weights-paused", 0);
    let mut two = waiter(limiter.acquire().weight(2));
    let mut five = waiter(limiter.acquire().weight(5));
    let mut one = waiter(limiter.acquire());
    limiter.set_limit(3);
    assert_eq!(served(&mut five).unwrap_err().kind(), RejectedKind::TooHeavy);
    let permits = (served(&mut two).unwrap(), served(&mut one));
    assert_figures(&limiter, 3, 0);
    drop(permits);
    assert_all_free(&limiter);
}

#[test]
fn a_call_for_no_permits_is_counted_and_neither_waits_nor_is_in_use() {
    let limiter = Limiter::new("weights-none", 1).max_waiting(0);
    let held = let_in(limiter.acquire());
    for admitted in 2..5 {
        let nothing = let_in(limiter.acquire().weight(0));
        assert_figures(&limiter, 1, 0);
        assert_eq!(total(&limiter).admitted_at_once, admitted);
        drop(nothing);
        assert_figures(&limiter, 1, 0);
    }
    limiter.set_limit(0);
    drop(let_in(limiter.acquire().weight(0)));
    limiter.set_limit(1);
    drop(held);
    assert_all_free(&limiter);
}

#[test]
fn a_heavy_waiter_is_not_starved_by_tasks_that_cycle_one_permit_each() {
    let limiter = Arc::new(Limiter::new("weights-not-starved", 8));
    let done = Arc::new(AtomicBool::new(false));
    workers(4).block_on(async {
        let light = (0..100)
            .map(|_| {
                let (limiter, done) = (Arc::clone(&limiter), Arc::clone(&done));
                tokio::spawn(async move {
                    while !done.load(Ordering::Relaxed) {
                        let _permit = limiter.acquire().await;
                        yield_now().await;
                    }
                })
            })
            .collect();
        for _ in 0..100 {
            let all = limiter.acquire().weight(8).await.unwrap();
            assert_eq!(total(&limiter).in_use, 8, "nobody else is in");
            drop(all);
        }
        done.store(true, Ordering::Relaxed);
        join(light).await;
        assert_all_free(&limiter);
    });
}

#[test]
fn the_weights_inside_never_exceed_the_limit() {
    const LIMIT: usize = 7;
    static INSIDE: Inside = Inside::new();

    let limiter = Arc::new(Limiter::new("weights-storm", LIMIT).scope(Scope::Process));
    workers(4).block_on(async {
        let call = |number: usize| {
            let limiter = Arc::clone(&limiter);
            async move {
                let weight = number % (LIMIT + 1);
                let _permit = limiter.acquire().weight(u32::try_from(weight).unwrap()).await;
                let _inside: Vec<_> = (0..weight).map(|_| INSIDE.enter()).collect();
                yield_now().await;
            }
        };
        join((0..20_000).map(|number| tokio::spawn(call(number))).collect()).await;
    });
    assert_eq!(INSIDE.most(), LIMIT);
    assert_eq!(INSIDE.now(), 0);
    assert_all_free(&limiter);
}
