//! Grants that nobody claims in time.

use super::policies::{KEYED, ONE, of_key};
use super::{
    Call, Held, Without, acquire, assert_all_free, bound, bound_to, model, poll_once, take,
};
use crate::rejected::RejectedKind;
use crate::semaphore::Semaphore;
use crate::semaphore::state::Look;
use crate::semaphore::watch::Watched;
use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::time::{Duration, Instant};

const WITHIN: Duration = Duration::from_secs(1);

/// Makes a semaphore that takes grants back.
fn taking_back(semaphore: &'static Semaphore) -> &'static Semaphore {
    semaphore.set_claim_within(WITHIN).wake();
    semaphore.serve_all();
    semaphore
}

/// Does what the watcher does in the time within which a grant is to be claimed.
fn watch(semaphore: &'static Semaphore) {
    let now = Instant::now();
    let mut watched = Watched::new(semaphore);
    if watched.look(now) {
        watched.look(now + WITHIN);
    }
}

/// Makes a call that waits for the permit of `held`, and is handed it.
fn granted(held: Held, mut call: Call) -> Call {
    assert!(poll_once(&mut call).is_pending());
    drop(held);
    call
}

/// Makes two calls: one that has been handed the permits of `held`, and one that waits behind it.
fn granted_and_next(held: Held, mut absent: Call, mut next: Call) -> (Call, Call) {
    assert!(poll_once(&mut absent).is_pending());
    assert!(poll_once(&mut next).is_pending());
    drop(held);
    (absent, next)
}

/// Asserts that nobody else has the only permit.
fn alone(inside: &AtomicUsize, held: Held) {
    assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0, "each permit is claimed once");
    inside.fetch_sub(1, Ordering::Relaxed);
    drop(held);
}

#[test]
fn a_claim_against_the_taking_back_of_the_grant_leaves_one_holder() {
    model(|| {
        let semaphore = taking_back(bound(1));
        let inside = Arc::new(AtomicUsize::new(0));
        let (absent, next) =
            granted_and_next(take(semaphore, 1), acquire(semaphore, 1), acquire(semaphore, 1));
        let watcher = thread::spawn(move || watch(semaphore));
        let other = {
            let inside = Arc::clone(&inside);
            thread::spawn(move || alone(&inside, block_on(next).expect("it is let in")))
        };
        alone(&inside, block_on(absent).expect("it is let in"));
        watcher.join().unwrap();
        other.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn a_heavy_claim_against_the_taking_back_gives_back_all_its_permits() {
    model(|| {
        let semaphore = taking_back(bound(2));
        let (absent, next) =
            granted_and_next(take(semaphore, 2), acquire(semaphore, 2), acquire(semaphore, 1));
        let watcher = thread::spawn(move || watch(semaphore));
        let other = thread::spawn(move || drop(block_on(next)));
        drop(block_on(absent));
        watcher.join().unwrap();
        other.join().unwrap();
        assert_all_free(semaphore, 2);
    });
}

#[test]
fn a_claim_of_a_key_against_the_taking_back_leaves_one_holder() {
    model(|| {
        let semaphore = taking_back(bound_to(1, &KEYED));
        let held = block_on(of_key(semaphore, &ONE)).expect("it is free");
        let (absent, next) =
            granted_and_next(held, of_key(semaphore, &ONE), of_key(semaphore, &ONE));
        let watcher = thread::spawn(move || watch(semaphore));
        let other = thread::spawn(move || drop(block_on(next)));
        drop(block_on(absent));
        watcher.join().unwrap();
        other.join().unwrap();
        let reading = semaphore.read(&mut Vec::new());
        let usage = (reading.usage.in_use, reading.usage.waiting, reading.usage.keys);
        assert_eq!(usage, (0, 0, 0), "the key is forgotten");
    });
}

#[test]
fn a_call_dropped_against_the_taking_back_of_its_grant_passes_the_permit_on() {
    model(|| {
        let semaphore = taking_back(bound(1));
        let (absent, next) =
            granted_and_next(take(semaphore, 1), acquire(semaphore, 1), acquire(semaphore, 1));
        let watcher = thread::spawn(move || watch(semaphore));
        let other = thread::spawn(move || drop(block_on(next)));
        drop(absent);
        watcher.join().unwrap();
        other.join().unwrap();
        assert_all_free(semaphore, 1);
        assert_eq!(semaphore.read(&mut Vec::new()).current.cancelled, 1);
    });
}

#[test]
fn a_close_against_the_taking_back_refuses_a_call_that_is_away() {
    model(|| {
        let semaphore = taking_back(bound(1));
        let (absent, next) =
            granted_and_next(take(semaphore, 1), acquire(semaphore, 1), acquire(semaphore, 1));
        let closer = thread::spawn(move || {
            semaphore.close().wake();
            semaphore.serve_all();
        });
        watch(semaphore);
        closer.join().unwrap();
        for call in [absent, next] {
            match block_on(call) {
                Ok(held) => drop(held),
                Err(without) => assert_eq!(without, Without::Refused(RejectedKind::Closed)),
            }
        }
        let usage = semaphore.read(&mut Vec::new()).usage;
        assert_eq!((usage.in_use, usage.waiting), (0, 0));
    });
}

#[test]
fn the_end_of_a_runtime_against_the_taking_back_loses_nobody() {
    model(|| {
        let semaphore = taking_back(bound(1));
        let (absent, next) =
            granted_and_next(take(semaphore, 1), acquire(semaphore, 1), acquire(semaphore, 1));
        let ends = thread::spawn(move || semaphore.dismiss_all());
        watch(semaphore);
        ends.join().unwrap();
        // Each has the permit, or is told to enter again.
        for call in [absent, next] {
            match block_on(call) {
                Ok(held) => drop(held),
                Err(without) => assert_eq!(without, Without::Retry),
            }
        }
        assert_all_free(semaphore, 1);
    });
}

/// Returns whether a call waits behind an unclaimed grant, and no look is to come.
fn is_forgotten(semaphore: &'static Semaphore, watched: Option<&Watched>) -> bool {
    let state = semaphore.lock();
    let is_known = |(slot, grant)| watched.is_some_and(|watched| watched.knows(slot, grant));
    let is_unclaimed = state.queue.unclaimed().any(|grant| !is_known(grant));
    is_unclaimed && state.has_waiters() && state.look == Look::Off
}

#[test]
fn whoever_waits_behind_an_unclaimed_grant_is_watched() {
    model(|| {
        let semaphore = taking_back(bound(1));
        let held = take(semaphore, 1);
        let mut absent = acquire(semaphore, 1);
        assert!(poll_once(&mut absent).is_pending());
        let joins = thread::spawn(move || {
            let mut next = acquire(semaphore, 1);
            let polled = poll_once(&mut next);
            (polled, next)
        });
        drop(held);
        let next = joins.join().unwrap();
        assert!(!is_forgotten(semaphore, None));
        drop((absent, next));
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn a_look_against_a_call_that_joins_forgets_nobody() {
    model(|| {
        let semaphore = taking_back(bound(1));
        // It is watched: a call waits behind a grant. Then the grant is claimed, and another one is made.
        let mut first = granted(take(semaphore, 1), acquire(semaphore, 1));
        let mut absent = acquire(semaphore, 1);
        assert!(poll_once(&mut absent).is_pending());
        let held = match poll_once(&mut first) {
            std::task::Poll::Ready(held) => held.expect("it is let in"),
            std::task::Poll::Pending => unreachable!("it has been granted"),
        };
        let joins = thread::spawn(move || {
            drop(held);
            let mut next = acquire(semaphore, 1);
            let polled = poll_once(&mut next);
            (polled, next)
        });
        let now = Instant::now();
        let mut watched = Watched::new(semaphore);
        let is_watched = watched.look(now);
        let next = joins.join().unwrap();
        assert!(!is_forgotten(semaphore, is_watched.then_some(&watched)));
        drop((absent, next, first));
        assert_all_free(semaphore, 1);
    });
}
