//! Limits that adapt: members of a cohort come and go while the limit changes.
//!
//! The real clock decides nothing here: a cohort has more members than there are calls.

use super::{acquire, assert_all_free, model, set_limit, take};
use crate::adaptive::Adaptation;
use crate::policy::Policy;
use crate::semaphore::{Held, NewBinding, Semaphore};
use loom::future::block_on;
use loom::thread;
use std::time::Duration;

const RANGE: Adaptation = Adaptation { low: 1, high: 4, start: None, advises: false, favor: None };

fn adaptive(start: u32) -> &'static Semaphore {
    let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
    let binding = NewBinding::of(&Policy::PLAIN, start);
    let binding = NewBinding { adapting: Some((RANGE, None)), ..binding };
    semaphore.bind(binding).expect("it is the first").wake();
    semaphore.serve_all();
    semaphore
}

/// Holds the limit, so that no call is a member any more.
fn hold(semaphore: &'static Semaphore, limit: u32) {
    semaphore.set_adapting(Some((RANGE, Some(limit)))).wake();
    set_limit(semaphore, limit);
}

fn overloaded(held: Held) {
    let mut permits = held.into_permits();
    permits.mark_overloaded(Duration::ZERO);
    permits.give_back();
}

#[test]
fn a_member_gives_its_permits_back_once_while_others_come() {
    model(|| {
        let semaphore = adaptive(1);
        let held = take(semaphore, 1);
        let member = thread::spawn(move || drop(block_on(acquire(semaphore, 1))));
        let other = thread::spawn(move || drop(block_on(acquire(semaphore, 1))));
        drop(held);
        member.join().unwrap();
        other.join().unwrap();
        hold(semaphore, 1);
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn calls_are_sent_to_the_lock_while_others_are_on_the_fast_path() {
    model(|| {
        let semaphore = adaptive(2);
        let held = take(semaphore, 1);
        let fast = thread::spawn(move || drop(block_on(acquire(semaphore, 1))));
        // From now on each call is a member.
        overloaded(held);
        overloaded(block_on(acquire(semaphore, 1)).expect("it may wait"));
        fast.join().unwrap();
        hold(semaphore, 2);
        assert_all_free(semaphore, 2);
    });
}

#[test]
fn a_limit_that_is_held_meanwhile_loses_no_member() {
    model(|| {
        let semaphore = adaptive(1);
        let held = take(semaphore, 1);
        let member = thread::spawn(move || drop(block_on(acquire(semaphore, 1))));
        hold(semaphore, 2);
        semaphore.set_adapting(Some((RANGE, None))).wake();
        semaphore.serve_all();
        drop(held);
        member.join().unwrap();
        hold(semaphore, 2);
        assert_all_free(semaphore, 2);
    });
}
