//! Threads that change the weight of their permits.

use limit_runtime::{Limiter, Permit, RejectedKind, Scope};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{let_in, permit, served, waiter};
use limit_tests::runtimes::one_thread;
use limit_tests::watchdog::until;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_thread_sleeps_until_the_missing_permits_are_there_and_goes_before_calls_that_hold_nothing() {
    let limiter = Limiter::new("threads-grow", 3);
    let held = let_in(limiter.acquire_many(2));
    let mut growing = permit(&limiter);
    let mut behind = waiter(limiter.acquire());
    thread::scope(|scope| {
        let thread = scope.spawn(move || growing.blocking_resize(3).map(|()| growing));
        until("the thread waits", || total(&limiter).waiting == 2);
        drop(held);
        let grown = thread.join().expect("it does not panic").expect("two are free");
        assert_eq!(grown.weight(), 3);
        assert!(behind.poll().is_pending(), "the holder came later, and goes first");
        drop(grown);
        drop(served(&mut behind));
    });
    assert_all_free(&limiter);
}

#[test]
fn a_thread_need_not_wait_to_shrink_or_for_what_is_free_or_for_what_it_can_never_have() {
    let limiter = Limiter::new("threads-grow-free", 4);
    let mut growing = permit(&limiter);
    growing.blocking_resize(4).expect("they are free");
    assert_figures(&limiter, 4, 0);
    growing.blocking_resize(2).expect("it never fails");
    assert_figures(&limiter, 2, 0);
    let rejected = growing.blocking_resize(5).expect_err("it is more than the limit");
    assert_eq!((rejected.kind(), rejected.weight()), (RejectedKind::TooHeavy, 5));
    assert_eq!(growing.weight(), 2);
    growing.blocking_resize(0).expect("it never fails");
    assert_all_free(&limiter);
    growing.blocking_resize(2).expect("nothing changes");
    assert_eq!(growing.weight(), 0);
}

#[test]
fn in_async_code_it_panics_and_changes_nothing() {
    let limiter = Limiter::new("threads-grow-async", 2).scope(Scope::Process);
    one_thread().block_on(async {
        let mut growing = limiter.acquire().await;
        let panic = catch_unwind(AssertUnwindSafe(|| growing.blocking_resize(2)));
        let panic = panic.expect_err("it would block the runtime");
        let message = panic.downcast_ref::<String>().map_or("", |message| message);
        let expected = "`blocking_resize` of concurrency limit `threads-grow-async` would block the runtime that \
                        this thread drives: write `resize(…).await`, or call it in `spawn_blocking`";
        assert_eq!(message, expected);
        assert_eq!(growing.weight(), 1);
    });
    assert_all_free(&limiter);
}

#[test]
fn a_thread_of_the_blocking_pool_grows_in_its_runtime() {
    static LIMITER: Limiter = Limiter::new("threads-grow-pool", 2);
    one_thread().block_on(async {
        let held = LIMITER.acquire().await;
        let mut growing = LIMITER.acquire().await;
        let thread = tokio::task::spawn_blocking(move || growing.blocking_resize(2));
        until("the thread waits", || total(&LIMITER).waiting == 1);
        drop(held);
        thread.await.expect("it does not panic").expect("the other permit is free");
    });
    assert_figures(&LIMITER, 0, 0);
}

#[test]
fn a_thread_waits_no_longer_to_grow_than_it_may() {
    let limiter = Limiter::new("threads-grow-time", 2).max_wait(Duration::from_millis(20));
    let (held, mut growing) = (let_in(limiter.acquire()), let_in(limiter.acquire()));
    let since = Instant::now();
    let rejected = growing.blocking_resize(2).expect_err("nobody gives the permit back");
    assert_eq!((rejected.kind(), growing.weight()), (RejectedKind::TimedOut, 1));
    assert!(since.elapsed() >= Duration::from_millis(20));
    assert!(rejected.waited() >= Duration::from_millis(20));
    assert_figures(&limiter, 2, 0);
    limiter.set_max_wait(Duration::ZERO);
    let rejected = growing.blocking_resize(2).expect_err("it may not wait");
    assert_eq!((rejected.kind(), growing.weight()), (RejectedKind::NoPermits, 1));
    drop(held);
    growing.blocking_resize(2).expect("the permit is free");
    let rejected = total(&limiter).rejected;
    assert_eq!((rejected.timed_out, rejected.no_permits), (1, 1));
}

#[test]
fn of_two_threads_that_would_wait_for_each_other_the_second_is_refused() {
    let limiter = Limiter::new("threads-grow-deadlock", 2);
    let (mut first, mut second) = (permit(&limiter), permit(&limiter));
    thread::scope(|scope| {
        let thread = scope.spawn(move || first.blocking_resize(2).map(|()| first));
        until("the thread waits", || total(&limiter).waiting == 1);
        let rejected = second.blocking_resize(2).expect_err("the other one waits for it");
        assert_eq!((rejected.kind(), second.weight()), (RejectedKind::Deadlock, 1));
        drop(second);
        let first = thread.join().expect("it does not panic").expect("it is served");
        assert_eq!(first.weight(), 2);
    });
    assert_all_free(&limiter);
}

#[test]
fn a_thread_that_waits_to_grow_is_refused_when_the_limiter_closes() {
    let limiter = Limiter::new("threads-grow-closed", 2).max_waiting(5);
    let (held, mut growing) = (let_in(limiter.acquire()), let_in(limiter.acquire()));
    thread::scope(|scope| {
        let thread = scope.spawn(|| growing.blocking_resize(2));
        until("the thread waits", || total(&limiter).waiting == 1);
        limiter.close();
        let rejected = thread.join().expect("it does not panic").expect_err("it is refused");
        assert_eq!(rejected.kind(), RejectedKind::Closed);
    });
    assert_eq!(growing.weight(), 1);
    drop(held);
}

#[test]
fn a_thread_that_grows_watches_the_clock_of_a_rate_itself() {
    let window = Duration::from_millis(20);
    let limiter = Limiter::new("threads-grow-rate", 2).per(window);
    let since = Instant::now();
    let mut growing = permit(&limiter);
    // It is done, and its start counts until its window is over.
    drop(permit(&limiter));
    growing.blocking_resize(2).expect("a window goes by");
    assert!(since.elapsed() >= window);
    assert_eq!(growing.weight(), 2);
}

#[test]
fn threads_that_grow_and_shrink_lose_no_permit_and_none_waits_for_ever() {
    static INSIDE: AtomicU32 = AtomicU32::new(0);

    fn resize(permit: &mut Permit, target: u32) {
        let held = permit.weight();
        if target < held {
            INSIDE.fetch_sub(held - target, Ordering::Relaxed);
        }
        match permit.blocking_resize(target) {
            Ok(()) if target > held => {
                let more = target - held;
                let before = INSIDE.fetch_add(more, Ordering::Relaxed);
                assert!(before + more <= 8, "more permits than the limit");
            }
            Ok(()) => {}
            Err(rejected) => assert_eq!(rejected.kind(), RejectedKind::Deadlock),
        }
    }

    let limiter = Limiter::new("threads-grow-many", 8);
    thread::scope(|scope| {
        for number in 0..8 {
            let limiter = &limiter;
            scope.spawn(move || {
                for round in 0..100 {
                    let mut permit = limiter.blocking_acquire();
                    assert!(INSIDE.fetch_add(1, Ordering::Relaxed) < 8);
                    for target in [1 + (number + round) % 5, 1 + round % 3, 1 + number] {
                        resize(&mut permit, target);
                        thread::yield_now();
                    }
                    INSIDE.fetch_sub(permit.weight(), Ordering::Relaxed);
                }
            });
        }
    });
    assert_all_free(&limiter);
}
