//! Registries that pass on, with semaphores in use and without.

use super::*;
use crate::policy::Policy;
use crate::semaphore::Held;
use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    /// The permits that are out, by their semaphore.
    static HELD: RefCell<HashMap<usize, Held>> = RefCell::default();
}

/// Takes the one permit of the semaphore with that index.
fn take(lease: EpochRef, index: usize) -> &'static Semaphore {
    let semaphore = lease.semaphore(index);
    if let Some(wakers) = semaphore.bind(&Policy::PLAIN, 1, None, false, None, 0) {
        wakers.wake();
    }
    semaphore.serve_all();
    let held = semaphore.try_acquire(1, || lease.is_current()).expect("it is free");
    HELD.with_borrow_mut(|all| all.insert(semaphore.id(), held));
    semaphore
}

fn release(semaphore: &Semaphore) {
    drop(HELD.with_borrow_mut(|all| all.remove(&semaphore.id())).expect("it is out"));
}

/// A runtime that ends with a permit out.
fn forgets(runtimes: &Runtimes<u32>, runtime: u32, index: usize) -> &'static Semaphore {
    let lease = runtimes.open(runtime);
    let semaphore = take(lease, index);
    runtimes.retire(runtime, lease);
    semaphore
}

fn registries(runtimes: &Runtimes<u32>) -> usize {
    lock(&runtimes.known).all.len()
}

#[test]
fn there_are_no_more_registries_than_lived_at_a_time_and_have_just_ended() {
    let runtimes = Runtimes::new(8);
    for runtime in 0..1000 {
        forgets(&runtimes, runtime, 0);
    }
    let registries = registries(&runtimes);
    assert!(registries <= 9, "{registries}");
    assert_eq!(lock(&runtimes.known).detached.len(), 1000 - registries);
}

#[test]
fn a_registry_that_is_in_use_is_waited_for_a_while() {
    let runtimes = Runtimes::new(3);
    let semaphore = forgets(&runtimes, 0, 5);
    for runtime in 1..=3 {
        runtimes.open(runtime);
    }
    assert_eq!(registries(&runtimes), 4, "it may be free again soon");
    release(semaphore);
    let lease = runtimes.open(4);
    assert!(std::ptr::eq(lease.semaphore(5), semaphore) && !lease.registry.has_substitutes());
    assert_eq!(registries(&runtimes), 4);
}

#[test]
fn a_place_is_its_own_again_when_the_permits_are_back() {
    let runtimes = Runtimes::new(1);
    let first = forgets(&runtimes, 0, 5);
    runtimes.open(1);
    // There are two now, of which this has the first.
    let lease = runtimes.open(2);
    assert!(!std::ptr::eq(lease.semaphore(5), first), "it is not this runtime's");
    let second = take(lease, 5);
    assert!(std::ptr::eq(lease.semaphore(4), lease.registry.own(4)), "all others are");
    release(second);
    runtimes.retire(2, lease);
    let lease = runtimes.open(3);
    assert!(std::ptr::eq(lease.semaphore(5), second), "it is still out");
    runtimes.retire(3, lease);
    release(first);
    // It is seen that it is back, and then that its place is free.
    let lease = runtimes.open(4);
    assert!(std::ptr::eq(lease.semaphore(5), first) && !lease.registry.has_substitutes());
    // Who took its place may take another's.
    runtimes.retire(4, lease);
    let first = forgets(&runtimes, 5, 5);
    for runtime in 6..9 {
        runtimes.open(runtime);
    }
    let known = lock(&runtimes.known);
    assert_eq!(known.substitutes.made(5).len(), 1);
    assert_eq!(known.detached.len(), 1);
    drop(known);
    release(first);
}

#[test]
fn what_was_detached_is_found_by_its_own_runtime() {
    let runtimes = Runtimes::new(1);
    let semaphore = forgets(&runtimes, 0, 5);
    for runtime in 1..4 {
        runtimes.open(runtime);
    }
    assert!(runtimes.find_retired(0).is_none(), "its registry is another's");
    let late = [10, 0].map(|runtime| (runtime, runtimes.open(runtime)));
    for (runtime, lease) in late {
        runtimes.retire(runtime, lease);
    }
    for (runtime, is_its_own) in [(10, false), (0, true), (10, false), (0, true)] {
        let found = runtimes.find_retired(runtime).expect("it has just ended");
        assert_eq!(std::ptr::eq(found.semaphore(5), semaphore), is_its_own, "{runtime}");
    }
}

#[test]
fn a_substitute_that_gives_way_to_what_was_detached_takes_another_place() {
    let runtimes = Runtimes::new(1);
    let semaphore = forgets(&runtimes, 0, 5);
    runtimes.open(1);
    let lease = runtimes.open(2);
    runtimes.retire(2, lease);
    // The registry that it had, with the substitute in the place.
    let lease = runtimes.open(0);
    runtimes.retire(0, lease);
    let late = runtimes.find_retired(0).expect("it has just ended");
    assert!(std::ptr::eq(late.registry, lease.registry));
    assert!(std::ptr::eq(late.semaphore(5), semaphore));
    forgets(&runtimes, 3, 5);
    for runtime in 4..8 {
        runtimes.open(runtime);
    }
    assert_eq!(lock(&runtimes.known).detached.len(), 2);
    assert_eq!(lock(&runtimes.known).substitutes.made(5).len(), 2, "one for each");
    release(semaphore);
}
