//! Registries that pass on, with semaphores in use and without.

use super::*;
use crate::policy::Policy;
use crate::semaphore::{Held, NewBinding};
use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    /// The permits that are out, by semaphore.
    static HELD: RefCell<HashMap<usize, Held>> = RefCell::default();
}

/// Takes the only permit of the semaphore with this index.
fn take(epoch: EpochRef, index: usize) -> &'static Semaphore {
    let semaphore = epoch.semaphore(index);
    if let Some(wakers) = semaphore.bind(NewBinding::of(&Policy::PLAIN, 1)) {
        wakers.wake();
    }
    semaphore.serve_all();
    let held = semaphore.try_acquire(1, || epoch.is_current()).expect("it is free");
    HELD.with_borrow_mut(|all| all.insert(semaphore.id(), held));
    semaphore
}

fn release(semaphore: &Semaphore) {
    drop(HELD.with_borrow_mut(|all| all.remove(&semaphore.id())).expect("it is out"));
}

/// Ends a runtime with a permit out.
fn end_with_permit_out(runtimes: &Runtimes<u32>, runtime: u32, index: usize) -> &'static Semaphore {
    let epoch = runtimes.open(runtime);
    let semaphore = take(epoch, index);
    runtimes.retire(runtime, epoch);
    semaphore
}

fn registries(runtimes: &Runtimes<u32>) -> usize {
    lock(&runtimes.known).all.len()
}

#[test]
fn there_are_no_more_registries_than_lived_at_a_time_and_have_just_ended() {
    let runtimes = Runtimes::new(8);
    for runtime in 0..1000 {
        end_with_permit_out(&runtimes, runtime, 0);
    }
    let registries = registries(&runtimes);
    assert!(registries <= 9, "{registries}");
    assert_eq!(lock(&runtimes.known).detached.len(), 1000 - registries);
}

#[test]
fn a_registry_that_is_in_use_is_waited_for_a_while() {
    let runtimes = Runtimes::new(3);
    let semaphore = end_with_permit_out(&runtimes, 0, 5);
    for runtime in 1..=3 {
        runtimes.open(runtime);
    }
    assert_eq!(registries(&runtimes), 4, "it may be free again soon");
    release(semaphore);
    let epoch = runtimes.open(4);
    assert!(std::ptr::eq(epoch.semaphore(5), semaphore) && !epoch.registry.has_substitutes());
    assert_eq!(registries(&runtimes), 4);
}

#[test]
fn a_semaphore_is_at_its_own_position_again_when_the_permits_are_back() {
    let runtimes = Runtimes::new(1);
    let first = end_with_permit_out(&runtimes, 0, 5);
    runtimes.open(1);
    // Two registries exist now. This runtime has the first one.
    let epoch = runtimes.open(2);
    assert!(!std::ptr::eq(epoch.semaphore(5), first), "it is not this runtime's");
    let second = take(epoch, 5);
    assert!(std::ptr::eq(epoch.semaphore(4), epoch.registry.own(4)), "all others are");
    release(second);
    runtimes.retire(2, epoch);
    let epoch = runtimes.open(3);
    assert!(std::ptr::eq(epoch.semaphore(5), second), "it is still out");
    runtimes.retire(3, epoch);
    release(first);
    // One runtime sees that the permit is back, the next one that the position is free.
    let epoch = runtimes.open(4);
    assert!(std::ptr::eq(epoch.semaphore(5), first) && !epoch.registry.has_substitutes());
    // The substitute at that position may take another one.
    runtimes.retire(4, epoch);
    let first = end_with_permit_out(&runtimes, 5, 5);
    for runtime in 6..9 {
        runtimes.open(runtime);
    }
    let known = lock(&runtimes.known);
    assert_eq!(known.substitutes.numbers(5).len(), 1);
    assert_eq!(known.detached.len(), 1);
    drop(known);
    release(first);
}

#[test]
fn a_detached_semaphore_is_found_by_its_own_runtime() {
    let runtimes = Runtimes::new(1);
    let semaphore = end_with_permit_out(&runtimes, 0, 5);
    for runtime in 1..4 {
        runtimes.open(runtime);
    }
    assert!(runtimes.find_retired(0).is_none(), "its registry is another's");
    let late = [10, 0].map(|runtime| (runtime, runtimes.open(runtime)));
    for (runtime, epoch) in late {
        runtimes.retire(runtime, epoch);
    }
    for (runtime, is_its_own) in [(10, false), (0, true), (10, false), (0, true)] {
        let found = runtimes.find_retired(runtime).expect("it has just ended");
        assert_eq!(std::ptr::eq(found.semaphore(5), semaphore), is_its_own, "{runtime}");
    }
}

#[test]
fn a_substitute_that_gives_way_to_a_detached_semaphore_takes_another_position() {
    let runtimes = Runtimes::new(1);
    let semaphore = end_with_permit_out(&runtimes, 0, 5);
    runtimes.open(1);
    let epoch = runtimes.open(2);
    runtimes.retire(2, epoch);
    // This is the former registry, with the substitute at the position.
    let epoch = runtimes.open(0);
    runtimes.retire(0, epoch);
    let late = runtimes.find_retired(0).expect("it has just ended");
    assert!(std::ptr::eq(late.registry, epoch.registry));
    assert!(std::ptr::eq(late.semaphore(5), semaphore));
    end_with_permit_out(&runtimes, 3, 5);
    for runtime in 4..8 {
        runtimes.open(runtime);
    }
    assert_eq!(lock(&runtimes.known).detached.len(), 2);
    assert_eq!(lock(&runtimes.known).substitutes.numbers(5).len(), 2, "one for each");
    release(semaphore);
}
