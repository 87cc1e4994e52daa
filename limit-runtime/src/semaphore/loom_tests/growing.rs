//! Holders that want more permits.

use super::{Call, acquire, assert_all_free, bound, bound_to, model, poll_once, set_limit, take};
use crate::policy::Policy;
use crate::rejected::RejectedKind;
use crate::semaphore::watch::Watched;
use crate::semaphore::{Entered, Held, Permits, Semaphore, Unserved, Waiter};
use loom::future::block_on;
use loom::thread;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// A holder that grows. Like a permit's `resize` it drives [`Permits`] and a [`Waiter`], without clock and limiter.
/// Dropping it gives all permits back.
struct Growing {
    permits: Permits,
    wants: u32,
    waiter: Option<Waiter>,
}

fn growing(held: Held, wants: u32) -> Growing {
    Growing { permits: held.into_permits(), wants, waiter: None }
}

impl Future for Growing {
    type Output = Result<(), RejectedKind>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { permits, wants, waiter } = &mut *self;
        loop {
            let held = match waiter {
                None => match permits.grow_by_word(*wants) {
                    Some(held) => held,
                    None => match permits.grow(*wants, Ok(context.waker())) {
                        Entered::Admitted(held) => held,
                        Entered::Queued(waits) => {
                            *waiter = Some(waits);
                            continue;
                        }
                        Entered::Refused(refusal) => return Poll::Ready(Err(refusal.kind)),
                        Entered::Unbound | Entered::Stale => unreachable!("it holds permits"),
                    },
                },
                Some(waits) => {
                    match waits.poll_to_grow(context.waker(), || Duration::from_nanos(1)) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(result) => {
                            *waiter = None;
                            match result {
                                Ok(held) => held,
                                Err(Unserved::Refused(refusal)) => {
                                    return Poll::Ready(Err(refusal.kind));
                                }
                                Err(Unserved::Retry) => continue,
                            }
                        }
                    }
                }
            };
            permits.add(held);
            return Poll::Ready(Ok(()));
        }
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        self.waiter = None;
        self.permits.give_back();
    }
}

fn poll_growing(growing: &mut Growing) -> Poll<Result<(), RejectedKind>> {
    Pin::new(growing).poll(&mut Context::from_waker(Waker::noop()))
}

fn call(semaphore: &'static Semaphore) -> Call {
    acquire(semaphore, 1)
}

#[test]
fn a_holder_grows_before_a_call_when_another_gives_back() {
    model(|| {
        let semaphore = bound(2);
        let (mut grows, held) = (growing(take(semaphore, 1), 1), take(semaphore, 1));
        let mut waits = call(semaphore);
        assert!(poll_once(&mut waits).is_pending());
        let other = thread::spawn(move || drop(held));
        let is_before = poll_growing(&mut grows).is_pending();
        other.join().unwrap();
        // It came before the permit did, and so it has the permit. Otherwise the call has it, and comes to an end.
        if !is_before {
            assert_eq!(grows.permits.weight(), 2, "it was free at that moment");
        } else if poll_growing(&mut grows).is_pending() {
            drop(block_on(waits).expect("let in"));
            block_on(&mut grows).expect("the call has ended");
        }
        assert_eq!(grows.permits.weight(), 2);
        drop(grows);
    });
}

#[test]
fn a_free_permit_is_kept_from_calls_for_a_holder_that_waits_for_more() {
    model(|| {
        let semaphore = bound(3);
        let (mut grows, held) = (growing(take(semaphore, 1), 2), take(semaphore, 1));
        assert!(poll_growing(&mut grows).is_pending());
        let other = thread::spawn(move || drop(held));
        let mut late = call(semaphore);
        assert!(poll_once(&mut late).is_pending(), "one is free, or none");
        other.join().unwrap();
        assert!(poll_growing(&mut grows).is_ready());
        drop(grows);
        drop(block_on(late).expect("let in"));
        assert_all_free(semaphore, 3);
    });
}

#[test]
fn a_growth_that_is_given_up_leaves_the_permits_to_others() {
    model(|| {
        let semaphore = bound(2);
        let (mut grows, held) = (growing(take(semaphore, 1), 1), take(semaphore, 1));
        let leaving = thread::spawn(move || {
            // It is served meanwhile, or waits. It gives up in any case, and keeps what it holds.
            let has_grown = poll_growing(&mut grows).is_ready();
            grows.waiter = None;
            assert_eq!(grows.permits.weight(), if has_grown { 2 } else { 1 });
            drop(grows);
        });
        let waiter = thread::spawn(move || drop(block_on(call(semaphore)).expect("let in")));
        drop(held);
        leaving.join().unwrap();
        waiter.join().unwrap();
        assert_all_free(semaphore, 2);
    });
}

#[test]
fn of_two_holders_that_want_each_others_permits_one_is_refused() {
    model(|| {
        let semaphore = bound(2);
        let grow = |mut grows: Growing| {
            let result = block_on(&mut grows);
            assert_eq!(grows.permits.weight(), if result.is_ok() { 2 } else { 1 });
            result
        };
        let (one, two) = (growing(take(semaphore, 1), 1), growing(take(semaphore, 1), 1));
        let other = thread::spawn(move || grow(two));
        let mut results = [grow(one), other.join().unwrap()];
        results.sort_by_key(Result::is_err);
        assert_eq!(results, [Ok(()), Err(RejectedKind::Deadlock)]);
        assert_all_free(semaphore, 2);
    });
}

#[test]
fn a_growth_through_the_word_takes_no_permit_of_another_call() {
    model(|| {
        let semaphore = bound(3);
        let mut grows = growing(take(semaphore, 1), 1);
        let other = thread::spawn(move || {
            let held = block_on(acquire(semaphore, 2)).expect("let in");
            drop(held);
        });
        block_on(&mut grows).expect("it is let grow");
        drop(grows);
        other.join().unwrap();
        assert_all_free(semaphore, 3);
    });
}

#[test]
fn a_growth_is_served_or_refused_when_the_limit_is_lowered() {
    model(|| {
        let semaphore = bound(2);
        let (mut grows, held) = (growing(take(semaphore, 1), 1), take(semaphore, 1));
        let lowers = thread::spawn(move || set_limit(semaphore, 1));
        let other = thread::spawn(move || drop(held));
        let result = block_on(&mut grows);
        assert!(matches!(result, Ok(()) | Err(RejectedKind::TooHeavy)), "{result:?}");
        drop(grows);
        lowers.join().unwrap();
        other.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn a_growth_whose_grant_is_taken_back_asks_again() {
    const WITHIN: Duration = Duration::from_secs(1);
    model(|| {
        let semaphore = bound_to(2, &Policy::PLAIN);
        semaphore.set_claim_within(WITHIN).wake();
        let (mut grows, held) = (growing(take(semaphore, 1), 1), take(semaphore, 1));
        assert!(poll_growing(&mut grows).is_pending());
        let mut next = call(semaphore);
        assert!(poll_once(&mut next).is_pending());
        drop(held);
        let watcher = thread::spawn(move || {
            let now = Instant::now();
            let mut watched = Watched::new(semaphore);
            if watched.look(now) {
                watched.look(now + WITHIN);
            }
        });
        let other = thread::spawn(move || drop(block_on(next).expect("let in")));
        block_on(&mut grows).expect("it is let grow");
        assert_eq!(grows.permits.weight(), 2);
        drop(grows);
        watcher.join().unwrap();
        other.join().unwrap();
        assert_all_free(semaphore, 2);
    });
}
