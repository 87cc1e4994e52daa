//! A lease for each key, and one for the total.

use super::{grant, grant_too_late, started, take_woken};
use limit_runtime::fleet::Lease;
use limit_runtime::{
    KeyedLimiter, Limiter, LimiterHandle, Permit, RejectedKind, Scope, concurrency_limit, find,
};
use std::fmt;
use std::net::Ipv4Addr;
use tokio_test::{assert_pending, assert_ready, task};

fn keyed(name: &'static str, limit: usize) -> KeyedLimiter {
    Limiter::new(name, limit).scope(Scope::Fleet).keyed()
}

fn handle(limiter: &KeyedLimiter) -> LimiterHandle {
    find(limiter.name()).expect("it is in use")
}

fn keys(leases: &[Lease]) -> Vec<Option<&str>> {
    leases.iter().map(Lease::key).collect()
}

/// Returns the lease of a key that has asked.
fn lease(limiter: &KeyedLimiter, key: &str) -> Lease {
    let leases = handle(limiter).leases();
    leases.into_iter().find(|lease| lease.key() == Some(key)).expect("the key has asked")
}

/// Lets a key ask, and grants it a share.
fn grant_key(limiter: &KeyedLimiter, key: &'static str, permits: u32) -> Lease {
    drop(limiter.key(key).try_acquire());
    let lease = lease(limiter, key);
    grant(&lease, permits);
    let _ = lease.load();
    lease
}

fn running(lease: &Lease) -> u32 {
    lease.load().running
}

#[test]
fn each_key_that_asks_has_a_lease() {
    let _turn = started();
    let limiter = keyed("keys-ask", 5);
    let mut one = task::spawn(limiter.key("one").acquire());
    assert_pending!(one.poll());
    assert_eq!(limiter.key("two").try_acquire().expect_err("no share").limit(), 0);
    assert_eq!(keys(&handle(&limiter).leases()), [Some("one"), Some("two")]);
    assert_eq!(lease(&limiter, "one").limit(), Some(5));
    let (first, second) = (lease(&limiter, "one").load(), lease(&limiter, "two").load());
    assert_eq!((first.waiting, first.refused), (1, false));
    assert_eq!((second.waiting, second.refused), (0, true));
    grant(&lease(&limiter, "two"), 1);
    assert!(!one.is_woken(), "it is another key");
    grant(&lease(&limiter, "one"), 1);
    let permit = assert_ready!(one.poll());
    assert!(permit.is_valid());
    assert_eq!(running(&lease(&limiter, "one")), 1);
    assert_eq!(running(&lease(&limiter, "two")), 0);
    assert!(limiter.key("one").try_acquire().is_err(), "the share of one is out");
    assert!(limiter.key("two").try_acquire().is_ok());
}

#[test]
fn the_agent_is_woken_once_for_each_key_and_finds_the_keys_with_news() {
    let _turn = started();
    let limiter = keyed("keys-woken", 5);
    let one = grant_key(&limiter, "one", 1);
    let _two = grant_key(&limiter, "two", 1);
    take_woken("keys-woken");
    let _permit = limiter.key("one").try_acquire().expect("one");
    assert_eq!(take_woken("keys-woken"), 0, "a permit was free");
    assert!(handle(&limiter).leases_with_news().is_empty());
    let mut calls: Vec<_> = (0..3).map(|_| task::spawn(limiter.key("one").acquire())).collect();
    for call in &mut calls {
        assert_pending!(call.poll());
    }
    assert_eq!(take_woken("keys-woken"), 1);
    assert_eq!(keys(&handle(&limiter).leases_with_news()), [Some("one")]);
    assert_eq!(one.load().waiting, 3);
    assert!(handle(&limiter).leases_with_news().is_empty());
    assert_eq!(keys(&handle(&limiter).leases()), [Some("one"), Some("two")]);
}

#[test]
fn a_key_is_kept_until_its_lease_is_released() {
    let _turn = started();
    let limiter = keyed("keys-kept", 5);
    let one = grant_key(&limiter, "one", 1);
    let permit = limiter.key("one").try_acquire().expect("one");
    assert!(!one.release(), "a call runs");
    drop(permit);
    assert_eq!(limiter.snapshot().total.keys, 1);
    drop(limiter.key("one").try_acquire().expect("it has its share"));
    assert!(one.release());
    assert_eq!(limiter.snapshot().total.keys, 0);
    assert!(handle(&limiter).leases().is_empty());
    assert!(!one.release(), "it is gone");
    grant(&one, 1);
    assert!(limiter.key("one").try_acquire().is_err(), "it has to ask again");
    assert_eq!(running(&lease(&limiter, "one")), 0);
}

#[test]
fn a_call_of_a_key_is_not_let_in_after_the_deadline_of_the_key() {
    let _turn = started();
    let limiter = keyed("keys-deadline", 5);
    let (one, two) = (grant_key(&limiter, "one", 1), grant_key(&limiter, "two", 1));
    grant_too_late(&one, 1);
    assert!(limiter.key("one").try_acquire().is_err());
    assert!(limiter.key("two").try_acquire().is_ok());
    let mut waits = task::spawn(limiter.key("one").acquire());
    assert_pending!(waits.poll());
    grant_too_late(&one, 1);
    assert!(waits.is_woken());
    assert_pending!(waits.poll());
    assert_eq!((running(&one), running(&two)), (0, 0));
    grant(&one, 1);
    assert!(assert_ready!(waits.poll()).is_valid());
}

#[test]
fn a_permit_is_valid_and_lost_with_the_lease_of_its_key() {
    let _turn = started();
    let limiter = keyed("keys-valid", 5);
    let (one, two) = (grant_key(&limiter, "one", 2), grant_key(&limiter, "two", 2));
    let later = limit_runtime::fleet::now() + std::time::Duration::from_secs(1_000_000);
    one.grant(2, later, Some(7));
    let permits: [Permit; 2] =
        ["one", "two"].map(|key| limiter.key(key).try_acquire().expect("two"));
    assert_eq!(permits.each_ref().map(Permit::fencing_token), [Some(7), None]);
    let mut lost = permits.each_ref().map(|permit| task::spawn(permit.lease_lost()));
    for lost in &mut lost {
        assert_pending!(lost.poll());
    }
    one.lapse();
    assert!(lost[0].is_woken() && !lost[1].is_woken());
    assert_ready!(lost[0].poll());
    assert_pending!(lost[1].poll());
    assert_eq!(permits.each_ref().map(Permit::is_valid), [false, true]);
    grant(&one, 2);
    assert!(!permits[0].is_valid());
    assert_eq!((running(&one), running(&two)), (1, 1));
    assert!(limiter.key("one").try_acquire().expect("one is out").is_valid());
}

#[test]
fn a_permit_of_a_key_that_was_handed_out_under_a_lost_lease_is_no_part_of_a_later_share() {
    let _turn = started();
    let limiter = keyed("keys-later", 5);
    let one = grant_key(&limiter, "one", 0);
    let mut call = task::spawn(limiter.key("one").acquire());
    assert_pending!(call.poll());
    grant(&one, 1);
    one.lapse();
    grant(&one, 0);
    assert_pending!(call.poll());
    grant(&one, 1);
    assert!(assert_ready!(call.poll()).is_valid());
}

#[test]
fn a_total_has_a_lease_of_its_own_and_calls_need_both() {
    let _turn = started();
    let limiter = keyed("keys-total", 5).total(8);
    drop(limiter.key("one").try_acquire());
    let leases = handle(&limiter).leases();
    assert_eq!(keys(&leases), [None, Some("one")]);
    let [total, one] = [&leases[0], &leases[1]];
    assert_eq!((total.limit(), one.limit()), (Some(8), Some(5)));
    grant(one, 2);
    assert!(limiter.key("one").try_acquire().is_err(), "the total has no share");
    grant(total, 1);
    let permit = limiter.key("one").try_acquire().expect("one");
    assert!(permit.is_valid());
    assert!(limiter.key("one").try_acquire().is_err(), "the total's share is out");
    let mut lost = task::spawn(permit.lease_lost());
    assert_pending!(lost.poll());
    total.lapse();
    assert!(lost.is_woken());
    assert_ready!(lost.poll());
    assert!(!permit.is_valid());
    grant(total, 2);
    assert!(!permit.is_valid());
    drop(lost);
    drop(permit);
    grant_too_late(total, 2);
    assert!(limiter.key("one").try_acquire().is_err(), "the total's deadline is over");
    assert_eq!((running(total), running(one)), (0, 0));
    limiter.set_total(3);
    assert_eq!(total.limit(), Some(3));
}

#[test]
fn a_total_that_is_set_while_running_is_leased_from_then_on() {
    let _turn = started();
    let limiter = keyed("keys-late-total", 5);
    let _one = grant_key(&limiter, "one", 2);
    let permit = limiter.key("one").try_acquire().expect("two");
    limiter.set_total(3);
    assert!(limiter.key("one").try_acquire().is_err(), "the total has no share");
    let leases = handle(&limiter).leases();
    assert_eq!(keys(&leases), [None, Some("one")]);
    grant(&leases[0], 2);
    assert!(limiter.key("one").try_acquire().expect("one is out").is_valid());
    drop(permit);
}

#[test]
fn a_permit_that_comes_back_wakes_the_agent_while_the_key_has_more_out_than_its_share() {
    let _turn = started();
    let limiter = keyed("keys-debt", 5);
    let one = grant_key(&limiter, "one", 3);
    let mut held: Vec<_> =
        (0..3).map(|_| limiter.key("one").try_acquire().expect("three")).collect();
    assert_eq!(one.lower(2).running, 3);
    take_woken("keys-debt");
    held.pop();
    assert_eq!(take_woken("keys-debt"), 1);
    assert_eq!(one.load().running, 2);
    held.pop();
    assert_eq!(take_woken("keys-debt"), 0);
}

#[test]
fn a_key_without_a_share_is_unavailable_by_itself() {
    let _turn = started();
    let limiter = Limiter::new("keys-unavailable", 5).scope(Scope::Fleet).max_waiting(9).keyed();
    let mut calls = ["one", "two"].map(|key| task::spawn(limiter.key(key).acquire()));
    for call in &mut calls {
        assert_pending!(call.poll());
    }
    let leases = find("keys-unavailable").expect("in use").leases();
    assert_eq!(keys(&leases), [Some("one"), Some("two")]);
    leases[0].set_unavailable(true);
    let rejected = assert_ready!(calls[0].poll()).expect_err("it is cut off");
    assert_eq!(rejected.kind(), RejectedKind::Unavailable);
    assert!(!calls[1].is_woken());
    leases[0].allow(1);
    let permit = limiter.key("one").try_acquire().expect("one is allowed");
    assert!(!permit.is_valid());
    assert!(limiter.key("one").try_acquire().is_err());
}

#[test]
fn keys_with_one_text_are_one_key() {
    let _turn = started();
    let limiter = keyed("keys-text", 5);
    let lease = grant_key(&limiter, "7", 2);
    let both = (limiter.key(7_u32).try_acquire(), limiter.key(7_i64).try_acquire());
    assert_eq!(running(&lease), 2);
    assert!(limiter.key(String::from("7")).try_acquire().is_err());
    drop(both);
    drop(limiter.key(Ipv4Addr::LOCALHOST).try_acquire());
    assert_eq!(keys(&handle(&limiter).leases()), [Some("7"), Some("127.0.0.1")]);
}

#[test]
#[should_panic(expected = "has none here: write `.key(key.to_string())`")]
fn a_key_without_a_text_is_refused() {
    let _ = keyed("keys-no-text", 5).key((1, 2));
}

/// A key with a text of its own.
struct Tenant(u32);

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tenant {}", self.0)
    }
}

#[concurrency_limit(2, scope = fleet, name = "keys-attribute", key = tenant)]
async fn serve(tenant: &Tenant) -> u32 {
    tenant.0
}

#[test]
fn the_attribute_takes_the_text_of_a_key() {
    let _turn = started();
    let tenant = Tenant(7);
    let mut call = task::spawn(serve(&tenant));
    assert_pending!(call.poll());
    let leases = find("keys-attribute").expect("in use").leases();
    assert_eq!(keys(&leases), [Some("tenant 7")]);
    grant(&leases[0], 1);
    assert_eq!(assert_ready!(call.poll()), 7);
}
