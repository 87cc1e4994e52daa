//! The refusal of a call that waits never hits the next one in its place.

use crate::diagnostics::record;
use crate::limiter::Limiter;
use crate::recorder::Record;
use crate::recorder::slots;
use crate::rejected::Rejected;
use crate::semaphore::Semaphore;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

/// Calls a function when the last of its wakers is dropped.
struct OnDrop(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Wake for OnDrop {
    fn wake(self: Arc<Self>) {}
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        let hook = self.0.get_mut().expect("no panic").take();
        hook.expect("it is dropped once")();
    }
}

fn limiter() -> (&'static Limiter<Rejected>, &'static Semaphore) {
    record(true);
    let limiter = Limiter::named("refused-places".to_owned(), 1).max_waiting(9);
    let limiter: &'static _ = Box::leak(Box::new(limiter));
    drop(limiter.try_acquire().expect("free"));
    let semaphores = limiter.engine().semaphores();
    let semaphore = semaphores.into_iter().next().expect("it has been used");
    (limiter, semaphore)
}

/// Returns the record of the call that waits.
fn waiter(semaphore: &Semaphore) -> Record {
    let waits = |record: &Record| !record.info.holds && record.info.semaphore == semaphore.id();
    let mut all = slots::all().filter(waits);
    let waiter = all.next().expect("a call waits");
    assert!(all.next().is_none(), "one call waits");
    waiter
}

fn poll(future: Pin<&mut impl Future>, waker: &Waker) -> bool {
    future.poll(&mut Context::from_waker(waker)).is_ready()
}

fn refuse(semaphore: &'static Semaphore, waiter: &Record) -> bool {
    let slot = waiter.info.slot.expect("it waits in a queue");
    semaphore.refuse_waiter(slot, || waiter.is_unchanged())
}

#[test]
fn a_call_that_waits_can_be_refused() {
    let (limiter, semaphore) = limiter();
    let _held = limiter.try_acquire().expect("free");
    let mut waits = pin!(limiter.acquire());
    assert!(!poll(waits.as_mut(), Waker::noop()));
    assert!(refuse(semaphore, &waiter(semaphore)));
    let result = waits.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(result, std::task::Poll::Ready(Err(_))));
}

#[test]
fn a_call_that_takes_the_place_of_one_that_is_dropped_is_not_refused() {
    let (limiter, semaphore) = limiter();
    let held = limiter.try_acquire().expect("free");
    let old = Arc::new(Mutex::new(None::<Record>));
    let (known, is_passed) = (Arc::clone(&old), Arc::new(AtomicBool::new(false)));
    let passes = Arc::clone(&is_passed);
    // Runs when the place of the first call is free, in the midst of its drop.
    let hook = move || {
        let old = known.lock().expect("no panic").expect("it has waited");
        let mut next = Box::pin(limiter.acquire());
        assert!(!poll(next.as_mut(), Waker::noop()));
        assert_eq!(waiter(semaphore).info.slot, old.info.slot, "it has the place");
        assert!(!refuse(semaphore, &old));
        assert!(!poll(next.as_mut(), Waker::noop()), "it waits on");
        passes.store(true, Ordering::Relaxed);
    };
    let waker = Waker::from(Arc::new(OnDrop(Mutex::new(Some(Box::new(hook))))));
    let mut first = Box::pin(limiter.acquire());
    assert!(!poll(first.as_mut(), &waker));
    drop(waker);
    *old.lock().expect("no panic") = Some(waiter(semaphore));
    drop(first);
    assert!(is_passed.load(Ordering::Relaxed), "the panics of a waker end where it is dropped");
    drop(held);
}

#[test]
fn a_call_that_is_polled_again_is_not_refused_by_what_was_seen_before() {
    let (limiter, semaphore) = limiter();
    let held = limiter.try_acquire().expect("free");
    let mut waits = Box::pin(limiter.acquire());
    assert!(!poll(waits.as_mut(), Waker::noop()));
    let before = waiter(semaphore);
    assert!(!poll(waits.as_mut(), Waker::noop()));
    // In the poll it may have left its place.
    assert!(!refuse(semaphore, &before));
    assert!(refuse(semaphore, &waiter(semaphore)));
    drop(held);
}
