//! Permits for threads that block.

mod growing;
mod together;

use limit_runtime::{Limiter, Rejected, RejectedKind, Scope};
use limit_tests::figures::{assert_all_free, total};
use limit_tests::polling::{permit, served, waiter};
use limit_tests::runtimes::one_thread;
use limit_tests::watchdog::until;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn never_more_threads_than_the_limit_have_a_permit() {
    static INSIDE: AtomicUsize = AtomicUsize::new(0);
    let limiter = Limiter::new("threads-many", 3);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let permit = limiter.blocking_acquire();
                    assert!(INSIDE.fetch_add(1, Ordering::SeqCst) < 3);
                    thread::yield_now();
                    INSIDE.fetch_sub(1, Ordering::SeqCst);
                    drop(permit);
                }
            });
        }
    });
    let figures = total(&limiter);
    assert_eq!(figures.admitted_at_once + figures.admitted_after_waiting, 16 * 50);
    assert_all_free(&limiter);
}

#[test]
fn a_thread_waits_in_one_queue_with_calls_outside_runtimes() {
    let limiter = Limiter::new("threads-queue", 1);
    let held = permit(&limiter);
    thread::scope(|scope| {
        let thread = scope.spawn(|| limiter.blocking_acquire());
        until("the thread waits", || total(&limiter).waiting == 1);
        let mut behind = waiter(limiter.acquire());
        drop(held);
        let first = thread.join().expect("it has its permit");
        assert!(behind.poll().is_pending(), "the thread came first");
        drop(first);
        drop(served(&mut behind));
    });
    assert_all_free(&limiter);
}

#[test]
fn a_thread_of_the_blocking_pool_has_its_runtimes_permits() {
    static LIMITER: Limiter = Limiter::new("threads-pool", 1);
    let outside = permit(&LIMITER);
    let runtime = one_thread();
    runtime.block_on(async {
        let inside = LIMITER.acquire().await;
        let thread = tokio::task::spawn_blocking(|| LIMITER.blocking_acquire());
        until("the thread waits", || total(&LIMITER).waiting == 1);
        drop(inside);
        drop(thread.await.expect("it has its permit"));
    });
    assert_eq!(total(&LIMITER).in_use, 1);
    drop(outside);
}

#[test]
fn in_async_code_it_panics_and_takes_nothing() {
    let limiter = Limiter::new("threads-async", 1).scope(Scope::Process);
    one_thread().block_on(async {
        let panic = catch_unwind(AssertUnwindSafe(|| drop(limiter.blocking_acquire())));
        let panic = panic.expect_err("it would block the runtime");
        let message = panic.downcast_ref::<String>().map_or("", |message| message);
        let expected = "`blocking_acquire` of concurrency limit `threads-async` would block the \
                        runtime that this thread drives: write `acquire().await`, or call it in \
                        `spawn_blocking`";
        assert_eq!(message, expected);
    });
    assert_all_free(&limiter);
}

#[test]
fn a_thread_waits_no_longer_than_it_may() -> Result<(), Rejected> {
    let limiter = Limiter::new("threads-deadline", 1).max_wait(Duration::from_millis(20));
    let held = limiter.blocking_acquire()?;
    let since = Instant::now();
    let rejected = limiter.blocking_acquire().expect_err("nobody gives the permit back");
    assert_eq!(rejected.kind(), RejectedKind::TimedOut);
    assert!(since.elapsed() >= Duration::from_millis(20));
    drop(held);
    drop(limiter.blocking_acquire()?);
    assert_eq!((total(&limiter).waiting, total(&limiter).rejected.timed_out), (0, 1));
    Ok(())
}

#[test]
fn a_thread_with_no_time_is_refused_at_once() -> Result<(), Rejected> {
    let limiter = Limiter::new("threads-no-time", 1).max_wait(Duration::ZERO);
    let held = limiter.blocking_acquire()?;
    let rejected = limiter.blocking_acquire().expect_err("it may not wait");
    assert_eq!(rejected.kind(), RejectedKind::NoPermits);
    drop(held);
    Ok(())
}

#[test]
fn threads_that_wait_are_refused_when_the_limiter_closes() {
    let limiter = Limiter::new("threads-closed", 1).max_waiting(5);
    let held = limiter.blocking_acquire().expect("it is free");
    thread::scope(|scope| {
        let thread = scope.spawn(|| limiter.blocking_acquire());
        until("the thread waits", || total(&limiter).waiting == 1);
        limiter.close();
        let rejected = thread.join().expect("it does not panic").expect_err("it is refused");
        assert_eq!(rejected.kind(), RejectedKind::Closed);
    });
    drop(held);
}

#[test]
fn threads_watch_the_clock_of_a_rate_themselves() {
    let window = Duration::from_millis(10);
    let limiter = Limiter::new("threads-rate", 2).per(window);
    let since = Instant::now();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| drop(limiter.blocking_acquire()));
        }
    });
    // Two at once, and two after each of three windows.
    assert!(since.elapsed() >= 3 * window);
    assert_eq!(total(&limiter).waiting, 0);
}

#[test]
fn a_thread_waits_for_a_limit_that_another_resolves() {
    static RESOLVES: AtomicUsize = AtomicUsize::new(0);
    let limiter = Limiter::lazy("threads-lazy", || {
        RESOLVES.fetch_add(1, Ordering::SeqCst);
        until("it may go on", || RESOLVES.load(Ordering::SeqCst) == 2);
        1
    });
    thread::scope(|scope| {
        let threads = [(); 2].map(|()| scope.spawn(|| drop(limiter.blocking_acquire())));
        until("one resolves the limit", || RESOLVES.load(Ordering::SeqCst) == 1);
        RESOLVES.fetch_add(1, Ordering::SeqCst);
        for thread in threads {
            thread.join().expect("it has its permit");
        }
    });
    assert_eq!(RESOLVES.load(Ordering::SeqCst), 2, "it is resolved once");
    assert_all_free(&limiter);
}
