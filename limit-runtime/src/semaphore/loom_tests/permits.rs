//! Permits that are taken, waited for and given back.

use super::{acquire, assert_all_free, bound, model, poll_once, take};
use loom::cell::UnsafeCell;
use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

#[test]
fn a_permit_passes_what_its_holder_wrote_to_the_next() {
    model(|| {
        let semaphore = bound(1);
        let cell = Arc::new(UnsafeCell::new(0));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let cell = Arc::clone(&cell);
                thread::spawn(move || {
                    let held = block_on(acquire(semaphore, 1)).expect("nobody is refused");
                    // Loom fails if two accesses are not ordered. Its cell hands out pointers. To
                    // read through them would be unsafe, and is not needed.
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
                        if let Some(held) = semaphore.try_acquire(1, || true) {
                            assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                            inside.fetch_sub(1, Ordering::Relaxed);
                            drop(held);
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
        let held = take(semaphore, 1);
        let waiter = thread::spawn(move || drop(block_on(acquire(semaphore, 1))));
        drop(held);
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
        let held = take(semaphore, 1);
        let mut cancelled = acquire(semaphore, 1);
        assert!(poll_once(&mut cancelled).is_pending());
        let next = thread::spawn(move || drop(block_on(acquire(semaphore, 1))));
        let canceller = thread::spawn(move || drop(cancelled));
        drop(held);
        canceller.join().unwrap();
        next.join().unwrap();
        assert_all_free(semaphore, 1);
        assert_eq!(semaphore.read(&mut Vec::new()).current.cancelled, 1);
    });
}

#[test]
fn the_last_waiter_cancelled_against_its_grant_leaves_the_permit_free() {
    model(|| {
        let semaphore = bound(1);
        let held = take(semaphore, 1);
        let mut cancelled = acquire(semaphore, 1);
        assert!(poll_once(&mut cancelled).is_pending());
        let canceller = thread::spawn(move || drop(cancelled));
        drop(held);
        canceller.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn a_heavy_head_cancelled_lets_the_light_one_run() {
    model(|| {
        let semaphore = bound(2);
        let held = take(semaphore, 1);
        let mut heavy = acquire(semaphore, 2);
        assert!(poll_once(&mut heavy).is_pending());
        let light = thread::spawn(move || drop(block_on(acquire(semaphore, 1))));
        drop(heavy);
        light.join().unwrap();
        drop(held);
        assert_all_free(semaphore, 2);
    });
}

#[test]
fn a_waiter_polled_by_another_task_is_woken_there() {
    model(|| {
        let semaphore = bound(1);
        let held = take(semaphore, 1);
        let mut call = acquire(semaphore, 1);
        assert!(poll_once(&mut call).is_pending());
        let moved = thread::spawn(move || drop(block_on(call)));
        drop(held);
        moved.join().unwrap();
        assert_all_free(semaphore, 1);
    });
}
