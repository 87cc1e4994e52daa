//! Limiters with fleet scope in a program that starts no fleet.

use limit_runtime::{Limiter, RejectedKind, Scope};
use std::thread;
use tokio_test::{assert_ready, task};

const ALONE: &str = "scope is fleet and no fleet was started: the limit holds for this process alone; \
                     start one with the crate limit-fleet";

#[test]
fn without_a_fleet_the_limit_holds_for_the_process() {
    let limiter = Limiter::new("fleet-alone", 2).scope(Scope::Fleet);
    let held = limiter.try_acquire().expect("two are free");
    let other = thread::scope(|scope| scope.spawn(|| limiter.try_acquire()).join());
    let other = other.expect("it does not panic").expect("one is free");
    assert_eq!(limiter.try_acquire().expect_err("all are out").kind(), RejectedKind::NoPermits);
    drop((held, other));
    assert!(limiter.try_acquire().is_ok());
    assert_eq!(Scope::Fleet.to_string(), "fleet");
}

#[test]
fn without_a_fleet_the_limiter_says_so_once() {
    let limiter = Limiter::new("fleet-says-so", 2).scope(Scope::Fleet);
    assert!(limiter.snapshot().warnings.is_empty(), "no call has needed the limit yet");
    for _ in 0..3 {
        drop(limiter.try_acquire());
        assert_eq!(limiter.snapshot().warnings, [ALONE]);
    }
    assert!(limiter.snapshot().to_string().contains(ALONE));
    assert_eq!(limiter.snapshot().fleet, None);
}

#[test]
fn a_call_for_more_than_one_permit_of_a_fleet_is_too_heavy() {
    let limiter = Limiter::new("fleet-heavy", 9).scope(Scope::Fleet).max_waiting(9);
    assert_eq!(limiter.try_acquire_many(2).expect_err("two").kind(), RejectedKind::TooHeavy);
    let held = limiter.try_acquire_many(1).expect("one");
    let heavy = task::spawn(limiter.acquire().weight(3)).poll();
    assert_eq!(assert_ready!(heavy).expect_err("three").kind(), RejectedKind::TooHeavy);
    assert_eq!(limiter.snapshot().total.rejected.too_heavy, 2);
    drop(held);
}

#[test]
fn a_limiter_of_a_fleet_does_not_become_a_shadow() {
    let limiter = Limiter::new("fleet-no-shadow", 1).scope(Scope::Fleet);
    let unsupported = limiter.set_shadow(true).expect_err("it would take more than the limit");
    assert_eq!(
        unsupported.to_string(),
        "`shadow` cannot be set for concurrency limit `fleet-no-shadow`: its scope is fleet, and the \
         fleet has no permits beyond the limit to give"
    );
    assert!(limiter.set_shadow(false).is_ok());
}

#[test]
fn without_a_fleet_each_key_has_the_limit_in_the_process() {
    let limiter = Limiter::new("fleet-alone-keys", 1).scope(Scope::Fleet).keyed().total(2);
    let both = (limiter.key(7).try_acquire(), limiter.key("8").try_acquire());
    assert!(both.0.is_ok() && both.1.is_ok());
    assert!(limiter.key("7").try_acquire().is_err(), "the text of the key counts");
    assert!(limiter.key("9").try_acquire().is_err(), "the total is reached");
}
