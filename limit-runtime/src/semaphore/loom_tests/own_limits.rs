//! Limits of single keys, which are set while calls come.

use super::policies::{KEYED, ONE, of_key};
use super::{bound_to, model};
use crate::semaphore::{KeyName, OwnLimits, Semaphore};
use loom::future::block_on;
use loom::thread;
use std::sync::Arc;

/// Gives the key [`ONE`] a limit of its own, or takes it back.
fn set_own_limit(semaphore: &'static Semaphore, limit: Option<u32>) {
    let table = limit.map(|limit| {
        let mut table = OwnLimits::default();
        table.add(&KeyName::Text(String::from("1")), limit);
        Arc::new(table)
    });
    semaphore.set_own_limits(table).wake();
    semaphore.serve_all();
}

#[test]
fn a_call_is_let_in_when_the_limit_of_its_key_is_raised_whenever_it_comes() {
    model(|| {
        let semaphore = bound_to(1, &KEYED);
        let held = block_on(of_key(semaphore, &ONE)).expect("it is free");
        let caller = thread::spawn(move || {
            // Nobody gives a permit back: the key gets another one.
            drop(block_on(of_key(semaphore, &ONE)).expect("nobody is refused"));
        });
        set_own_limit(semaphore, Some(2));
        caller.join().unwrap();
        drop(held);
        assert!(semaphore.is_idle());
    });
}

#[test]
fn a_key_that_comes_while_its_pause_ends_is_not_kept() {
    model(|| {
        let semaphore = bound_to(1, &KEYED);
        set_own_limit(semaphore, Some(0));
        let caller = thread::spawn(move || {
            drop(block_on(of_key(semaphore, &ONE)).expect("nobody is refused"));
        });
        set_own_limit(semaphore, None);
        caller.join().unwrap();
        assert!(semaphore.is_idle());
    });
}
