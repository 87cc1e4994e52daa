//! Grants that nobody claims: the call that was handed its permits is not polled.
//!
//! The hazards run twice: with the hand-written form, a static semaphore, which hangs, and with a limiter, which
//! goes on.

mod giving_way;
mod hazards;
mod kinds;

use limit_runtime::{EventKind, Limiter, LimiterHandle, RejectedKind, Scope, concurrency_limit};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, at_once, let_in, permit, served, waiter};
use limit_tests::runtimes::one_thread;
use std::future::Future;
use std::thread;
use std::time::{Duration, Instant};
use tokio_test::task::Spawn;

/// A time within which a test's grants are to be claimed.
const SOON: Duration = Duration::from_millis(300);

/// Waits until something has happened. The watcher uses real time.
#[track_caller]
fn eventually(mut has_happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !has_happened() {
        assert!(start.elapsed() < Duration::from_secs(60), "it does not happen");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_grant_that_nobody_claims_goes_to_the_next_and_the_absent_call_stays_first() {
    let limiter = Limiter::new("unclaimed-next", 1).claim_within(SOON);
    let held = permit(&limiter);
    let mut absent = waiter(limiter.acquire());
    let mut second = waiter(limiter.acquire());
    let mut third = waiter(limiter.acquire());
    drop(held);
    assert!(absent.is_woken(), "it is handed the permit");
    eventually(|| second.is_woken());
    assert_eq!((total(&limiter).taken_back, total(&limiter).in_use), (1, 1));
    assert_eq!(total(&limiter).waiting, 2, "the absent call counts as one that waits");
    let held = served(&mut second);
    assert!(absent.poll().is_pending(), "it is at the head of the queue again");
    assert_waits(&mut third);
    drop(held);
    let held = served(&mut absent);
    assert_waits(&mut third);
    drop(held);
    drop(served(&mut third));
    assert_all_free(&limiter);
}

#[cfg(feature = "inspect")]
#[test]
fn a_call_whose_grant_was_taken_back_stays_before_one_that_a_reading_has_seen() {
    let name = "unclaimed-seen";
    let limiter = Limiter::new(name, 1).claim_within(SOON);
    let read = || limit_runtime::inspect::read(&limit_runtime::find(name).expect("it is in use"));
    let held = permit(&limiter);
    let [mut absent, mut second, mut third] = [(); 3].map(|()| waiter(limiter.acquire()));
    assert_eq!(read().usage.waiting, 3);
    drop(held);
    eventually(|| second.is_woken());
    assert_eq!(read().usage.waiting, 2);
    let held = served(&mut second);
    assert!(absent.poll().is_pending(), "it is back, and no permit is free");
    assert_eq!(read().usage.waiting, 2);
    drop(held);
    let held = served(&mut absent);
    assert_waits(&mut third);
    drop(held);
    drop(served(&mut third));
    assert_all_free(&limiter);
}

#[test]
fn an_absent_call_is_admitted_at_once_if_a_permit_is_free_when_it_is_polled() {
    let limiter = Limiter::new("unclaimed-free", 1).claim_within(SOON);
    let held = permit(&limiter);
    let (mut absent, mut next) = (waiter(limiter.acquire()), waiter(limiter.acquire()));
    drop(held);
    eventually(|| next.is_woken());
    drop(served(&mut next));
    let held = at_once(async { absent.enter(|context, call| call.poll(context)) });
    assert!(held.is_ready());
    drop(held);
    assert_all_free(&limiter);
}

#[test]
fn a_call_that_joins_behind_a_grant_that_was_never_claimed_gets_its_permit() {
    let limiter = Limiter::new("unclaimed-joins-later", 1).claim_within(SOON);
    let held = permit(&limiter);
    let absent = waiter(limiter.acquire());
    drop(held);
    // Nobody waited when the grant was made.
    assert!(absent.is_woken());
    let mut next = waiter(limiter.acquire());
    eventually(|| next.is_woken());
    drop((served(&mut next), absent));
    assert_all_free(&limiter);
}

#[test]
fn calls_whose_grants_were_taken_back_come_back_in_the_order_in_which_they_came() {
    let limiter = Limiter::new("unclaimed-order", 2).claim_within(SOON);
    let held = (permit(&limiter), permit(&limiter));
    let mut absent: Vec<_> = (0..4).map(|_| waiter(limiter.acquire())).collect();
    drop(held);
    // The first two are handed the permits, then the other two, and then the last.
    eventually(|| absent.iter().all(Spawn::is_woken));
    let mut last: Vec<_> = (0..2).map(|_| waiter(limiter.acquire())).collect();
    eventually(|| last.iter().all(Spawn::is_woken));
    let mut held: Vec<_> = last.iter_mut().map(served).collect();
    let mut behind = waiter(limiter.acquire());
    // In any order they are polled.
    for call in [2, 0, 3, 1] {
        assert!(absent[call].poll().is_pending(), "no permit is free");
    }
    for call in &mut absent {
        assert_waits(&mut behind);
        drop(held.pop());
        held.push(served(call));
    }
    drop(held);
    drop(served(&mut behind));
    assert_all_free(&limiter);
}

#[test]
fn without_anybody_else_who_waits_a_grant_stays() {
    let limiter = Limiter::new("unclaimed-alone", 1).claim_within(SOON);
    let other = Limiter::new("unclaimed-beside-alone", 1).claim_within(SOON);
    let held = (permit(&limiter), permit(&other));
    let mut absent = waiter(limiter.acquire());
    let (_absent, next) = (waiter(other.acquire()), waiter(other.acquire()));
    drop(held);
    // The watcher has looked by then.
    eventually(|| next.is_woken());
    assert_eq!((total(&limiter).taken_back, total(&limiter).in_use), (0, 1));
    drop(served(&mut absent));
    assert_all_free(&limiter);
}

#[test]
fn a_limiter_that_never_takes_back_does_so_once_it_is_told_to() {
    let limiter = Limiter::new("unclaimed-never", 1).claim_within(Duration::MAX);
    let held = permit(&limiter);
    let (_absent, mut next) = (waiter(limiter.acquire()), waiter(limiter.acquire()));
    drop(held);
    assert_waits(&mut next);
    limiter.set_claim_within(SOON);
    eventually(|| next.is_woken());
    drop(served(&mut next));
}

#[test]
fn a_time_that_is_set_before_the_first_call_holds_for_it() {
    let limiter = Limiter::new("unclaimed-set-first", 1).claim_within(Duration::MAX);
    limiter.set_claim_within(SOON);
    let held = permit(&limiter);
    let (_absent, mut next) = (waiter(limiter.acquire()), waiter(limiter.acquire()));
    drop(held);
    eventually(|| next.is_woken());
    drop(served(&mut next));
}

#[test]
fn the_option_of_the_attribute_holds() {
    #[concurrency_limit(1, name = "unclaimed-quick", claim_within = "10ms")]
    async fn quick() {}
    #[concurrency_limit(1, name = "unclaimed-patient", claim_within = never)]
    async fn patient() {}

    fn absent_then_next<F: Future>(name: &str, call: impl Fn() -> F) -> bool {
        drop(at_once(call()));
        let limiter: LimiterHandle = limit_runtime::find(name).expect("it has been used");
        limiter.set_limit(0);
        let (_absent, next) = (waiter(call()), waiter(call()));
        limiter.set_limit(1);
        if name == "unclaimed-patient" {
            return next.is_woken();
        }
        eventually(|| next.is_woken());
        true
    }
    assert!(!absent_then_next("unclaimed-patient", patient));
    assert!(absent_then_next("unclaimed-quick", quick));
}

#[test]
fn an_absent_call_that_is_dropped_leaves_the_queue() {
    let limiter = Limiter::new("unclaimed-dropped", 1).claim_within(SOON);
    let held = permit(&limiter);
    let (absent, mut next) = (waiter(limiter.acquire()), waiter(limiter.acquire()));
    drop(held);
    eventually(|| next.is_woken());
    let held = served(&mut next);
    assert_figures(&limiter, 1, 1);
    drop(absent);
    assert_figures(&limiter, 1, 0);
    assert_eq!(total(&limiter).cancelled, 1);
    drop(held);
    assert_all_free(&limiter);
}

#[test]
fn a_limiter_that_is_closed_refuses_a_call_that_is_absent() {
    let limiter = Limiter::new("unclaimed-closed", 1).max_waiting(9).claim_within(SOON);
    let held = let_in(limiter.acquire());
    let (mut absent, mut next) = (waiter(limiter.acquire()), waiter(limiter.acquire()));
    drop(held);
    eventually(|| next.is_woken());
    let held = next.poll();
    assert!(held.is_ready());
    limiter.close();
    assert_eq!(total(&limiter).waiting, 0);
    let refused = served(&mut absent).expect_err("it is refused");
    assert_eq!(refused.kind(), RejectedKind::Closed);
    drop(held);
}

#[test]
fn an_absent_call_enters_again_when_its_runtime_has_ended() {
    let limiter = Limiter::new("unclaimed-retired", 1).claim_within(SOON);
    let (ended, other) = (one_thread(), one_thread());
    let (held, mut absent, mut next) = {
        let _ended = ended.enter();
        (permit(&limiter), waiter(limiter.acquire()), waiter(limiter.acquire()))
    };
    drop(held);
    eventually(|| next.is_woken());
    let held = {
        let _ended = ended.enter();
        served(&mut next)
    };
    drop(ended);
    let _other = other.enter();
    // The other runtime has a permit of its own.
    assert!(absent.poll().is_ready());
    drop((held, next, absent));
}

#[test]
fn a_drain_waits_for_a_call_that_is_absent() {
    let limiter = Limiter::new("unclaimed-drain", 1).claim_within(SOON);
    let held = permit(&limiter);
    let (mut absent, mut next) = (waiter(limiter.acquire()), waiter(limiter.acquire()));
    drop(held);
    eventually(|| next.is_woken());
    drop(served(&mut next));
    let mut drained = waiter(limiter.drain());
    drop(served(&mut absent));
    served(&mut drained);
}

#[test]
fn subscribers_hear_of_a_grant_that_is_taken_back() {
    let limiter = Limiter::new("unclaimed-events", 1).claim_within(SOON);
    let mut events = limiter.subscribe();
    let held = permit(&limiter);
    let (absent, mut next) = (waiter(limiter.acquire()), waiter(limiter.acquire()));
    drop(held);
    eventually(|| next.is_woken());
    drop((served(&mut next), absent));
    let mut kinds = Vec::new();
    while let Ok(event) = events.try_recv() {
        kinds.push((event.kind, event.in_use, event.waiting));
    }
    assert_eq!(
        kinds,
        [
            (EventKind::Admitted, 1, 0),
            (EventKind::Waiting, 1, 1),
            (EventKind::Waiting, 1, 2),
            (EventKind::Released, 0, 2),
            (EventKind::Admitted, 1, 1),
            (EventKind::TakenBack, 0, 2),
            (EventKind::Admitted, 1, 1),
            (EventKind::Released, 0, 1),
            (EventKind::Cancelled, 0, 0),
        ]
    );
}

#[test]
fn a_held_permit_is_never_taken_back() {
    let limiter = Limiter::new("unclaimed-held", 2).scope(Scope::Process).claim_within(SOON);
    let (first, second) = (permit(&limiter), permit(&limiter));
    let (mut claimed, absent) = (waiter(limiter.acquire()), waiter(limiter.acquire()));
    drop((first, second));
    let held = served(&mut claimed);
    let (mut next, mut last) = (waiter(limiter.acquire()), waiter(limiter.acquire()));
    eventually(|| next.is_woken());
    let second = served(&mut next);
    assert_eq!(total(&limiter).taken_back, 1);
    assert_waits(&mut last);
    drop((held, second, absent));
    drop(served(&mut last));
    assert_all_free(&limiter);
}
