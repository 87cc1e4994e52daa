//! Models of every interleaving that the comments argue about.
//!
//! `RUSTFLAGS="--cfg limit_loom" cargo test -p limit-runtime --lib --release`

use super::{
    ADMITTED, Entered, GRANTED, NO_SLOT, Place, RETRY, Semaphore, TOO_HEAVY, WAITING, standing,
    with_figure,
};
use crate::registry::{Lease, Runtimes};
use loom::cell::UnsafeCell;
use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

fn model(f: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(3);
    builder.check(f);
}

fn bound(limit: u32) -> &'static Semaphore {
    let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
    bind(semaphore, limit);
    semaphore
}

fn bind(semaphore: &Semaphore, limit: u32) {
    semaphore.bind(limit).into_iter().for_each(Waker::wake);
    semaphore.serve_all();
}

fn set_limit(semaphore: &Semaphore, limit: u32) {
    semaphore.set_limit(limit).into_iter().for_each(Waker::wake);
    semaphore.serve_all();
}

/// What is left when all is over.
fn assert_all_free(semaphore: &Semaphore, limit: u32) {
    let reading = semaphore.read();
    assert_eq!((reading.in_use, reading.waiting), (0, 0));
    assert!(semaphore.try_acquire(limit, || true), "all permits are back, and SLOW is clear");
    semaphore.release(limit, NO_SLOT);
}

/// A call, with the parts of `acquire::Call` that touch the semaphore.
struct Call {
    semaphore: &'static Semaphore,
    weight: u32,
    place: Option<Place>,
}

struct Held {
    semaphore: &'static Semaphore,
    weight: u32,
    slot: u32,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.semaphore.release(self.weight, self.slot);
    }
}

fn acquire(semaphore: &'static Semaphore, weight: u32) -> Call {
    Call { semaphore, weight, place: None }
}

impl Future for Call {
    type Output = Result<Held, u64>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Call { semaphore, weight, place } = *self;
        let held = |slot| Poll::Ready(Ok(Held { semaphore, weight, slot }));
        if let Some(Place { slot, grant }) = place {
            let mut stands = standing(grant.load(Ordering::Acquire));
            if stands == WAITING {
                semaphore.update_waker(slot, context.waker());
                stands = standing(grant.load(Ordering::Acquire));
            }
            return match stands {
                WAITING => Poll::Pending,
                GRANTED => {
                    grant.store(with_figure(ADMITTED, 1), Ordering::Relaxed);
                    self.place = None;
                    held(slot)
                }
                other => {
                    semaphore.leave(slot, weight, other == TOO_HEAVY);
                    self.place = None;
                    Poll::Ready(Err(other))
                }
            };
        }
        if semaphore.try_acquire(weight, || true) {
            return held(NO_SLOT);
        }
        match semaphore.enter(weight, Some(context.waker()), || true) {
            Entered::Admitted => held(NO_SLOT),
            Entered::Queued(place) => {
                self.place = Some(place);
                Poll::Pending
            }
            Entered::Refused(_) => Poll::Ready(Err(TOO_HEAVY)),
            Entered::Unbound | Entered::Stale => Poll::Ready(Err(RETRY)),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.semaphore.leave(place.slot, self.weight, true);
        }
    }
}

/// Polls once, with a waker that wakes nobody.
fn poll_once(call: &mut Call) -> Poll<Result<Held, u64>> {
    Pin::new(call).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_permit_passes_what_its_holder_wrote_to_the_next() {
    model(|| {
        let semaphore = bound(1);
        let cell = Arc::new(UnsafeCell::new(0));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let cell = Arc::clone(&cell);
                thread::spawn(move || {
                    let held = block_on(acquire(semaphore, 1)).unwrap_or_else(|_| unreachable!());
                    // Loom fails if two accesses are not ordered. (Its cell hands out pointers; to
                    // look at what they point to would be unsafe, and is not needed.)
                    cell.with_mut(|_| ());
                    drop(held);
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        cell.with_mut(|_| ());
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn never_more_than_the_limit() {
    model(|| {
        let semaphore = bound(1);
        let inside = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let inside = Arc::clone(&inside);
                thread::spawn(move || {
                    for _ in 0..2 {
                        if semaphore.try_acquire(1, || true) {
                            assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                            inside.fetch_sub(1, Ordering::Relaxed);
                            semaphore.release(1, NO_SLOT);
                        }
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn a_release_never_misses_a_waiter() {
    model(|| {
        let semaphore = bound(1);
        assert!(semaphore.try_acquire(1, || true));
        let waiter = thread::spawn(move || drop(block_on(acquire(semaphore, 1))));
        semaphore.release(1, NO_SLOT);
        waiter.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn three_calls_for_two_permits_all_run() {
    model(|| {
        let semaphore = bound(2);
        let threads: Vec<_> =
            (0..2).map(|_| thread::spawn(move || drop(block_on(acquire(semaphore, 1))))).collect();
        drop(block_on(acquire(semaphore, 2)));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_all_free(semaphore, 2);
    });
}

#[test]
fn a_waiter_cancelled_against_its_grant_passes_the_permit_on() {
    model(|| {
        let semaphore = bound(1);
        assert!(semaphore.try_acquire(1, || true));
        let mut cancelled = acquire(semaphore, 1);
        assert!(poll_once(&mut cancelled).is_pending());
        let next = thread::spawn(move || drop(block_on(acquire(semaphore, 1))));
        let canceller = thread::spawn(move || drop(cancelled));
        semaphore.release(1, NO_SLOT);
        canceller.join().unwrap();
        next.join().unwrap();
        assert_all_free(semaphore, 1);
        assert_eq!(semaphore.read().current.cancelled, 1);
    });
}

#[test]
fn the_last_waiter_cancelled_against_its_grant_leaves_the_permit_free() {
    model(|| {
        let semaphore = bound(1);
        assert!(semaphore.try_acquire(1, || true));
        let mut cancelled = acquire(semaphore, 1);
        assert!(poll_once(&mut cancelled).is_pending());
        let canceller = thread::spawn(move || drop(cancelled));
        semaphore.release(1, NO_SLOT);
        canceller.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn a_heavy_head_cancelled_lets_the_light_one_run() {
    model(|| {
        let semaphore = bound(2);
        assert!(semaphore.try_acquire(1, || true));
        let mut heavy = acquire(semaphore, 2);
        assert!(poll_once(&mut heavy).is_pending());
        let light = thread::spawn(move || drop(block_on(acquire(semaphore, 1))));
        drop(heavy);
        light.join().unwrap();
        semaphore.release(1, NO_SLOT);
        assert_all_free(semaphore, 2);
    });
}

#[test]
fn a_waiter_polled_by_another_task_is_woken_there() {
    model(|| {
        let semaphore = bound(1);
        assert!(semaphore.try_acquire(1, || true));
        let mut call = acquire(semaphore, 1);
        assert!(poll_once(&mut call).is_pending());
        let moved = thread::spawn(move || drop(block_on(call)));
        semaphore.release(1, NO_SLOT);
        moved.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn lowering_and_raising_against_release_and_acquire_loses_nothing() {
    model(|| {
        let semaphore = bound(2);
        assert!(semaphore.try_acquire(2, || true));
        let releaser = thread::spawn(move || {
            semaphore.release(1, NO_SLOT);
            semaphore.release(1, NO_SLOT);
        });
        let caller = thread::spawn(move || drop(block_on(acquire(semaphore, 1))));
        set_limit(semaphore, 1);
        set_limit(semaphore, 2);
        releaser.join().unwrap();
        caller.join().unwrap();
        assert_all_free(semaphore, 2);
    });
}

#[test]
fn a_waiter_at_limit_zero_runs_when_it_is_raised() {
    model(|| {
        let semaphore = bound(0);
        let waiter = thread::spawn(move || drop(block_on(acquire(semaphore, 1))));
        set_limit(semaphore, 1);
        waiter.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn whoever_is_too_heavy_for_a_lowered_limit_is_told() {
    model(|| {
        let semaphore = bound(2);
        assert!(semaphore.try_acquire(1, || true));
        let heavy = thread::spawn(move || match block_on(acquire(semaphore, 2)) {
            Ok(_held) => {}
            Err(standing) => assert_eq!(standing, TOO_HEAVY),
        });
        set_limit(semaphore, 1);
        semaphore.release(1, NO_SLOT);
        heavy.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn a_first_caller_binds_and_the_others_wait_for_it() {
    model(|| {
        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
        let bindings = Arc::new(AtomicUsize::new(0));
        let call = move |bindings: Arc<AtomicUsize>| {
            loop {
                match block_on(acquire(semaphore, 1)) {
                    Ok(held) => break drop(held),
                    Err(_) => {
                        bindings.fetch_add(1, Ordering::Relaxed);
                        bind(semaphore, 1);
                    }
                }
            }
        };
        let other = {
            let bindings = Arc::clone(&bindings);
            thread::spawn(move || call(bindings))
        };
        call(Arc::clone(&bindings));
        other.join().unwrap();
        assert_eq!(bindings.load(Ordering::Relaxed), 1, "found out once");
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn whoever_cannot_wait_for_the_first_caller_binds_as_well() {
    model(|| {
        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
        let call = move || {
            let held = match semaphore.enter(1, None, || true) {
                Entered::Unbound => {
                    bind(semaphore, 2);
                    semaphore.try_acquire(1, || true)
                        || matches!(semaphore.enter(1, None, || true), Entered::Admitted)
                }
                entered => matches!(entered, Entered::Admitted),
            };
            assert!(held, "there is a permit for each");
        };
        let other = thread::spawn(call);
        call();
        other.join().unwrap();
        semaphore.release(2, NO_SLOT);
        assert_all_free(semaphore, 2);
    });
}

#[test]
fn a_claim_given_up_is_taken_by_a_waiter() {
    model(|| {
        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
        assert!(matches!(semaphore.enter(1, None, || true), Entered::Unbound));
        let other = thread::spawn(move || {
            loop {
                match block_on(acquire(semaphore, 1)) {
                    Ok(held) => break drop(held),
                    // In the queue of one who then gave up, or the first to come after that.
                    Err(_) => bind(semaphore, 1),
                }
            }
        });
        semaphore.unclaim();
        other.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}

/// A runtime's registry with one semaphore, used through a lease.
fn try_on(lease: Lease) -> Option<Held> {
    let semaphore = lease.registry.semaphore(0);
    loop {
        if semaphore.try_acquire(1, || lease.holds()) {
            return Some(Held { semaphore, weight: 1, slot: NO_SLOT });
        }
        match semaphore.enter(1, None, || lease.holds()) {
            Entered::Admitted => {
                return Some(Held { semaphore, weight: 1, slot: NO_SLOT });
            }
            Entered::Unbound => bind(semaphore, 1),
            _ => return None,
        }
    }
}

#[test]
fn a_call_on_an_ended_runtime_never_takes_the_permit_of_the_next() {
    model(|| {
        let runtimes: &'static Runtimes<u8> = Box::leak(Box::new(Runtimes::new()));
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
        // Whatever the late call holds, it is not a permit of runtime 2.
        let held = try_on(second);
        assert!(held.is_some(), "runtime 2 has its one permit");
        let (late, _) = late.join().unwrap();
        if let Some(late) = &late {
            assert!(!std::ptr::eq(late.semaphore, second.registry.semaphore(0)));
        }
        drop((late, held));
    });
}

/// `registry::of_runtime` on a runtime that is closing: it drops each guard inside `spawn`.
fn of_closing_runtime(runtimes: &Runtimes<u8>, runtime: u8) -> Lease {
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
        let runtimes: &'static Runtimes<u8> = Box::leak(Box::new(Runtimes::new()));
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
fn a_waiter_of_a_retired_runtime_is_woken_to_ask_again() {
    model(|| {
        let runtimes: &'static Runtimes<u8> = Box::leak(Box::new(Runtimes::new()));
        let lease = runtimes.open(1);
        let semaphore = lease.registry.semaphore(0);
        let _held = try_on(lease).expect("the first");
        let waiter = thread::spawn(move || {
            struct Waits(Lease, Option<Place>);
            impl Future for Waits {
                type Output = ();
                fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
                    let semaphore = self.0.registry.semaphore(0);
                    let lease = self.0;
                    let place = match self.1 {
                        Some(place) => place,
                        None => match semaphore.enter(1, Some(context.waker()), || lease.holds()) {
                            Entered::Queued(place) => *self.1.insert(place),
                            Entered::Stale => return Poll::Ready(()),
                            other => panic!("{other:?}"),
                        },
                    };
                    if place.grant.load(Ordering::Acquire) == WAITING {
                        return Poll::Pending;
                    }
                    semaphore.leave(place.slot, 1, false);
                    Poll::Ready(())
                }
            }
            block_on(Waits(lease, None));
        });
        runtimes.retire(1, lease);
        waiter.join().unwrap();
        assert_eq!(semaphore.read().waiting, 0);
    });
}
