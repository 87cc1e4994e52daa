//! Limits that change, or are not known yet.

use super::{Without, acquire, assert_all_free, bind, bound, enter, model, set_limit};
use crate::rejected::RejectedKind;
use crate::semaphore::{Entered, NO_SLOT, Semaphore};
use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

#[test]
fn lowering_and_raising_against_release_and_acquire_loses_nothing() {
    model(|| {
        let semaphore = bound(2);
        assert!(semaphore.try_acquire(2, || true));
        let releaser = thread::spawn(move || {
            semaphore.release(1, NO_SLOT);
            semaphore.release(1, NO_SLOT);
        });
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
        assert!(semaphore.try_acquire(1, || true));
        let heavy = thread::spawn(move || match block_on(acquire(semaphore, 2)) {
            Ok(_held) => {}
            Err(without) => assert_eq!(without, Without::Refused(RejectedKind::TooHeavy)),
        });
        set_limit(semaphore, 1);
        semaphore.release(1, NO_SLOT);
        heavy.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn a_first_caller_binds_and_the_others_wait_for_it() {
    model(|| {
        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
        let bindings = Arc::new(AtomicUsize::new(0));
        let call = move |bindings: Arc<AtomicUsize>| {
            loop {
                match block_on(acquire(semaphore, 1)) {
                    Ok(held) => break drop(held),
                    Err(_) => {
                        bindings.fetch_add(1, Ordering::Relaxed);
                        bind(semaphore, 1);
                    }
                }
            }
        };
        let other = {
            let bindings = Arc::clone(&bindings);
            thread::spawn(move || call(bindings))
        };
        call(Arc::clone(&bindings));
        other.join().unwrap();
        assert_eq!(bindings.load(Ordering::Relaxed), 1, "found out once");
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
                    semaphore.try_acquire(1, || true)
                        || matches!(enter(semaphore, || true), Entered::Admitted { .. })
                }
                entered => matches!(entered, Entered::Admitted { .. }),
            };
            assert!(held, "there is a permit for each");
        };
        let other = thread::spawn(call);
        call();
        other.join().unwrap();
        semaphore.release(2, NO_SLOT);
        assert_all_free(semaphore, 2);
    });
}

#[test]
fn a_claim_given_up_is_taken_by_a_waiter() {
    model(|| {
        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
        assert!(matches!(enter(semaphore, || true), Entered::Unbound));
        let other = thread::spawn(move || {
            loop {
                match block_on(acquire(semaphore, 1)) {
                    Ok(held) => break drop(held),
                    // In the queue of one who then gave up, or the first to come after that.
                    Err(_) => bind(semaphore, 1),
                }
            }
        });
        semaphore.unclaim();
        other.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}
