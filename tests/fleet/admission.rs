//! Which calls are let in.

use super::{grant, grant_too_late, lease, limiter, started, use_first};
use limit_runtime::{Limiter, RejectedKind, Scope, fleet};
use std::thread;
use std::time::Duration;
use tokio_test::{assert_pending, assert_ready, task};

#[test]
fn nobody_is_let_in_before_a_grant() {
    let _turn = started();
    let limiter = limiter("admission-before", 5);
    let mut call = task::spawn(limiter.acquire());
    assert_pending!(call.poll());
    assert_eq!(limiter.try_acquire().expect_err("no share").kind(), RejectedKind::NoPermits);
    grant(&lease(&limiter), 1);
    assert!(call.is_woken());
    let permit = assert_ready!(call.poll());
    assert!(limiter.try_acquire().is_err());
    drop(permit);
    assert!(limiter.try_acquire().is_ok());
}

#[test]
fn as_many_run_as_the_share_and_no_more() {
    let _turn = started();
    let limiter = limiter("admission-share", 5);
    let lease = use_first(&limiter);
    grant(&lease, 2);
    let held = [limiter.try_acquire().expect("two"), limiter.try_acquire().expect("two")];
    assert!(limiter.try_acquire().is_err());
    grant(&lease, 3);
    let third = limiter.try_acquire().expect("three");
    grant(&lease, 1);
    drop(held);
    assert!(limiter.try_acquire().is_err(), "the third runs");
    drop(third);
    assert!(limiter.try_acquire().is_ok());
    assert_eq!(limiter.limit(), Some(5), "the limit over the fleet stays what it was");
    assert_eq!(limiter.snapshot().runtimes[0].figures.limit, 1);
}

#[test]
fn a_call_that_finds_a_permit_after_the_deadline_is_not_let_in() {
    let _turn = started();
    let limiter = limiter("admission-fast", 5);
    let lease = use_first(&limiter);
    let before = limiter.snapshot().total;
    grant_too_late(&lease, 3);
    assert!(limiter.try_acquire().is_err());
    assert_eq!(lease.load().running, 0);
    grant_too_late(&lease, 3);
    let mut call = task::spawn(limiter.acquire());
    assert_pending!(call.poll());
    let after = limiter.snapshot().total;
    assert_eq!((after.admitted_at_once, after.in_use), (before.admitted_at_once, 0));
    grant(&lease, 3);
    drop(assert_ready!(call.poll()));
    assert!(limiter.try_acquire().is_ok());
    let all = limiter.snapshot().total;
    assert_eq!((all.admitted_at_once, all.admitted_after_waiting), (1, 1));
}

#[test]
fn a_call_that_came_by_the_lock_is_not_let_in_after_the_deadline() {
    let _turn = started();
    let limiter = limiter("admission-slow", 5);
    let lease = use_first(&limiter);
    // Subscribers send every call to the lock.
    let _events = limiter.subscribe();
    grant_too_late(&lease, 3);
    assert!(limiter.try_acquire().is_err());
    grant(&lease, 1);
    assert!(limiter.try_acquire().is_ok());
}

#[test]
fn a_waiter_that_was_handed_a_permit_gives_it_back_after_the_deadline() {
    let _turn = started();
    let limiter = limiter("admission-waiter", 5);
    let lease = use_first(&limiter);
    let mut calls = [task::spawn(limiter.acquire()), task::spawn(limiter.acquire())];
    for call in &mut calls {
        assert_pending!(call.poll());
    }
    grant_too_late(&lease, 1);
    assert!(calls[0].is_woken());
    assert_pending!(calls[0].poll());
    assert!(!calls[1].is_woken(), "the lease has ended");
    let load = lease.load();
    assert_eq!((load.running, load.waiting), (0, 2));
    grant(&lease, 2);
    let _both = calls.map(|mut call| assert_ready!(call.poll()));
    assert_eq!(lease.load().running, 2);
}

#[test]
fn a_waiter_that_was_handed_a_permit_gives_it_back_after_a_lapse() {
    let _turn = started();
    let limiter = limiter("admission-lapse", 5);
    let lease = use_first(&limiter);
    let mut call = task::spawn(limiter.acquire());
    assert_pending!(call.poll());
    grant(&lease, 1);
    assert!(call.is_woken());
    lease.lapse();
    assert_pending!(call.poll());
    assert_eq!((lease.load().running, lease.load().waiting), (0, 1));
    grant(&lease, 1);
    assert!(assert_ready!(call.poll()).is_valid());
}

#[test]
fn a_permit_that_was_handed_out_under_a_lost_lease_is_no_part_of_a_later_share() {
    let _turn = started();
    let limiter = limiter("admission-later", 5);
    let lease = use_first(&limiter);
    let mut calls = [(); 2].map(|()| task::spawn(limiter.acquire()));
    for call in &mut calls {
        assert_pending!(call.poll());
    }
    grant(&lease, 2);
    lease.lapse();
    assert_eq!(lease.load().running, 2);
    grant(&lease, 1);
    let [mut one, mut other] = calls;
    assert_pending!(one.poll());
    assert!(assert_ready!(other.poll()).is_valid());
    assert!(one.is_woken());
    drop(assert_ready!(one.poll()));
}

#[test]
fn a_waiter_that_was_handed_a_permit_keeps_it_when_the_share_is_lowered() {
    let _turn = started();
    let limiter = limiter("admission-lowered", 5);
    let lease = use_first(&limiter);
    for term in 1..=2 {
        let mut call = task::spawn(limiter.acquire());
        assert_pending!(call.poll());
        grant(&lease, 1);
        assert_eq!(lease.lower(0).running, 1);
        assert!(assert_ready!(call.poll()).is_valid(), "term {term}");
        lease.lapse();
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_was_handed_a_permit_too_late_times_out() {
    let limiter = {
        let _turn = started();
        limiter("admission-timed-out", 5).max_wait(Duration::from_secs(1))
    };
    let lease = use_first(&limiter);
    let mut call = task::spawn(limiter.acquire());
    assert_pending!(call.poll());
    tokio::time::advance(Duration::from_secs(2)).await;
    grant_too_late(&lease, 1);
    let rejected = assert_ready!(call.poll()).expect_err("no lease");
    assert_eq!(rejected.kind(), RejectedKind::TimedOut);
    assert_eq!(lease.load().running, 0);
}

#[test]
fn a_thread_that_blocks_is_let_in_by_a_grant() {
    let _turn = started();
    let limiter = limiter("admission-blocks", 5);
    let lease = use_first(&limiter);
    thread::scope(|scope| {
        let call = scope.spawn(|| limiter.blocking_acquire().is_valid());
        while lease.load().waiting == 0 {
            thread::yield_now();
        }
        grant_too_late(&lease, 1);
        while lease.load().waiting == 0 {
            thread::yield_now();
        }
        grant(&lease, 1);
        assert!(call.join().expect("it does not panic"));
    });
}

#[test]
fn a_deadline_passes_without_the_agent() {
    let _turn = started();
    let limiter = limiter("admission-deadline", 5);
    let lease = use_first(&limiter);
    let deadline = fleet::now() + Duration::from_millis(20);
    lease.grant(2, deadline, None);
    if let Ok(permit) = limiter.try_acquire() {
        assert!(permit.is_valid() || fleet::now() >= deadline);
        while fleet::now() < deadline {
            thread::yield_now();
        }
        assert!(!permit.is_valid());
    }
    while fleet::now() < deadline {
        thread::yield_now();
    }
    assert!(limiter.try_acquire().is_err());
}

#[test]
fn running_calls_without_a_lease_count_against_the_next_share() {
    let _turn = started();
    let limiter = limiter("admission-next", 5);
    let lease = use_first(&limiter);
    grant(&lease, 2);
    let held = [limiter.try_acquire().expect("two"), limiter.try_acquire().expect("two")];
    lease.lapse();
    grant(&lease, 2);
    assert!(limiter.try_acquire().is_err());
    drop(held);
    assert!(limiter.try_acquire().is_ok());
}

#[test]
fn a_call_that_is_not_held_to_the_limit_needs_no_lease() {
    let _turn = started();
    let limiter = limiter("admission-disabled", 5).enabled(false);
    let permit = limiter.try_acquire().expect("it is not held to the limit");
    assert!(permit.is_valid());
    assert_eq!(lease(&limiter).load().running, 0);
}

#[test]
fn only_limiters_of_the_fleet_are_leased() {
    let _turn = started();
    let limiter = Limiter::new("admission-process", 2).scope(Scope::Process);
    let permit = limiter.try_acquire().expect("it needs no lease");
    assert!(permit.is_valid());
    assert!(limit_runtime::find("admission-process").expect("in use").leases().is_empty());
}

#[cfg(feature = "tower")]
#[tokio::test]
async fn a_permit_that_a_service_has_reserved_is_taken_anew_after_its_lease() {
    use limit_runtime::tower::LimitLayer;
    use std::convert::Infallible;
    use std::future::poll_fn;
    use tower::{Layer, Service, service_fn};

    let (limiter, lease) = {
        let _turn = started();
        let limiter = limiter("admission-reserved", 5);
        let lease = use_first(&limiter);
        (limiter, lease)
    };
    grant(&lease, 1);
    let echo = service_fn(async |n: u32| Ok::<_, Infallible>(n));
    let mut service = LimitLayer::new(limiter).reserving().layer(echo);
    poll_fn(|context| service.poll_ready(context)).await.expect("a permit is free");
    lease.lapse();
    let mut ready = task::spawn(poll_fn(|context| service.poll_ready(context)));
    assert_pending!(ready.poll());
    assert_eq!(lease.load().running, 0);
    grant(&lease, 1);
    assert_ready!(ready.poll()).expect("a permit is free");
    drop(ready);
    assert_eq!(service.call(7).await.expect("it is infallible"), 7);
}
