//! Registries that pass from one runtime to the next.

use super::{bind, enter, model};
use crate::policy::Request;
use crate::registry::{EpochRef, Runtimes};
use crate::semaphore::{Came, Entered, Held, Unserved, Waiter};
use loom::future::block_on;
use loom::thread;
use std::future::poll_fn;
use std::task::Poll;

/// Takes a permit of the one semaphore in a runtime's registry.
fn try_on(lease: EpochRef) -> Option<Held> {
    let semaphore = lease.semaphore(0);
    loop {
        if let Some(held) = semaphore.try_acquire(1, || lease.is_current()) {
            return Some(held);
        }
        match enter(semaphore, || lease.is_current()) {
            Entered::Admitted(held) => return Some(held),
            Entered::Unbound => bind(semaphore, 1),
            _ => return None,
        }
    }
}

/// Makes registries. A retired one that is in use passes on after `patience` others, without the
/// semaphores that are in use.
fn runtimes(patience: usize) -> &'static Runtimes<u8> {
    Box::leak(Box::new(Runtimes::new(patience)))
}

#[test]
fn a_call_on_an_ended_runtime_never_takes_the_permit_of_the_next() {
    never_takes_the_permit_of_the_next(8);
}

#[test]
fn nor_if_the_next_takes_the_registry_while_the_call_is_under_way() {
    never_takes_the_permit_of_the_next(0);
}

fn never_takes_the_permit_of_the_next(patience: usize) {
    model(move || {
        let runtimes = runtimes(patience);
        let first = runtimes.open(1);
        drop(try_on(first));
        let late = thread::spawn(move || {
            // Still under way on runtime 1 when that ends.
            let held = try_on(first);
            let taken = held.is_some();
            (held, taken)
        });
        runtimes.retire(1, first);
        let second = runtimes.open(2);
        // The late call may hold a permit, but not one of runtime 2.
        let held = try_on(second);
        assert!(held.is_some(), "runtime 2 has its one permit");
        let (late, _) = late.join().unwrap();
        if let Some(late) = &late {
            assert!(!std::ptr::eq(late.semaphore(), second.semaphore(0)));
        }
        drop((late, held));
    });
}

/// The call has found the registry when its runtime had ended.
#[test]
fn a_call_on_a_closing_runtime_never_takes_the_permit_of_the_next() {
    model(|| {
        let runtimes: &'static Runtimes<u8> = Box::leak(Box::new(Runtimes::new(8)));
        let first = runtimes.open(1);
        assert!(runtimes.confirm(1, first));
        drop(try_on(first));
        runtimes.retire(1, first);
        let closing = runtimes.find_retired(1).expect("no other has taken it");
        let late = thread::spawn(move || try_on(closing));
        let second = runtimes.open(2);
        let held = try_on(second);
        assert!(held.is_some(), "runtime 2 has its one permit");
        let late = late.join().unwrap();
        if let Some(late) = &late {
            assert!(!std::ptr::eq(late.semaphore(), second.semaphore(0)));
        }
        drop((late, held));
    });
}

/// Does what `registry::of_runtime` does on a runtime that is closing, which drops each guard inside
/// `spawn`.
fn of_closing_runtime(runtimes: &Runtimes<u8>, runtime: u8) -> EpochRef {
    loop {
        if let Some(lease) = runtimes.find(runtime) {
            return lease;
        }
        let lease = runtimes.open(runtime);
        runtimes.retire(runtime, lease);
        assert!(!runtimes.confirm(runtime, lease), "the guard has been dropped");
        if let Some(lease) = runtimes.find_retired(runtime) {
            return lease;
        }
    }
}

#[test]
fn calls_on_a_closing_runtime_are_held_to_its_limit() {
    model(|| {
        let runtimes = runtimes(8);
        let lease = runtimes.open(1);
        assert!(runtimes.confirm(1, lease));
        let held = try_on(lease);
        assert!(held.is_some());
        runtimes.retire(1, lease);
        let late = thread::spawn(move || {
            let lease = of_closing_runtime(runtimes, 1);
            assert!(try_on(lease).is_none(), "a second permit of limit 1");
        });
        let lease = of_closing_runtime(runtimes, 1);
        assert!(try_on(lease).is_none(), "a second permit of limit 1");
        late.join().unwrap();
        drop(held);
    });
}

#[test]
fn a_late_call_has_a_permit_of_its_own_runtime_or_looks_again_when_the_next_takes_the_registry() {
    for patience in [0, 8] {
        model(move || {
            let runtimes = runtimes(patience);
            let first = runtimes.open(1);
            drop(try_on(first));
            runtimes.retire(1, first);
            let closing = runtimes.find_retired(1).expect("nobody has taken it");
            let late = thread::spawn(move || try_on(closing));
            let second = runtimes.open(2);
            let held = try_on(second);
            assert!(held.is_some(), "runtime 2 has its one permit");
            let late = late.join().unwrap();
            if let Some(late) = &late {
                assert!(!std::ptr::eq(late.semaphore(), second.semaphore(0)));
            }
            drop((late, held));
        });
    }
}

/// Runs a call on a closing runtime, until the registry does not pass on meanwhile.
fn try_on_closing(runtimes: &'static Runtimes<u8>, runtime: u8) -> Option<Held> {
    loop {
        let lease = of_closing_runtime(runtimes, runtime);
        let held = try_on(lease);
        if held.is_some() || lease.is_current() {
            return held;
        }
    }
}

#[test]
fn calls_on_a_closing_runtime_are_held_to_its_limit_when_its_registry_has_passed_on() {
    model(|| {
        let runtimes = runtimes(0);
        let lease = runtimes.open(1);
        let held = try_on(lease);
        assert!(held.is_some());
        runtimes.retire(1, lease);
        let late = thread::spawn(move || {
            assert!(try_on_closing(runtimes, 1).is_none(), "a second permit of limit 1");
        });
        let second = runtimes.open(2);
        let of_second = try_on(second);
        assert!(of_second.is_some(), "runtime 2 has its one permit");
        assert!(try_on(second).is_none(), "and no other");
        late.join().unwrap();
        drop(held);
        let held = try_on_closing(runtimes, 1);
        assert!(held.is_some(), "the permit is back");
        assert!(try_on_closing(runtimes, 1).is_none(), "a second permit of limit 1");
        drop((held, of_second));
    });
}

#[test]
fn a_permit_that_comes_back_while_its_registry_passes_on_is_free_once() {
    model(|| {
        let runtimes = runtimes(0);
        let first = runtimes.open(1);
        let held = try_on(first);
        runtimes.retire(1, first);
        let holder = thread::spawn(move || drop(held));
        let second = runtimes.open(2);
        let of_second = try_on(second);
        assert!(of_second.is_some() && try_on(second).is_none());
        holder.join().unwrap();
        drop(of_second);
        runtimes.retire(2, second);
        // The permits of all registries are free, whichever runtime had which.
        let third = runtimes.open(3);
        let of_third = try_on(third);
        assert!(of_third.is_some() && try_on(third).is_none());
        drop(of_third);
    });
}

#[test]
fn a_waiter_of_a_retired_runtime_is_woken_to_ask_again() {
    model(|| {
        let runtimes = runtimes(8);
        let lease = runtimes.open(1);
        let semaphore = lease.semaphore(0);
        let _held = try_on(lease).expect("the first");
        let waiter = thread::spawn(move || {
            let mut waiter: Option<Waiter> = None;
            block_on(poll_fn(|context| {
                let waker = context.waker();
                if let Some(waiter) = &mut waiter {
                    return waiter.poll(waker, || unreachable!("no permit comes back")).map(
                        |ended| {
                            assert!(matches!(ended, Err(Unserved::Retry)), "{ended:?}");
                        },
                    );
                }
                match semaphore.enter(Request::ONE, None, Ok(waker), &mut Came::default(), || {
                    lease.is_current()
                }) {
                    Entered::Queued(waits) => {
                        waiter = Some(waits);
                        Poll::Pending
                    }
                    Entered::Stale => Poll::Ready(()),
                    other => panic!("{other:?}"),
                }
            }));
        });
        runtimes.retire(1, lease);
        waiter.join().unwrap();
        assert_eq!(semaphore.read(&mut Vec::new()).usage.waiting, 0);
    });
}
