//! Permits whose weight changes while the call runs.

mod estimates;
mod growth;
mod keys;
mod modes;
mod oracle;
mod parts;
mod random;
mod threads;
mod waiting;

use limit_runtime::{EventKind, Limiter, Rejected, RejectedKind};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, at_once, let_in, permit, refused, served, waiter};
use std::time::Duration;

#[test]
fn a_permit_shrinks_at_once_and_serves_those_who_wait() {
    let limiter = Limiter::new("growing-shrinks", 5);
    let mut whole = let_in(limiter.acquire_many(5));
    let mut next = waiter(limiter.acquire_many(2));
    at_once(whole.resize(4)).expect("it never fails");
    assert_waits(&mut next);
    whole.try_resize(3).expect("it never fails");
    drop(served(&mut next).expect("it is not too heavy"));
    assert_eq!(whole.weight(), 3);
    assert_figures(&limiter, 3, 0);
    at_once(whole.resize(0)).expect("it never fails");
    assert_all_free(&limiter);
    drop(whole);
    assert_all_free(&limiter);
}

#[test]
fn a_permit_grows_at_once_while_permits_are_free() {
    let limiter = Limiter::new("growing-free", 5);
    let mut growing = permit(&limiter);
    at_once(growing.resize(3)).expect("they are free");
    growing.try_resize(5).expect("they are free");
    growing.try_resize(5).expect("nothing changes");
    assert_eq!(growing.weight(), 5);
    assert_figures(&limiter, 5, 0);
    assert_eq!(total(&limiter).admitted_at_once, 3, "each growth counts as a call");
    drop(growing);
    assert_all_free(&limiter);
}

#[test]
fn a_growth_that_is_refused_leaves_the_permit_as_it_was() {
    let limiter = Limiter::new("growing-refused", 4);
    let (mut growing, other) = (permit(&limiter), permit(&limiter));
    let rejected = growing.try_resize(4).expect_err("two are free");
    assert_eq!((rejected.kind(), rejected.weight()), (RejectedKind::NoPermits, 4));
    assert_eq!(
        (rejected.limiter(), rejected.limit(), rejected.in_use()),
        ("growing-refused", 4, 2)
    );
    let rejected = refused(growing.resize(5));
    assert_eq!((rejected.kind(), rejected.weight()), (RejectedKind::TooHeavy, 5));
    assert_eq!(
        rejected.to_string(),
        "call too heavy for concurrency limit `growing-refused`: 5 permits wanted, the limit is 4"
    );
    assert_eq!(growing.weight(), 1);
    assert_figures(&limiter, 2, 0);
    drop(other);
    growing.try_resize(4).expect("it can be used, and grow, as before");
    drop(growing);
    assert_all_free(&limiter);
}

#[test]
fn during_a_pause_a_growing_call_waits_and_a_shrinking_one_does_not() {
    let limiter = Limiter::new("growing-paused", 4);
    let (mut growing, mut other) =
        (let_in(limiter.acquire_many(2)), let_in(limiter.acquire_many(2)));
    limiter.set_limit(0);
    other.try_resize(1).expect("shrinking never fails");
    let mut resize = waiter(growing.resize(3));
    assert_waits(&mut resize);
    limiter.set_limit(4);
    served(&mut resize).expect("it is let go on");
    drop(resize);
    assert_eq!(growing.weight(), 3);
    drop((growing, other));
    assert_all_free(&limiter);
}

#[test]
fn a_growth_waits_no_longer_than_it_may() {
    let runtime = limit_tests::runtimes::paused();
    runtime.block_on(async {
        let limiter = Limiter::new("growing-max-wait", 2).max_wait(Duration::from_secs(5));
        let (mut growing, other) = (let_in(limiter.acquire()), let_in(limiter.acquire()));
        let start = tokio::time::Instant::now();
        let rejected = growing.resize(2).await.unwrap_err();
        assert_eq!((rejected.kind(), rejected.waited()), (RejectedKind::TimedOut, start.elapsed()));
        assert_eq!(start.elapsed().as_secs(), 5, "the limiter says so");
        let rejected = growing.resize(2).max_wait(Duration::from_secs(9)).await.unwrap_err();
        assert_eq!(rejected.waited().as_secs(), 9, "the growth says so");
        let rejected = growing.resize(2).max_wait(Duration::ZERO).await.unwrap_err();
        assert_eq!(rejected.kind(), RejectedKind::NoPermits);
        limiter.set_max_wait(Duration::from_secs(1));
        assert_eq!(growing.resize(2).await.unwrap_err().waited().as_secs(), 1, "a setting says so");
        assert_eq!(growing.weight(), 1);
        drop((growing, other));
        assert_all_free_of_refusing(&limiter);
    });
}

fn assert_all_free_of_refusing(limiter: &Limiter<Rejected>) {
    assert_eq!((total(limiter).in_use, total(limiter).waiting), (0, 0));
    drop(limiter.try_acquire_many(2).expect("all are free"));
}

#[test]
fn a_full_queue_keeps_no_holder_from_growing() {
    let limiter = Limiter::new("growing-full", 2).max_waiting(1);
    let (mut growing, other) = (let_in(limiter.acquire()), let_in(limiter.acquire()));
    let mut call = waiter(limiter.acquire());
    let mut resize = waiter(growing.resize(2));
    assert_eq!(refused(limiter.acquire()).kind(), RejectedKind::QueueFull);
    drop(other);
    served(&mut resize).expect("it is before the call");
    drop(resize);
    drop(growing);
    drop(served(&mut call));
    assert_all_free_of_refusing(&limiter);
}

#[test]
fn a_growing_call_takes_no_room_in_the_queue() {
    let limiter = Limiter::new("growing-beside", 2).max_waiting(1);
    let (mut growing, other) = (let_in(limiter.acquire()), let_in(limiter.acquire()));
    let resize = waiter(growing.resize(2));
    let call = waiter(limiter.acquire());
    assert_eq!(refused(limiter.acquire()).kind(), RejectedKind::QueueFull);
    drop(resize);
    drop((call, other, growing));
    assert_all_free_of_refusing(&limiter);
}

#[test]
fn closing_refuses_those_that_grow_and_leaves_their_permits() {
    let limiter = Limiter::new("growing-closed", 2).max_waiting(9);
    let (mut growing, mut other) = (let_in(limiter.acquire()), let_in(limiter.acquire()));
    let mut resize = waiter(growing.resize(2));
    limiter.close();
    assert_eq!(served(&mut resize).unwrap_err().kind(), RejectedKind::Closed);
    drop(resize);
    assert_eq!(growing.try_resize(2).unwrap_err().kind(), RejectedKind::Closed);
    other.try_resize(0).expect("shrinking never fails");
    assert_eq!(total(&limiter).in_use, 1);
    limiter.reopen();
    growing.try_resize(2).expect("it can grow again");
    drop(growing);
    assert_all_free_of_refusing(&limiter);
}

#[test]
fn a_growth_that_is_given_up_after_the_grant_hands_it_on() {
    let limiter = Limiter::new("growing-given-up", 2);
    let (mut growing, other) = (permit(&limiter), permit(&limiter));
    let resize = waiter(growing.resize(2));
    let mut call = waiter(limiter.acquire());
    drop(other);
    assert!(resize.is_woken(), "it is handed the permit");
    assert!(call.poll().is_pending());
    drop(resize);
    drop(served(&mut call));
    assert_eq!((growing.weight(), total(&limiter).cancelled), (1, 1));
    drop(growing);
    assert_all_free(&limiter);
}

#[test]
fn a_growth_that_is_given_up_after_the_grant_hands_it_to_the_next_that_grows() {
    let limiter = Limiter::new("growing-handed-on", 4);
    let [mut one, mut two, other] = [1, 1, 2].map(|weight| let_in(limiter.acquire_many(weight)));
    let first = waiter(one.resize(3));
    let mut second = waiter(two.resize(3));
    drop(other);
    assert!(first.is_woken(), "it is handed the permits");
    assert_waits(&mut second);
    drop(first);
    served(&mut second).expect("both are free");
    drop(second);
    assert_eq!((one.weight(), two.weight()), (1, 3));
    drop((one, two));
    assert_all_free(&limiter);
}

#[test]
fn a_permit_without_weight_stays_one() {
    let limiter = Limiter::new("growing-nothing", 2);
    let mut exempt = at_once(limiter.acquire().enabled(false));
    at_once(exempt.resize(2)).expect("the limit does not hold for it");
    let mut given_back = permit(&limiter);
    given_back.try_resize(0).expect("shrinking never fails");
    given_back.try_resize(1).expect("it holds nothing, and takes nothing");
    assert_eq!((exempt.weight(), given_back.weight()), (0, 0));
    assert_all_free(&limiter);
}

#[test]
fn subscribers_hear_of_growing_and_shrinking() {
    let limiter = Limiter::new("growing-heard", 2);
    let (mut growing, other) = (permit(&limiter), permit(&limiter));
    let mut events = limiter.subscribe();
    let mut resize = waiter(growing.resize(2));
    drop(other);
    served(&mut resize).expect("it is free");
    drop(resize);
    growing.try_resize(1).expect("shrinking never fails");
    let expected = [
        (EventKind::Waiting, 2, 1),
        (EventKind::Released, 1, 1),
        (EventKind::Admitted, 2, 0),
        (EventKind::Released, 1, 0),
    ];
    assert_eq!(crate::listening::heard(&mut events), expected);
}

#[test]
fn a_permit_of_a_dropped_limiter_can_still_be_resized() {
    let limiter = Limiter::new("growing-dropped", 3);
    let (mut growing, other) = (permit(&limiter), permit(&limiter));
    drop(limiter);
    growing.try_resize(2).expect("one is free");
    let rejected = growing.try_resize(3).unwrap_err();
    assert_eq!((rejected.kind(), rejected.limiter()), (RejectedKind::NoPermits, "(dropped)"));
    let mut resize = waiter(growing.resize(3));
    drop(other);
    served(&mut resize).expect("it is free now");
}

#[test]
#[should_panic(expected = "`Resize` polled after it was ready")]
fn a_growth_that_is_ready_is_not_polled_again() {
    let limiter = Limiter::new("growing-again", 2);
    let mut growing = permit(&limiter);
    let mut resize = growing.resize(2);
    at_once(&mut resize).expect("it is free");
    let _ = at_once(&mut resize);
}
