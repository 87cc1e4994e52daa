//! Parts of the permits are guaranteed to shares of the calls.

use super::{Call, Claim, acquire, model, set_limit};
use crate::policy::Policy;
use crate::semaphore::{NewBinding, Semaphore, ShareNumber};
use crate::share::Share;
use loom::future::block_on;
use loom::thread;

const SHARES: &[Share] = &[Share::new("one", 50).reserved(), Share::new("other", 50)];
static ONE: ShareNumber = ShareNumber(0);
static OTHER: ShareNumber = ShareNumber(1);

fn shared(limit: u32) -> &'static Semaphore {
    let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
    assert!(matches!(semaphore.claim(1, None), Claim::Ours));
    let binding = NewBinding { shares: SHARES, ..NewBinding::of(&Policy::PLAIN, limit) };
    semaphore.bind(binding).expect("it is the first").wake();
    semaphore.serve_all();
    semaphore
}

fn of(semaphore: &'static Semaphore, share: &'static ShareNumber) -> Call {
    let mut call = acquire(semaphore, 1);
    call.key = Some(share);
    call
}

fn assert_idle(semaphore: &'static Semaphore) {
    let reading = semaphore.read(&mut Vec::new());
    assert_eq!((reading.usage.in_use, reading.usage.waiting), (0, 0));
    assert!(reading.shares.iter().all(|share| (share.in_use, share.waiting) == (0, 0)));
}

#[test]
fn a_permit_that_comes_back_goes_to_whichever_share_waits() {
    model(|| {
        let semaphore = shared(1);
        let first = thread::spawn(move || drop(block_on(of(semaphore, &ONE)).expect("served")));
        let second = thread::spawn(move || drop(block_on(of(semaphore, &OTHER)).expect("served")));
        first.join().unwrap();
        second.join().unwrap();
        assert_idle(semaphore);
    });
}

#[test]
fn a_call_that_leaves_hands_its_permit_to_another_share() {
    model(|| {
        let semaphore = shared(2);
        let held = block_on(of(semaphore, &OTHER)).expect("one is not reserved");
        let leaving = thread::spawn(move || {
            let mut call = of(semaphore, &OTHER);
            // It is served meanwhile, or waits. It leaves in any case.
            drop(super::poll_once(&mut call));
            drop(call);
        });
        let staying = thread::spawn(move || drop(block_on(of(semaphore, &OTHER)).expect("served")));
        drop(held);
        leaving.join().unwrap();
        staying.join().unwrap();
        assert_idle(semaphore);
    });
}

#[test]
fn shares_that_wait_follow_the_limit() {
    model(|| {
        let semaphore = shared(0);
        let first = thread::spawn(move || drop(block_on(of(semaphore, &ONE)).expect("served")));
        let second = thread::spawn(move || drop(block_on(of(semaphore, &OTHER)).expect("served")));
        set_limit(semaphore, 1);
        first.join().unwrap();
        second.join().unwrap();
        assert_idle(semaphore);
    });
}
