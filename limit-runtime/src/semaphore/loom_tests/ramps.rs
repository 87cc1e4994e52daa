//! A ticker beside calls that come, go and give up. The ramp lasts for ever, because a model has no clock: what is let in
//! when is tested without threads.

use super::{acquire, model, poll_once, set_limit};
use crate::policy::Policy;
use crate::semaphore::{NewBinding, Semaphore, Tick};
use loom::future::block_on;
use loom::thread;
use std::task::Waker;
use std::time::Duration;

/// Makes a semaphore of which one permit is let in.
fn ramping(limit: u32) -> &'static Semaphore {
    let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
    let binding = NewBinding { ramp: Some(Duration::MAX), ..NewBinding::of(&Policy::PLAIN, limit) };
    semaphore.bind(binding).expect("it is the first").wake();
    semaphore.serve_all();
    semaphore
}

/// Ticks once, as a thread that blocks does, and goes.
fn tick(semaphore: &'static Semaphore) {
    if let Some(ticker) = semaphore.add_ticker(None) {
        // It sleeps if a call waits, and ends if none does.
        assert!(matches!(ticker.tick(Waker::noop()), Tick::Until(Some(_)) | Tick::Done));
    }
}

fn assert_idle(semaphore: &'static Semaphore) {
    let usage = semaphore.read(&mut Vec::new()).usage;
    assert_eq!((usage.limit, usage.in_use, usage.waiting), (3, 0, 0));
    assert_eq!(usage.withheld, 2);
    drop(block_on(acquire(semaphore, 1)).expect("one is let in"));
}

#[test]
fn a_permit_that_comes_back_serves_a_waiter_beside_a_ticker_that_comes_and_goes() {
    model(|| {
        let semaphore = ramping(3);
        let held = block_on(acquire(semaphore, 1)).expect("one is let in");
        let waits = thread::spawn(move || drop(block_on(acquire(semaphore, 1)).expect("served")));
        let ticks = thread::spawn(move || tick(semaphore));
        drop(held);
        waits.join().unwrap();
        ticks.join().unwrap();
        assert_idle(semaphore);
    });
}

#[test]
fn a_call_that_gives_up_leaves_its_permit_to_another_beside_a_ticker() {
    model(|| {
        let semaphore = ramping(3);
        let leaves = thread::spawn(move || {
            let mut call = acquire(semaphore, 1);
            // It is served, or waits. It leaves in any case.
            drop(poll_once(&mut call));
            drop(call);
        });
        let ticks = thread::spawn(move || tick(semaphore));
        drop(block_on(acquire(semaphore, 1)).expect("served"));
        leaves.join().unwrap();
        ticks.join().unwrap();
        assert_idle(semaphore);
    });
}

#[test]
fn a_limit_that_is_raised_from_0_lets_one_in_beside_a_ticker() {
    model(|| {
        let semaphore = ramping(0);
        let waits = thread::spawn(move || drop(block_on(acquire(semaphore, 1)).expect("served")));
        let ticks = thread::spawn(move || tick(semaphore));
        set_limit(semaphore, 3);
        waits.join().unwrap();
        ticks.join().unwrap();
        assert_idle(semaphore);
    });
}
