//! When the agent is woken, and what it finds.

use super::{grant, lease, limiter, started, take_woken, use_first};
use limit_runtime::fleet::Load;
use tokio_test::{assert_pending, assert_ready, task};

fn figures(load: Load) -> (u32, u32, bool) {
    (load.running, load.waiting, load.refused)
}

#[test]
fn the_first_use_wakes_the_agent() {
    let _turn = started();
    let limiter = limiter("waking-first", 5);
    assert!(limiter.try_acquire().is_err());
    assert_eq!(take_woken("waking-first"), 1);
    let lease = lease(&limiter);
    assert_eq!(
        (lease.limiter().name(), lease.key(), lease.limit()),
        ("waking-first", None, Some(5))
    );
    assert_eq!(figures(lease.load()), (0, 0, true));
    assert_eq!(figures(lease.load()), (0, 0, false));
}

#[test]
fn a_call_that_begins_to_wait_wakes_the_agent_once() {
    let _turn = started();
    let limiter = limiter("waking-waits", 5);
    let lease = use_first(&limiter);
    grant(&lease, 1);
    let _permit = limiter.try_acquire().expect("one");
    assert_eq!(take_woken("waking-waits"), 0, "a permit was free");
    let mut calls: Vec<_> = (0..3).map(|_| task::spawn(limiter.acquire())).collect();
    for call in &mut calls {
        assert_pending!(call.poll());
    }
    assert_eq!(take_woken("waking-waits"), 1);
    assert_eq!(figures(lease.load()), (1, 3, false));
    assert!(limiter.try_acquire().is_err());
    assert!(limiter.try_acquire().is_err());
    assert_eq!(take_woken("waking-waits"), 1);
    assert_eq!(figures(lease.lower(9)), (1, 3, true));
}

#[test]
fn a_permit_that_comes_back_wakes_the_agent_only_while_more_are_out_than_the_share() {
    let _turn = started();
    let limiter = limiter("waking-debt", 5);
    let lease = use_first(&limiter);
    grant(&lease, 3);
    let mut held: Vec<_> = (0..3).map(|_| limiter.try_acquire().expect("three")).collect();
    assert_eq!(figures(lease.lower(2)), (3, 0, false));
    held.pop();
    assert_eq!(take_woken("waking-debt"), 1);
    assert_eq!(figures(lease.lower(2)), (2, 0, false));
    held.pop();
    assert_eq!(take_woken("waking-debt"), 0);
    assert!(limiter.try_acquire().is_ok());
    assert_eq!(figures(lease.lower(0)), (1, 0, false));
    assert!(limiter.try_acquire().is_err());
}

#[test]
fn a_changed_limit_wakes_the_agent_and_leaves_the_share() {
    let _turn = started();
    let limiter = limiter("waking-limit", 5);
    let lease = use_first(&limiter);
    grant(&lease, 1);
    limiter.set_limit(9);
    limiter.set_limit(7);
    assert_eq!(take_woken("waking-limit"), 2, "each time");
    assert_eq!((lease.limit(), limiter.limit()), (Some(7), Some(7)));
    let _permit = limiter.try_acquire().expect("the share stays");
    assert!(limiter.try_acquire().is_err(), "the share stays");
    limiter.reset();
    assert_eq!(lease.limit(), Some(5));
}

#[test]
fn lowering_takes_only_what_is_free_and_never_raises() {
    let _turn = started();
    let limiter = limiter("waking-lower", 5);
    let lease = use_first(&limiter);
    grant(&lease, 2);
    assert_eq!(figures(lease.lower(3)), (0, 0, false));
    let both = (limiter.try_acquire().expect("two"), limiter.try_acquire().expect("two"));
    assert!(limiter.try_acquire().is_err());
    drop(both);
    let _ = lease.lower(1);
    let mut call = task::spawn(limiter.acquire());
    let permit = assert_ready!(call.poll());
    assert!(limiter.try_acquire().is_err());
    drop(permit);
}
