//! Permits under a lease.

use super::{grant, grant_too_late, limiter, started, use_first};
use limit_runtime::fleet;
use std::time::Duration;
use tokio_test::{assert_pending, assert_ready, task};

#[test]
fn a_permit_is_valid_until_its_lease_ends() {
    let _turn = started();
    let limiter = limiter("permits-valid", 5);
    let lease = use_first(&limiter);
    grant(&lease, 2);
    let permit = limiter.try_acquire().expect("two");
    assert!(permit.is_valid());
    grant(&lease, 1);
    assert!(permit.is_valid(), "the lease was renewed");
    grant_too_late(&lease, 1);
    assert!(!permit.is_valid(), "the deadline is over, though nobody has noticed");
    grant(&lease, 2);
    assert!(!permit.is_valid(), "this is another lease, though nobody has ended the one before");
    lease.lapse();
    grant(&lease, 2);
    assert!(!permit.is_valid());
    assert!(limiter.try_acquire().expect("two").is_valid());
}

#[test]
fn lease_lost_is_ready_when_the_lease_lapses_and_not_before() {
    let _turn = started();
    let limiter = limiter("permits-lost", 5);
    let lease = use_first(&limiter);
    grant(&lease, 2);
    let permit = limiter.try_acquire().expect("two");
    let mut lost = task::spawn(permit.lease_lost());
    let mut dropped = task::spawn(permit.lease_lost());
    assert_pending!(lost.poll());
    assert_pending!(dropped.poll());
    drop(dropped);
    grant(&lease, 1);
    assert!(!lost.is_woken());
    lease.lapse();
    assert!(lost.is_woken());
    assert_ready!(lost.poll());
    grant(&lease, 1);
    assert_ready!(task::spawn(permit.lease_lost()).poll(), "it stays lost");
}

#[test]
fn a_call_that_comes_too_late_tells_those_who_run_that_the_lease_is_lost() {
    let _turn = started();
    let limiter = limiter("permits-noticed", 5);
    let lease = use_first(&limiter);
    grant(&lease, 2);
    let permit = limiter.try_acquire().expect("two");
    let mut lost = task::spawn(permit.lease_lost());
    assert_pending!(lost.poll());
    grant_too_late(&lease, 2);
    assert!(limiter.try_acquire().is_err());
    assert!(lost.is_woken());
    assert_ready!(lost.poll());
}

#[test]
fn a_call_without_a_lease_has_none_to_lose() {
    let _turn = started();
    let limiter = limiter("permits-allowed", 5);
    let lease = use_first(&limiter);
    lease.allow(1);
    let permit = limiter.try_acquire().expect("one is allowed");
    assert!(limiter.try_acquire().is_err());
    assert!(!permit.is_valid());
    assert_eq!(permit.fencing_token(), None);
    let mut lost = task::spawn(permit.lease_lost());
    assert_pending!(lost.poll());
    grant(&lease, 2);
    assert!(!permit.is_valid());
    let leased = limiter.try_acquire().expect("two");
    assert!(leased.is_valid());
    lease.lapse();
    assert_pending!(lost.poll());
}

#[test]
fn the_fencing_token_is_that_of_the_last_grant() {
    let _turn = started();
    let limiter = limiter("permits-token", 1);
    let lease = use_first(&limiter);
    let later = fleet::now() + Duration::from_secs(1_000_000);
    lease.grant(1, later, Some(41));
    let permit = limiter.try_acquire().expect("one");
    assert_eq!(permit.fencing_token(), Some(41));
    lease.grant(1, later, Some(42));
    assert_eq!(permit.fencing_token(), Some(42));
    lease.lapse();
    assert_eq!(permit.fencing_token(), None);
    lease.grant(1, later, Some(43));
    assert_eq!(permit.fencing_token(), None);
}

#[test]
fn parts_of_a_permit_are_under_the_same_lease() {
    let _turn = started();
    let limiter = limiter("permits-parts", 5);
    let lease = use_first(&limiter);
    grant(&lease, 2);
    let mut permit = limiter.try_acquire().expect("two");
    let part = permit.split(1).expect("all of it");
    assert!(permit.is_valid(), "nothing is left that needs a lease");
    assert!(part.is_valid());
    lease.lapse();
    assert!(!part.is_valid());
    grant(&lease, 3);
    let mut later = limiter.try_acquire().expect("one is out");
    later.merge(part).expect("they are of one limiter");
    assert!(!later.is_valid(), "a part of it is not");
}
