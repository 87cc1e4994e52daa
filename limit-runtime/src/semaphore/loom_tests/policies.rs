//! Calls over the limit.

use super::{
    Call, Without, acquire, assert_all_free, bound, bound_to, enter, model, poll_once, take,
};
use crate::deadline::Deadline;
use crate::policy::{Force, Order, Policy, Ranking, Request};
use crate::rejected::RejectedKind;
use crate::semaphore::{Came, Claim, Entered, Hashed, Held, KeySource, NewBinding, Semaphore};
use loom::future::block_on;
use loom::thread;
use std::task::Waker;
use tokio::sync::broadcast;
use tokio::time::Instant;

pub(super) static ONE: Hashed<u8> = Hashed { hash: 1, weight: 0, key: 1 };
/// Another key with the same hash.
static OTHER: Hashed<u8> = Hashed { hash: 1, weight: 0, key: 2 };

pub(super) const KEYED: Policy = Policy { keyed: true, ..Policy::PLAIN };

pub(super) fn of_key(semaphore: &'static Semaphore, key: &'static Hashed<u8>) -> Call {
    let mut call = acquire(semaphore, 1);
    call.key = Some(key);
    call
}

/// Makes a call whose time is up as soon as it waits.
fn over(semaphore: &'static Semaphore) -> Call {
    let mut call = acquire(semaphore, 1);
    call.is_over = true;
    call
}

#[test]
fn a_waiter_is_refused_when_the_limiter_is_closed_or_has_its_permit() {
    model(|| {
        let semaphore = bound(1);
        let held = take(semaphore, 1);
        let waiter = thread::spawn(move || match block_on(acquire(semaphore, 1)) {
            Ok(held) => drop(held),
            Err(without) => assert_eq!(without, Without::Refused(RejectedKind::Closed)),
        });
        let closer = thread::spawn(move || {
            semaphore.close().wake();
            semaphore.serve_all();
        });
        drop(held);
        waiter.join().unwrap();
        closer.join().unwrap();
        semaphore.reopen().wake();
        semaphore.serve_all();
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn whoever_waits_is_let_in_when_the_limit_no_longer_holds() {
    model(|| {
        let semaphore = bound(1);
        let held = take(semaphore, 1);
        let waiter = thread::spawn(move || {
            // Nobody gives a permit back: the call is admitted because the limit does not hold.
            while let Err(without) = block_on(acquire(semaphore, 1)) {
                assert_eq!(without, Without::Retry);
            }
        });
        let off = Policy { force: Force::Off, ..Policy::PLAIN };
        semaphore.set_policy(&off).wake();
        semaphore.serve_all();
        waiter.join().unwrap();
        semaphore.set_policy(&Policy::PLAIN).wake();
        semaphore.serve_all();
        drop(held);
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn a_shadow_that_comes_and_goes_loses_no_permit_and_hangs_nobody() {
    model(|| {
        let semaphore = bound(1);
        let held = take(semaphore, 1);
        let waiter = thread::spawn(move || {
            loop {
                match block_on(acquire(semaphore, 1)) {
                    Ok(held) => return drop(held),
                    Err(without) => assert_eq!(without, Without::Retry),
                }
            }
        });
        let shadow = Policy { force: Force::Shadow, ..Policy::PLAIN };
        semaphore.set_policy(&shadow).wake();
        semaphore.serve_all();
        semaphore.set_policy(&Policy::PLAIN).wake();
        semaphore.serve_all();
        drop(held);
        waiter.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn the_oldest_is_evicted_or_has_its_permit() {
    model(|| {
        let semaphore =
            bound_to(1, &Policy { order: Order::Lifo, max_waiting: 1, ..Policy::PLAIN });
        let held = take(semaphore, 1);
        let mut oldest = acquire(semaphore, 1);
        assert!(poll_once(&mut oldest).is_pending());
        let newest =
            thread::spawn(move || drop(block_on(acquire(semaphore, 1)).expect("it has room")));
        let oldest = thread::spawn(move || match block_on(oldest) {
            Ok(held) => drop(held),
            Err(without) => assert_eq!(without, Without::Refused(RejectedKind::Evicted)),
        });
        drop(held);
        newest.join().unwrap();
        oldest.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn an_eviction_against_a_cancellation_leaves_one_waiter() {
    model(|| {
        let semaphore =
            bound_to(1, &Policy { order: Order::Lifo, max_waiting: 1, ..Policy::PLAIN });
        let held = take(semaphore, 1);
        let mut oldest = acquire(semaphore, 1);
        assert!(poll_once(&mut oldest).is_pending());
        let canceller = thread::spawn(move || drop(oldest));
        let mut newest = acquire(semaphore, 1);
        assert!(poll_once(&mut newest).is_pending());
        canceller.join().unwrap();
        let reading = semaphore.read(&mut Vec::new());
        assert_eq!(reading.usage.waiting, 1);
        assert_eq!(reading.current.cancelled + reading.current.rejected.evicted, 1);
        drop(held);
        drop(block_on(newest).expect("it is the only one"));
        assert_all_free(semaphore, 1);
    });
}

/// Makes a call with a priority.
fn of_priority(semaphore: &'static Semaphore, priority: u8) -> Call {
    let mut call = acquire(semaphore, 1);
    call.request.priority = priority;
    call
}

/// A release against a call that takes the place of the waiter: the waiter has the permit or gives way, and nobody hangs.
#[test]
fn a_waiter_of_a_lower_priority_gives_way_or_has_its_permit() {
    model(|| {
        let semaphore = bound_to(1, &Policy { max_waiting: 1, ..Policy::PLAIN });
        let held = take(semaphore, 1);
        let mut low = acquire(semaphore, 1);
        assert!(poll_once(&mut low).is_pending());
        let high = thread::spawn(move || {
            drop(block_on(of_priority(semaphore, 1)).expect("the other gives way"));
        });
        let low = thread::spawn(move || match block_on(low) {
            Ok(held) => drop(held),
            Err(without) => assert_eq!(without, Without::Refused(RejectedKind::Evicted)),
        });
        drop(held);
        high.join().unwrap();
        low.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}

/// Two calls of different priorities race for the one place in the queue. The higher one has it in the end.
#[test]
fn of_two_that_come_at_once_the_lower_gives_way_or_finds_the_queue_full() {
    model(|| {
        let semaphore = bound_to(1, &Policy { max_waiting: 1, ..Policy::PLAIN });
        let held = take(semaphore, 1);
        let low = thread::spawn(move || {
            let mut low = of_priority(semaphore, 1);
            let _ = poll_once(&mut low);
            low
        });
        let mut high = of_priority(semaphore, 2);
        assert!(poll_once(&mut high).is_pending());
        drop(low.join().unwrap());
        let reading = semaphore.read(&mut Vec::new());
        let refused = reading.current.rejected;
        assert_eq!((reading.usage.waiting, refused.evicted + refused.queue_full), (1, 1));
        assert_eq!(reading.current.cancelled, 0);
        drop(held);
        drop(block_on(high).expect("it is the only one"));
        assert_all_free(semaphore, 1);
    });
}

/// Makes a call that is ordered by its deadline, which is over as soon as it waits.
fn late_by_deadline(semaphore: &'static Semaphore) -> Call {
    let mut call = over(semaphore);
    call.request.ranking = Ranking::ByDeadline;
    call.deadline = Some(Deadline::from_call(Instant::now().into()));
    call
}

/// A release refuses the waiter that is too late, and the waiter's own timer does so too. One of them does, and the next
/// call has the permit.
#[test]
fn a_waiter_that_is_too_late_is_refused_once_and_the_next_has_the_permit() {
    model(|| {
        let policy = Policy { order: Order::Deadline, ..Policy::PLAIN };
        let semaphore = bound_to(1, &policy);
        let held = take(semaphore, 1);
        let mut late = late_by_deadline(semaphore);
        assert!(poll_once(&mut late).is_pending());
        let mut next = acquire(semaphore, 1);
        next.request.ranking = Ranking::ByDeadline;
        assert!(poll_once(&mut next).is_pending());
        let late = thread::spawn(move || match block_on(late) {
            Ok(_) => panic!("it has no turn"),
            Err(without) => assert_eq!(without, Without::Refused(RejectedKind::TimedOut)),
        });
        let next = thread::spawn(move || drop(block_on(next).expect("it has no deadline")));
        drop(held);
        late.join().unwrap();
        next.join().unwrap();
        assert_eq!(semaphore.read(&mut Vec::new()).current.rejected.timed_out, 1);
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn a_deadline_against_a_grant_uses_the_permit_or_leaves_it() {
    model(|| {
        let semaphore = bound(1);
        let held = take(semaphore, 1);
        let mut late = over(semaphore);
        assert!(poll_once(&mut late).is_pending());
        let late = thread::spawn(move || match block_on(late) {
            Ok(held) => drop(held),
            Err(without) => assert_eq!(without, Without::Refused(RejectedKind::TimedOut)),
        });
        drop(held);
        late.join().unwrap();
        let reading = semaphore.read(&mut Vec::new());
        let waited = reading.current.rejected.timed_out + reading.current.admitted_after_waiting();
        assert_eq!(waited, 1, "one or the other");
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn a_deadline_against_a_grant_never_loses_the_one_behind() {
    model(|| {
        let semaphore = bound(1);
        let held = take(semaphore, 1);
        let mut late = over(semaphore);
        assert!(poll_once(&mut late).is_pending());
        let next = thread::spawn(move || drop(block_on(acquire(semaphore, 1))));
        let late = thread::spawn(move || drop(block_on(late)));
        drop(held);
        late.join().unwrap();
        next.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn a_key_that_is_forgotten_against_a_new_caller_of_it_holds_to_its_limit() {
    model(|| {
        let semaphore = bound_to(1, &KEYED);
        let held = block_on(of_key(semaphore, &ONE)).expect("it is free");
        let other = block_on(of_key(semaphore, &OTHER)).expect("it is another key");
        let caller = thread::spawn(move || {
            let held = block_on(of_key(semaphore, &ONE)).expect("nobody is refused");
            // The key may have another number by now, but there is no second permit of it.
            assert!(matches!(try_key(semaphore, &ONE), Entered::Refused(_)));
            drop(held);
        });
        drop(held);
        drop(other);
        caller.join().unwrap();
        let reading = semaphore.read(&mut Vec::new());
        assert_eq!((reading.usage.in_use, reading.usage.waiting, reading.usage.keys), (0, 0, 0));
    });
}

#[test]
fn a_key_whose_last_waiter_is_cancelled_against_a_new_caller_is_not_lost() {
    model(|| {
        let semaphore = bound_to(1, &Policy { total: 1, ..KEYED });
        let held = block_on(of_key(semaphore, &OTHER)).expect("it is free");
        let mut cancelled = of_key(semaphore, &ONE);
        assert!(poll_once(&mut cancelled).is_pending());
        let canceller = thread::spawn(move || drop(cancelled));
        let caller = thread::spawn(move || {
            drop(block_on(of_key(semaphore, &ONE)).expect("nobody is refused"));
        });
        drop(held);
        canceller.join().unwrap();
        caller.join().unwrap();
        let reading = semaphore.read(&mut Vec::new());
        assert_eq!((reading.usage.in_use, reading.usage.waiting, reading.usage.keys), (0, 0, 0));
    });
}

/// Makes a call for all the permits of a key.
fn both_of_key(semaphore: &'static Semaphore) -> Call {
    let mut call = of_key(semaphore, &ONE);
    call.request.weight = 2;
    call
}

#[test]
fn parts_that_two_threads_give_back_serve_a_call_for_both() {
    model(|| {
        let semaphore = bound_to(2, &KEYED);
        let held = block_on(both_of_key(semaphore)).expect("they are free");
        let waiter = thread::spawn(move || {
            drop(block_on(both_of_key(semaphore)).expect("nobody is refused"));
        });
        let mut whole = held.into_permits();
        let part = whole.split(1).expect("it has two");
        let other = thread::spawn(move || drop(part));
        whole.give_back();
        other.join().unwrap();
        waiter.join().unwrap();
        let reading = semaphore.read(&mut Vec::new());
        assert_eq!((reading.usage.in_use, reading.usage.waiting, reading.usage.keys), (0, 0, 0));
    });
}

#[test]
fn permits_put_together_while_a_part_comes_back_are_all_given_back() {
    model(|| {
        let semaphore = bound_to(3, &KEYED);
        let mut whole = block_on(both_of_key(semaphore)).expect("they are free").into_permits();
        let more = block_on(of_key(semaphore, &ONE)).expect("it is free");
        let part = whole.split(1).expect("it has two");
        let other = thread::spawn(move || drop(part));
        let waiter = thread::spawn(move || {
            drop(block_on(both_of_key(semaphore)).expect("nobody is refused"));
        });
        whole.merge(more).expect("they are of one key");
        assert_eq!(whole.weight(), 2);
        whole.give_back();
        other.join().unwrap();
        waiter.join().unwrap();
        let reading = semaphore.read(&mut Vec::new());
        assert_eq!((reading.usage.in_use, reading.usage.waiting, reading.usage.keys), (0, 0, 0));
    });
}

#[test]
fn whoever_drains_is_told_when_the_last_permit_comes_back() {
    model(|| {
        let semaphore = bound(1);
        let held = take(semaphore, 1);
        let drainer = thread::spawn(move || {
            block_on(std::future::poll_fn(|context| {
                let (is_drained, unneeded) = semaphore.poll_drained(0, context.waker().clone());
                semaphore.serve_all();
                drop(unneeded);
                if is_drained { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            }));
            assert_eq!(semaphore.busy(&mut Vec::new()), 0);
        });
        drop(held);
        drainer.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn calls_of_keys_that_wait_for_the_limit_are_served_when_it_is_known() {
    model(|| {
        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
        assert!(matches!(semaphore.claim(1, None), Claim::Ours));
        let other = thread::spawn(move || {
            let held: Held = loop {
                match block_on(of_key(semaphore, &ONE)) {
                    Ok(held) => break held,
                    Err(without) => assert_eq!(without, Without::Retry),
                }
            };
            drop(held);
        });
        semaphore.bind(NewBinding::of(&KEYED, 1)).expect("it is the first").wake();
        semaphore.serve_all();
        other.join().unwrap();
        assert!(matches!(try_key(semaphore, &ONE), Entered::Admitted(_)));
    });
}

fn try_key(semaphore: &'static Semaphore, key: &dyn KeySource) -> Entered {
    let request = Request::ONE;
    semaphore.enter(request, Some(key), Err(RejectedKind::NoPermits), &mut Came::default(), || true)
}

/// Looks at one semaphore as a drain does.
fn is_drained(semaphore: &'static Semaphore, waker: &Waker) -> bool {
    let (is_drained, unneeded) = semaphore.poll_drained(0, waker.clone());
    semaphore.serve_all();
    drop(unneeded);
    is_drained
}

/// A runtime may end, and the next one take its registry at once.
#[test]
fn whoever_drains_is_told_although_the_limit_is_given_up_as_soon_as_nobody_waits() {
    model(|| {
        let semaphore = bound(0);
        let mut waits = acquire(semaphore, 1);
        assert!(poll_once(&mut waits).is_pending());
        let drainer = thread::spawn(move || {
            block_on(std::future::poll_fn(|context| {
                if is_drained(semaphore, context.waker()) {
                    std::task::Poll::Ready(())
                } else {
                    std::task::Poll::Pending
                }
            }));
        });
        let unbinder = thread::spawn(move || {
            let mut left = Vec::new();
            semaphore.unbind(false, &mut left);
            drop(left);
        });
        semaphore.dismiss_all();
        drainer.join().unwrap();
        unbinder.join().unwrap();
        drop(waits);
        assert_eq!(semaphore.busy(&mut Vec::new()), 0);
    });
}

/// SLOW must be cleared in these cases too, where no permit comes back.
#[test]
fn calls_go_by_the_word_again_as_soon_as_nothing_is_special() {
    model(|| {
        let semaphore = bound(2);
        let by_the_word = |before: &str| {
            assert!(semaphore.try_acquire(1, || true).is_some(), "SLOW is set {before}");
        };
        let Entered::Admitted(held) = enter(semaphore, || true) else { panic!("it is free") };
        by_the_word("after a call by the lock");
        assert!(!is_drained(semaphore, Waker::noop()));
        semaphore.forget_drainer(0);
        by_the_word("though who has drained is gone");
        let (listeners, first) = broadcast::channel(1);
        semaphore.subscribe(listeners).wake();
        drop(first);
        semaphore.serve_all();
        by_the_word("though who has listened is gone");
        assert!(!semaphore.unbind(false, &mut Vec::new()));
        by_the_word("after it was not given up");
        drop(held);
        assert!(is_drained(semaphore, Waker::noop()));
        by_the_word("after a look whether it is drained");
    });
}
