//! Calls for which the limit does not hold.

use limit_runtime::{Limiter, RejectedKind};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, at_once, let_in, permit, refused, served, waiter};
use std::time::Duration;

#[test]
fn a_limiter_that_is_not_enabled_lets_everybody_in_and_counts_them() {
    let limiter = Limiter::new("enabled-not", 1).enabled(false);
    let mut all: Vec<_> = (0..10).map(|_| permit(&limiter)).collect();
    all.extend((0..10).map(|_| limiter.try_acquire().expect("there is no limit")));
    assert_figures(&limiter, 0, 0);
    assert_eq!(total(&limiter).admitted_at_once, 20);
    drop(all);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_call_can_say_whether_the_limit_holds_for_it() {
    let limiter = Limiter::new("enabled-call", 1);
    let held = permit(&limiter);
    let mut waiting = waiter(limiter.acquire().enabled(true));
    let passed = at_once(limiter.acquire().enabled(false));
    assert_figures(&limiter, 1, 1);
    drop(passed);
    assert_waits(&mut waiting);
    drop(held);
    drop(served(&mut waiting));

    let off = Limiter::new("enabled-off", 1).enabled(false);
    let held = at_once(off.acquire().enabled(true));
    assert_figures(&off, 1, 0);
    let waiting = waiter(off.acquire().enabled(true));
    drop(off.try_acquire().expect("the limit does not hold"));
    drop((waiting, held));
    assert_figures(&off, 0, 0);
    assert_all_free(&limiter);
}

#[test]
fn whether_it_is_enabled_is_said_in_any_order_with_its_weight() {
    let limiter = Limiter::new("enabled-weights", 10);
    for (call, in_use) in [
        (limiter.acquire().weight(4).enabled(true), 4),
        (limiter.acquire().enabled(true).weight(4), 4),
        (limiter.acquire().weight(4).enabled(false), 0),
        (limiter.acquire().enabled(false).weight(4), 0),
    ] {
        let held = let_in(call);
        assert_figures(&limiter, in_use, 0);
        drop(held);
    }
    for limiter in [
        Limiter::named("enabled-weight", 10).weight(3).enabled(false),
        Limiter::named("enabled-weight", 10).enabled(false).weight(3),
    ] {
        let held = let_in(limiter.acquire());
        assert_figures(&limiter, 0, 0);
        let enabled = let_in(limiter.acquire().enabled(true));
        assert_figures(&limiter, 3, 0);
        drop((held, enabled));
    }
    assert_all_free(&limiter);
}

#[test]
fn nothing_refuses_a_call_that_is_not_enabled() {
    let limiter = Limiter::new("enabled-nothing", 1).max_waiting(0).max_wait(Duration::ZERO);
    let held = let_in(limiter.acquire());
    refused(limiter.acquire());
    drop(let_in(limiter.acquire().enabled(false)));
    drop(let_in(limiter.acquire().weight(100).enabled(false)));
    limiter.set_limit(0);
    drop(let_in(limiter.acquire().enabled(false)));
    limiter.close();
    assert_eq!(refused(limiter.acquire()).kind(), RejectedKind::Closed);
    drop(let_in(limiter.acquire().enabled(false)));
    limiter.reopen();
    limiter.set_limit(1);
    drop(held);
    assert_eq!(total(&limiter).admitted_at_once, 5);
    assert_all_free(&limiter);
}

#[test]
fn a_drain_does_not_wait_for_calls_that_are_not_enabled() {
    let limiter = Limiter::new("enabled-drain", 1);
    let held = at_once(limiter.acquire().enabled(false));
    assert_eq!(at_once(limiter.drain()), 0);
    drop(held);
    assert_all_free(&limiter);
}
