//! Grants of a fleet's permits that nobody claims.

use super::{grant, limiter, started, use_first};
use limit_runtime::{Acquire, Limiter, Permit};
use limit_tests::polling::{served, waiter};
use std::thread;
use std::time::Duration;
use tokio_test::task::Spawn;

/// Takes the only permit back from a call that does not claim it. Returns that call, and the permit of the next.
fn taken_back(limiter: &Limiter) -> (Spawn<Acquire<'_>>, Permit) {
    let held = limiter.try_acquire().expect("one");
    let (absent, mut next) = (waiter(limiter.acquire()), waiter(limiter.acquire()));
    drop(held);
    // The watcher uses real time.
    while !next.is_woken() {
        thread::sleep(Duration::from_millis(1));
    }
    (absent, served(&mut next))
}

#[test]
fn a_grant_under_a_lease_that_nobody_claims_goes_to_the_next() {
    let _turn = started();
    let limiter = limiter("fleet-unclaimed", 5).claim_within(Duration::from_millis(5));
    let lease = use_first(&limiter);
    grant(&lease, 1);
    let (mut absent, held) = taken_back(&limiter);
    assert!(held.is_valid());
    assert!(absent.poll().is_pending());
    drop(held);
    assert!(served(&mut absent).is_valid());
    assert_eq!(limiter.snapshot().total.taken_back, 1);
}

#[test]
fn a_call_that_is_absent_when_its_lease_ends_waits_for_the_next_lease() {
    let _turn = started();
    let limiter = limiter("fleet-unclaimed-lapse", 5).claim_within(Duration::from_millis(5));
    let lease = use_first(&limiter);
    grant(&lease, 1);
    let (mut absent, held) = taken_back(&limiter);
    lease.lapse();
    drop(held);
    assert!(absent.poll().is_pending(), "there is no share");
    grant(&lease, 1);
    assert!(served(&mut absent).is_valid());
}
