//! A dropped limiter leaves nothing to the limiter that reuses its slot.

use crate::listening::heard;
use limit_runtime::{Limiter, LimiterHandle, Permit, Rejected, RejectedKind, find};
use limit_tests::polling::{at_once, let_in, permit, refused};
use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;
use tokio_test::task;

/// An action of a handle.
type Set = fn(&LimiterHandle);

/// The actions of a handle, each with the action that must come first so that it changes something.
const SETTERS: [(&str, Set, Set); 11] = [
    ("set_limit", |_| {}, |handle| handle.set_limit(9)),
    ("set_total", |_| {}, |handle| handle.set_total(0).expect("it has keys")),
    ("set_enabled", |_| {}, |handle| handle.set_enabled(false)),
    ("set_shadow", |_| {}, |handle| handle.set_shadow(true).expect("it can be refused")),
    ("set_max_waiting", |_| {}, |handle| handle.set_max_waiting(7).expect("it can be refused")),
    (
        "set_max_wait",
        |_| {},
        |handle| {
            handle.set_max_wait(Duration::from_secs(7)).expect("it can be refused");
        },
    ),
    ("reset", |handle| handle.set_limit(9), LimiterHandle::reset),
    ("close", |_| {}, close),
    ("reopen", close, LimiterHandle::reopen),
    ("subscribe", |_| {}, |handle| drop(handle.subscribe())),
    ("drain", |_| {}, |handle| assert_eq!(at_once(handle.drain()), 0)),
];

fn close(handle: &LimiterHandle) {
    handle.close().expect("it can be refused");
}

/// Returns the handle of a dropped limiter and the limiters that came after it. One of them most
/// likely has its slot; other tests take slots too.
fn stale(setter: &str, before: Set) -> (LimiterHandle, Vec<Limiter<Rejected>>) {
    let name = format!("limiters-stale-{setter}");
    // Its own limit is different, so that a reset to it would show.
    let limiter = Limiter::named(name.clone(), 2).max_waiting(1).keyed();
    drop(limiter.key(()).try_acquire());
    let handle = find(&name).expect("it is in use");
    before(&handle);
    drop(limiter);
    let next = |number| {
        let limiter = Limiter::named(format!("{name}-next-{number}"), 1).max_waiting(1);
        drop(limiter.try_acquire());
        limiter
    };
    (handle, (0..30).map(next).collect())
}

/// Returns what happens to three calls.
fn treats(limiter: &Limiter<Rejected>) -> (bool, Option<usize>, Vec<Result<bool, RejectedKind>>) {
    let mut calls: Vec<_> = (0..3).map(|_| task::spawn(limiter.acquire())).collect();
    let polled: Vec<_> = calls.iter_mut().map(task::Spawn::poll).collect();
    let treated = polled.iter().map(|polled| match polled {
        std::task::Poll::Ready(Ok(_)) => Ok(true),
        std::task::Poll::Pending => Ok(false),
        std::task::Poll::Ready(Err(rejected)) => Err(rejected.kind()),
    });
    (limiter.is_closed(), limiter.limit(), treated.collect())
}

#[test]
fn no_setter_of_a_stale_handle_changes_the_next_owner() {
    let queue_full = Err(RejectedKind::QueueFull);
    for (setter, before, set) in SETTERS {
        for _ in 0..3 {
            let (handle, others) = stale(setter, before);
            set(&handle);
            for other in &others {
                let as_made = (false, Some(1), vec![Ok(true), Ok(false), queue_full]);
                assert_eq!(treats(other), as_made, "after {setter}");
            }
        }
    }
}

#[test]
fn a_stale_handle_does_not_open_what_the_next_owner_has_closed() {
    let (handle, others) = stale("opens", close);
    others.iter().for_each(Limiter::close);
    handle.reopen();
    handle.reset();
    for other in &others {
        assert_eq!(refused(other.acquire()).kind(), RejectedKind::Closed);
    }
}

#[test]
fn a_stale_handle_does_not_change_the_total_of_the_next_owner() {
    let limiter = Limiter::new("limiters-stale-total", 1).keyed();
    drop(limiter.key(0).try_acquire());
    let handle = find("limiters-stale-total").expect("it is in use");
    drop(limiter);
    let others: Vec<_> = (0..30)
        .map(|number| {
            let other = Limiter::named(format!("limiters-stale-total-{number}"), 1).keyed();
            drop(other.key(0).try_acquire());
            other
        })
        .collect();
    handle.set_total(1).expect("it has keys");
    for other in &others {
        let both = (other.key(0).try_acquire(), other.key(1).try_acquire());
        assert!(both.0.is_ok() && both.1.is_ok(), "{both:?}");
    }
}

#[test]
fn a_stale_handle_hears_and_shows_nothing_of_the_next_owner() {
    let (handle, others) = stale("hears", |_| {});
    let last = handle.snapshot();
    let mut events = handle.subscribe();
    let held: Vec<Permit> = others.iter().map(|other| let_in(other.acquire())).collect();
    assert_eq!(events.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(handle.snapshot(), last);
    assert_eq!(at_once(handle.drain()), 0, "it is not in use");
    close(&handle);
    assert!(!handle.is_closed(), "nothing is changed, not even what it says itself");
    drop(held);
}

#[test]
fn a_listener_is_told_of_the_drop_although_a_permit_is_out_and_a_handle_is_left() {
    let told = |events: &mut Receiver<_>| {
        heard(events);
        events.try_recv()
    };
    let limiter = Limiter::new("limiters-listener-permit", 2);
    let (mut first, mut second) = (limiter.subscribe(), limiter.subscribe());
    let handle = find("limiters-listener-permit").expect("it is in use");
    let held = permit(&limiter);
    assert_eq!(told(&mut first), Err(TryRecvError::Empty));
    drop(limiter);
    assert_eq!(told(&mut first), Err(TryRecvError::Closed));
    drop(held);
    assert_eq!(told(&mut second), Err(TryRecvError::Closed));
    drop(handle);
}

/// A key whose drop uses the limiter that this thread made last.
#[derive(Clone)]
struct UsesTheNewest(Arc<AtomicUsize>);

thread_local! {
    static NEWEST: RefCell<Option<Arc<Limiter>>> = const { RefCell::new(None) };
}

impl PartialEq for UsesTheNewest {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for UsesTheNewest {}

impl Hash for UsesTheNewest {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Drop for UsesTheNewest {
    fn drop(&mut self) {
        let newest = NEWEST.with(|newest| newest.borrow().clone());
        if let Some(newest) = newest {
            drop(newest.try_acquire());
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[test]
fn a_key_that_is_left_over_may_use_the_limiter_that_takes_its_place() {
    /// How often the drop of a key has used the newest limiter.
    fn uses(attempt: usize) -> usize {
        let uses = Arc::new(AtomicUsize::new(0));
        let day = Duration::from_secs(86_400);
        let limiter = Limiter::named(format!("limiters-left-over-{attempt}"), 1).per(day).keyed();
        // The permit is out when the limiter is dropped. When it is back it cools, and its key with
        // it.
        let held = limiter.key(UsesTheNewest(Arc::clone(&uses))).try_acquire();
        drop(limiter);
        drop(held.expect("a permit is free"));
        // Makes limiters until the first use of one takes the slot, which is free now.
        let mut others = Vec::new();
        while Arc::strong_count(&uses) > 1 {
            let other = Arc::new(Limiter::new("limiters-after-left-over", 1));
            NEWEST.with(|newest| newest.replace(Some(Arc::clone(&other))));
            drop(permit(&other));
            others.push(other);
        }
        NEWEST.with(|newest| newest.replace(None));
        uses.load(Ordering::SeqCst)
    }

    let (done, is_done) = mpsc::channel();
    thread::spawn(move || {
        // Another test may take the slot first: then the key has used nothing.
        let used = (0..1_000).find(|&attempt| uses(attempt) == 1);
        done.send(used.is_some()).expect("the test waits for it");
    });
    assert_eq!(is_done.recv_timeout(Duration::from_secs(60)), Ok(true), "it waits for itself");
}
