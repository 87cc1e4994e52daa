//! Refusals, and the options of each limiter, in a call for several limiters.

use super::two_in_order;
use limit_runtime::{EventKind, Limiter, OnDeadlock, Rejected, RejectedKind, acquire_all};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, at_once, permit, refused, served, waiter};
use std::time::Duration;
use tokio::time::{Instant, advance, sleep};

fn bounded(name: &'static str, limit: usize, max_waiting: usize) -> Limiter<Rejected> {
    Limiter::new(name, limit).max_waiting(max_waiting)
}

#[test]
fn the_first_limiter_that_refuses_the_call_is_named_and_nothing_is_held() {
    let (a, b) = (Limiter::new("together-refused-a", 1), bounded("together-refused-b", 1, 0));
    let held = b.try_acquire().unwrap();
    let rejected = refused(acquire_all((&a, &b)));
    assert_eq!(
        (rejected.kind(), rejected.limiter()),
        (RejectedKind::QueueFull, "together-refused-b")
    );
    assert_eq!(total(&b).rejected.queue_full, 1);
    assert_eq!(total(&a).admitted_at_once, 0);
    drop(held);
    b.close();
    assert_eq!(refused(acquire_all((&b, &a))).kind(), RejectedKind::Closed);
    b.reopen();
    let too_heavy = refused(acquire_all((&a, b.acquire().weight(2))));
    assert_eq!((too_heavy.kind(), too_heavy.weight()), (RejectedKind::TooHeavy, 2));
    assert_all_free(&a);
    assert_all_free(&b);
}

#[test]
fn a_call_that_waits_and_is_refused_holds_nothing() {
    let (a, b) = (Limiter::new("together-closed-a", 1), bounded("together-closed-b", 1, 9));
    let held = b.try_acquire().unwrap();
    let mut both = waiter(acquire_all((&a, &b)));
    b.close();
    let rejected = served(&mut both).unwrap_err();
    assert_eq!((rejected.kind(), rejected.limiter()), (RejectedKind::Closed, "together-closed-b"));
    assert_all_free(&a);
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_max_wait_begins_with_the_first_wait_for_any_limiter() {
    let [a, b] = two_in_order("together-time");
    let (of_a, _of_b) = (permit(&a), permit(&b));
    let (short, long) = (Duration::from_millis(50), Duration::from_millis(100));
    let mut both = waiter(acquire_all((a.acquire().max_wait(long), b.acquire().max_wait(short))));
    // It waits for `a` for longer than it may wait for `b`.
    advance(Duration::from_millis(60)).await;
    assert_waits(&mut both);
    drop(of_a);
    let rejected = served(&mut both).unwrap_err();
    assert_eq!((rejected.kind(), rejected.waited().as_millis()), (RejectedKind::TimedOut, 60));
    assert_eq!((total(&a).rejected.total(), total(&b).rejected.timed_out), (0, 1));
    assert_all_free(&a);
}

#[tokio::test(start_paused = true)]
async fn a_max_wait_of_the_call_holds_for_all_limiters_together() {
    let [a, b] = two_in_order("together-whole");
    let (of_a, _of_b) = (permit(&a), permit(&b));
    let start = Instant::now();
    let call = acquire_all((&a, &b)).max_wait(Duration::from_millis(100));
    let rejected = {
        let give_back = async {
            tokio::time::sleep(Duration::from_millis(70)).await;
            drop(of_a);
        };
        tokio::join!(call, give_back).0.unwrap_err()
    };
    assert_eq!(start.elapsed().as_millis(), 100);
    assert_eq!(rejected.kind(), RejectedKind::TimedOut);
    assert_eq!((total(&a).rejected.total(), total(&b).rejected.timed_out), (0, 1));
    assert_all_free(&a);
    let at_once = acquire_all((&a, &b)).max_wait(Duration::ZERO).await.unwrap_err();
    assert_eq!(at_once.kind(), RejectedKind::NoPermits);
}

#[tokio::test(start_paused = true)]
async fn a_round_that_fails_uses_up_no_start_of_a_rate() {
    let rated = Limiter::new("together-rate", 1).per(Duration::from_secs(1));
    let other = Limiter::new("together-rate-other", 1);
    let started = permit(&rated);
    drop(started);
    // It waits for the rate, as the other permit is free.
    let mut both = waiter(acquire_all((&rated, &other)));
    let held = permit(&other);
    sleep(Duration::from_millis(1001)).await;
    assert!(both.is_woken());
    assert!(both.poll().is_pending());
    assert_figures(&other, 1, 1);
    // The start is still free for others.
    drop(permit(&rated));
    drop(held);
    assert!(both.poll().is_pending());
    drop(both.into_inner().await);
    assert_eq!(total(&rated).admitted_at_once + total(&rated).admitted_after_waiting, 3);
}

#[test]
fn a_shadow_and_a_limiter_that_is_off_let_the_call_in() {
    let (a, shadow) =
        (Limiter::new("together-shadow-a", 1), Limiter::new("together-shadow", 1).shadow());
    let off = Limiter::new("together-off", 1).enabled(false);
    let first = at_once(acquire_all((&shadow, &off)));
    let second = at_once(acquire_all((&a, &shadow, &off)));
    assert_eq!(total(&shadow).shadowed.waited, 1);
    assert_eq!((total(&shadow).in_use, total(&off).in_use), (2, 0));
    drop((first, second));
    assert_all_free(&a);
}

#[test]
fn a_priority_holds_where_the_call_waits() {
    let (a, b) = (Limiter::new("together-priority-a", 1), Limiter::new("together-priority-b", 1));
    let held = permit(&a);
    let mut low = waiter(acquire_all((&a, &b)));
    let mut high = waiter(acquire_all((a.acquire().priority(200), &b)));
    drop(held);
    assert_waits(&mut low);
    drop(served(&mut high));
    drop(served(&mut low));
}

#[test]
fn the_newest_call_is_served_first_where_the_limiter_says_so() {
    let newest = Limiter::new("together-lifo", 1).order(limit_runtime::Order::Lifo);
    let other = Limiter::new("together-lifo-other", 1);
    let held = permit(&newest);
    let mut first = waiter(acquire_all((&newest, &other)));
    let mut second = waiter(acquire_all((&other, &newest)));
    drop(held);
    assert_waits(&mut first);
    drop(served(&mut second));
    drop(served(&mut first));
}

#[test]
fn a_limit_of_zero_holds_the_call_up_and_nobody_else() {
    let (paused, other) =
        (Limiter::new("together-paused", 0), Limiter::new("together-paused-other", 1));
    let mut call = waiter(acquire_all((&other, &paused)));
    drop(permit(&other));
    assert_figures(&paused, 0, 1);
    paused.set_limit(1);
    drop(served(&mut call));
    assert_all_free(&other);
}

#[test]
fn a_limiter_that_refuses_in_deadlocks_can_be_taken_with_others() {
    let a = Limiter::<std::convert::Infallible>::new("together-deadlock", 1)
        .max_waiting(1)
        .on_deadlock(OnDeadlock::Refuse);
    let b = Limiter::new("together-deadlock-other", 1);
    let mut events = b.subscribe();
    drop(at_once(acquire_all((&a, &b))).unwrap());
    assert_eq!(events.try_recv().map(|event| event.kind), Ok(EventKind::Admitted));
}
