//! Calls that are refused, and queues at their bounds.

use limit_runtime::{Limiter, RejectedKind, concurrency_limit};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, permit, refused, served, waiter};
use std::error::Error;
use tokio_test::assert_ready;
use tokio_test::task;

#[test]
fn a_call_heavier_than_the_limit_is_refused_at_once_with_the_figures() {
    let limiter = Limiter::new("queue-too-heavy", 4);
    let rejected = refused(limiter.acquire_many(5));
    assert_eq!(rejected.kind(), RejectedKind::TooHeavy);
    assert_eq!((rejected.weight(), rejected.limit()), (5, 4));
    assert_eq!((rejected.in_use(), rejected.waiting()), (0, 0));
    assert_eq!(rejected.limiter(), "queue-too-heavy");
    assert_eq!(
        rejected.to_string(),
        "call too heavy for concurrency limit `queue-too-heavy`: 5 permits wanted, the limit is 4",
    );
    assert!(rejected.source().is_none());
    assert_eq!(total(&limiter).rejected.too_heavy, 1);
    assert_all_free(&limiter);
}

#[test]
fn nobody_waits_behind_a_call_that_is_too_heavy() {
    let limiter = Limiter::new("queue-behind-too-heavy", 4);
    let held = [permit(&limiter), permit(&limiter)];
    let mut heavy = waiter(limiter.acquire_many(3));
    let mut light = waiter(limiter.acquire());

    let rejected = refused(limiter.acquire_many(5));
    assert_eq!((rejected.in_use(), rejected.waiting()), (2, 2));
    assert_figures(&limiter, 2, 2);
    assert_waits(&mut heavy);
    assert_waits(&mut light);

    drop(held);
    let granted = (served(&mut heavy).unwrap(), served(&mut light));
    assert_figures(&limiter, 4, 0);
    drop(granted);
    assert_all_free(&limiter);
}

#[test]
fn a_waiter_that_a_lowered_limit_makes_too_heavy_is_refused_and_who_is_behind_it_served() {
    let limiter = Limiter::new("queue-became-too-heavy", 4);
    let held = permit(&limiter);
    let mut heavy = waiter(limiter.acquire_many(4));
    let mut light = waiter(limiter.acquire());
    let given_up = waiter(limiter.acquire_many(3));
    limiter.set_limit(2);
    let rejected = served(&mut heavy).unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::TooHeavy);
    assert_eq!((rejected.weight(), rejected.limit()), (4, 2));
    let granted = served(&mut light);
    assert!(given_up.is_woken());
    drop(given_up);
    assert_eq!(total(&limiter).rejected.too_heavy, 2);
    assert_eq!(total(&limiter).cancelled, 0, "it was refused before it was dropped");
    drop((held, granted));
    assert_all_free(&limiter);
}

#[test]
fn a_refused_try_says_why_with_the_figures() {
    #[concurrency_limit(2, name = "queue-try")]
    async fn stay() {
        std::future::pending::<()>().await;
    }

    let inside = [waiter(stay()), waiter(stay())];
    let waiting = waiter(stay());
    let limiter = Limiter::new("queue-try-own", 1);
    let held = limiter.try_acquire().expect("one is free");
    let behind = waiter(limiter.acquire());
    let rejected = limiter.try_acquire().unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::NoPermits);
    assert_eq!((rejected.limit(), rejected.in_use()), (1, 1));
    assert_eq!((rejected.waiting(), rejected.weight()), (1, 1));
    assert_eq!(
        rejected.to_string(),
        "concurrency limit `queue-try-own` reached: 1 of 1 permits in use, 1 waiting",
    );
    let shown = format!("{rejected:?}");
    assert!(shown.contains("NoPermits") && shown.contains("queue-try-own"), "{shown}");

    let figures = limit_runtime::find("queue-try").expect("it is in use").snapshot();
    assert_eq!((figures.total.in_use, figures.total.waiting), (2, 1));
    drop((inside, waiting, held, behind));
    assert_all_free(&limiter);
}

#[test]
fn the_largest_limits_are_honoured() {
    for limit in [Limiter::MAX_LIMIT, Limiter::MAX_LIMIT + 1, u32::MAX as usize, usize::MAX] {
        let limiter = Limiter::new("queue-largest-limit", limit);
        assert_eq!(limiter.limit(), Some(Limiter::MAX_LIMIT));
        let first = permit(&limiter);
        let most = u32::try_from(Limiter::MAX_LIMIT).unwrap() - 1;
        let rest = assert_ready!(task::spawn(limiter.acquire_many(most)).poll()).unwrap();
        assert_figures(&limiter, Limiter::MAX_LIMIT, 0);
        assert_eq!(limiter.try_acquire().unwrap_err().in_use(), Limiter::MAX_LIMIT);
        let mut next = waiter(limiter.acquire());

        limiter.set_limit(0);
        limiter.set_limit(usize::MAX);
        assert_waits(&mut next);
        drop(rest);
        let next = served(&mut next);
        assert_figures(&limiter, 2, 0);
        drop((first, next));
        assert_figures(&limiter, 0, 0);
        assert!(task::spawn(limiter.acquire_many(most + 1)).poll().is_ready());
        assert_figures(&limiter, 0, 0);
    }
}

#[test]
fn the_largest_weights_are_refused_and_counted() {
    let limiter = Limiter::new("queue-largest-weight", 3);
    for weight in [u32::MAX, u32::MAX - 1, 1 << 31, (1 << 31) - 1, 4] {
        let rejected = refused(limiter.acquire_many(weight));
        assert_eq!((rejected.kind(), rejected.weight()), (RejectedKind::TooHeavy, weight));
        assert_figures(&limiter, 0, 0);
    }
    assert_eq!(total(&limiter).rejected.too_heavy, 5);

    let largest = Limiter::new("queue-largest-both", usize::MAX);
    let rejected = refused(largest.acquire_many(u32::MAX));
    assert_eq!(rejected.limit(), Limiter::MAX_LIMIT);
    assert_figures(&largest, 0, 0);
    assert_all_free(&limiter);
}

#[test]
fn the_largest_weight_waits_while_paused_and_is_refused_afterwards() {
    let limiter = Limiter::new("queue-largest-paused", 0);
    let mut largest = waiter(limiter.acquire_many(u32::MAX));
    let mut light = waiter(limiter.acquire());
    limiter.set_limit(usize::MAX);
    assert_eq!(served(&mut largest).unwrap_err().weight(), u32::MAX);
    drop(served(&mut light));
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_call_for_no_permits_never_waits_and_is_counted() {
    let limiter = Limiter::new("queue-weightless", 1);
    let held = permit(&limiter);
    let behind = waiter(limiter.acquire());
    let nothing = assert_ready!(task::spawn(limiter.acquire_many(0)).poll()).unwrap();
    assert_figures(&limiter, 1, 1);
    assert_eq!(total(&limiter).admitted_at_once, 2);
    drop((nothing, behind, held));
    assert_all_free(&limiter);
}
