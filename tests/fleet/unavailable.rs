//! Calls while the fleet cannot be reached.

use super::{grant, limiter, started, use_first};
use limit_runtime::{Limiter, OnUnavailable, RejectedKind, Scope, find};
use tokio_test::{assert_pending, assert_ready, task};

#[test]
fn calls_that_would_wait_are_refused_and_those_that_wait() {
    let _turn = started();
    let limiter = limiter("unavailable-refused", 5).max_waiting(10);
    let lease = use_first(&limiter);
    let mut waits = task::spawn(limiter.acquire());
    assert_pending!(waits.poll());
    lease.set_unavailable(true);
    assert!(waits.is_woken());
    let rejected = assert_ready!(waits.poll()).expect_err("nobody is let in");
    assert_eq!(rejected.kind(), RejectedKind::Unavailable);
    assert_eq!(
        rejected.to_string(),
        "concurrency limit `unavailable-refused` has no permits from its fleet, which cannot be \
         reached, refuses this process, or was stopped: 0 in use, 0 waiting"
    );
    let rejected = assert_ready!(task::spawn(limiter.acquire()).poll()).expect_err("nor later");
    assert_eq!(rejected.kind(), RejectedKind::Unavailable);
    assert_eq!(limiter.try_acquire().expect_err("nor so").kind(), RejectedKind::Unavailable);
    assert_eq!(limiter.snapshot().total.rejected.unavailable, 3);
    lease.set_unavailable(false);
    assert_pending!(task::spawn(limiter.acquire()).poll());
}

#[test]
fn calls_are_let_in_and_wait_while_there_is_a_share() {
    let _turn = started();
    let limiter = limiter("unavailable-share", 5).max_waiting(10);
    let lease = use_first(&limiter);
    grant(&lease, 1);
    lease.set_unavailable(true);
    let permit = limiter.try_acquire().expect("one");
    let mut waits = task::spawn(limiter.acquire());
    assert_pending!(waits.poll());
    lease.lapse();
    let rejected = assert_ready!(waits.poll()).expect_err("the lease is over");
    assert_eq!(rejected.kind(), RejectedKind::Unavailable);
    drop(permit);
    lease.allow(1);
    assert!(limiter.try_acquire().is_ok());
}

#[test]
fn calls_that_cannot_be_refused_wait() {
    let _turn = started();
    let limiter = limiter("unavailable-waits", 5);
    let lease = use_first(&limiter);
    lease.set_unavailable(true);
    let mut waits = task::spawn(limiter.acquire());
    assert_pending!(waits.poll());
    grant(&lease, 1);
    drop(assert_ready!(waits.poll()));
}

#[test]
fn the_limiter_says_what_is_to_become_of_calls() {
    let _turn = started();
    let says = |limiter: &Limiter<_>| {
        drop(limiter.try_acquire());
        find(limiter.name()).expect("in use").on_unavailable()
    };
    assert_eq!(says(&limiter("unavailable-default", 5).max_waiting(9)), None);
    let refuses = Limiter::new("unavailable-says", 5)
        .scope(Scope::Fleet)
        .max_waiting(9)
        .on_unavailable(OnUnavailable::Refuse);
    assert_eq!(says(&refuses), Some(OnUnavailable::Refuse));
}

#[test]
#[should_panic(expected = "`OnUnavailable::Refuse` needs a limiter that can refuse calls")]
fn a_limiter_that_cannot_refuse_calls_does_not_refuse_them_when_unavailable() {
    let _ = Limiter::new("unavailable-cannot", 5).on_unavailable(OnUnavailable::Refuse);
}

#[test]
fn a_refusal_says_that_its_figures_are_those_of_the_share() {
    let _turn = started();
    let limiter = limiter("unavailable-figures", 5);
    let lease = use_first(&limiter);
    grant(&lease, 1);
    let _permit = limiter.try_acquire().expect("one");
    assert_eq!(
        limiter.try_acquire().expect_err("it is out").to_string(),
        "concurrency limit `unavailable-figures` reached: 1 of the 1 permits in use that this process \
         has of its fleet, 0 waiting"
    );
}
