//! Limits that change, or are not known yet.

use super::{
    Without, acquire, assert_all_free, bind, bound, enter, model, poll_once, set_limit, take,
};
use crate::rejected::RejectedKind;
use crate::semaphore::{Claim, Entered, Semaphore};
use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

#[test]
fn lowering_and_raising_against_release_and_acquire_loses_nothing() {
    model(|| {
        let semaphore = bound(2);
        let held = [take(semaphore, 1), take(semaphore, 1)];
        let releaser = thread::spawn(move || held.into_iter().for_each(drop));
        let caller = thread::spawn(move || drop(block_on(acquire(semaphore, 1))));
        set_limit(semaphore, 1);
        set_limit(semaphore, 2);
        releaser.join().unwrap();
        caller.join().unwrap();
        assert_all_free(semaphore, 2);
    });
}

#[test]
fn a_waiter_at_limit_zero_runs_when_it_is_raised() {
    model(|| {
        let semaphore = bound(0);
        let waiter = thread::spawn(move || drop(block_on(acquire(semaphore, 1))));
        set_limit(semaphore, 1);
        waiter.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn whoever_is_too_heavy_for_a_lowered_limit_is_told() {
    model(|| {
        let semaphore = bound(2);
        let held = take(semaphore, 1);
        let heavy = thread::spawn(move || match block_on(acquire(semaphore, 2)) {
            Ok(_held) => {}
            Err(without) => assert_eq!(without, Without::Refused(RejectedKind::TooHeavy)),
        });
        set_limit(semaphore, 1);
        drop(held);
        heavy.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}

/// Runs a call, which resolves the limit if it is to. Counts that.
fn call_that_binds(semaphore: &'static Semaphore, bindings: &AtomicUsize) {
    loop {
        match block_on(acquire(semaphore, 1)) {
            Ok(held) => return drop(held),
            Err(Without::Limit) => {
                bindings.fetch_add(1, Ordering::Relaxed);
                bind(semaphore, 1);
            }
            Err(without) => assert_eq!(without, Without::Retry),
        }
    }
}

#[test]
fn a_first_caller_binds_and_the_others_wait_for_it() {
    model(|| {
        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
        let bindings = Arc::new(AtomicUsize::new(0));
        let other = {
            let bindings = Arc::clone(&bindings);
            thread::spawn(move || call_that_binds(semaphore, &bindings))
        };
        call_that_binds(semaphore, &bindings);
        other.join().unwrap();
        assert_eq!(bindings.load(Ordering::Relaxed), 1, "found out once");
        let reading = semaphore.read(&mut Vec::new());
        assert_eq!(reading.current.cancelled, 0, "to wait for the limit is not counted");
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn a_call_that_waits_for_the_limit_may_go_while_it_is_found_out() {
    model(|| {
        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
        assert!(matches!(semaphore.claim(1, None), Claim::Ours));
        let mut goes = acquire(semaphore, 1);
        assert!(poll_once(&mut goes).is_pending());
        let goes = thread::spawn(move || drop(goes));
        bind(semaphore, 1);
        goes.join().unwrap();
        let reading = semaphore.read(&mut Vec::new());
        assert_eq!((reading.current.cancelled, reading.current.most_waiting), (0, 0));
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn whoever_cannot_wait_for_the_first_caller_binds_as_well() {
    model(|| {
        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
        let call = move || {
            let held = match enter(semaphore, || true) {
                Entered::Unbound => {
                    bind(semaphore, 2);
                    enter(semaphore, || true)
                }
                entered => entered,
            };
            let Entered::Admitted(held) = held else { panic!("there is a permit for each") };
            held
        };
        let other = thread::spawn(call);
        let held = call();
        drop((held, other.join().unwrap()));
        assert_all_free(semaphore, 2);
    });
}

#[test]
fn a_semaphore_whose_limit_is_being_found_out_is_not_passed_on() {
    model(|| {
        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
        assert!(matches!(semaphore.claim(1, None), Claim::Ours));
        let other = thread::spawn(move || {
            assert!(!semaphore.is_idle());
            assert!(!semaphore.unbind(false, &mut Vec::new()));
        });
        other.join().unwrap();
        bind(semaphore, 1);
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn a_claim_given_up_is_taken_by_a_waiter() {
    model(|| {
        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
        assert!(matches!(semaphore.claim(1, None), Claim::Ours));
        let bindings = Arc::new(AtomicUsize::new(0));
        let other = {
            let bindings = Arc::clone(&bindings);
            thread::spawn(move || call_that_binds(semaphore, &bindings))
        };
        semaphore.unclaim();
        other.join().unwrap();
        assert_eq!(bindings.load(Ordering::Relaxed), 1);
        assert_all_free(semaphore, 1);
    });
}
