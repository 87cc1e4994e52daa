//! Threads that take the permits of several limiters as one.

use limit_runtime::{
    KeyedLimiter, Limiter, Permit, Rejected, RejectedKind, Scope, Share, blocking_acquire_all,
};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{let_in, permit};
use limit_tests::runtimes::one_thread;
use limit_tests::watchdog::until;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_thread_takes_none_until_it_has_all() {
    let (a, b) = (Limiter::new("threads-none-a", 1), Limiter::new("threads-none-b", 1));
    for limits in [[&a, &b], [&b, &a]] {
        let held = permit(&b);
        thread::scope(|scope| {
            let thread = scope.spawn(move || blocking_acquire_all(limits));
            until("the thread waits", || total(&b).waiting == 1);
            assert_figures(&a, 0, 0);
            drop(permit(&a));
            drop(held);
            let both = thread.join().expect("it does not panic");
            assert_figures(&a, 1, 0);
            assert_figures(&b, 1, 0);
            drop(both);
        });
    }
    assert_all_free(&a);
    assert_all_free(&b);
}

#[test]
fn limiters_of_all_kinds_can_be_taken_together() {
    static SHARES: &[Share] = &[Share::new("batch", 50)];
    let (plain, keyed) =
        (Limiter::new("threads-kinds", 1), Limiter::new("threads-kinds-keyed", 1).keyed());
    let parted = Limiter::new("threads-kinds-shares", 2).shares(SHARES);
    let heavy = Limiter::new("threads-kinds-heavy", 5);
    let all = blocking_acquire_all((
        &plain,
        keyed.key("k"),
        parted.share("batch"),
        heavy.acquire().weight(4),
    ))
    .expect("all are free");
    assert_eq!(all.permits().each_ref().map(Permit::weight), [1, 1, 1, 4]);
    assert_eq!((total(&keyed).in_use, parted.snapshot().shares[0].in_use), (1, 1));
    drop(all);
    assert_eq!(total(&heavy).in_use, 0);
}

#[test]
fn threads_that_name_the_limiters_in_any_order_do_not_wait_for_each_other() {
    static INSIDE: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];

    fn enter(limit: usize) {
        assert_eq!(INSIDE[limit].fetch_add(1, Ordering::SeqCst), 0, "it has one permit");
    }

    fn leave(limit: usize) {
        INSIDE[limit].fetch_sub(1, Ordering::SeqCst);
    }

    let limits = [Limiter::new("threads-order-a", 1), Limiter::new("threads-order-b", 1)];
    thread::scope(|scope| {
        for number in 0..8 {
            let limits = &limits;
            scope.spawn(move || {
                let (first, second) = (number % 2, 1 - number % 2);
                for _ in 0..100 {
                    let both = blocking_acquire_all([&limits[first], &limits[second]]);
                    enter(0);
                    enter(1);
                    thread::yield_now();
                    leave(0);
                    leave(1);
                    drop(both);
                    // Calls for one of them do not keep the others out for ever.
                    let one = limits[first].blocking_acquire();
                    enter(first);
                    leave(first);
                    drop(one);
                }
            });
        }
    });
    let all: u64 = limits
        .iter()
        .map(|limiter| total(limiter).admitted_at_once + total(limiter).admitted_after_waiting)
        .sum();
    assert_eq!(all, 8 * 100 * 3, "what a thread gave back in a round is not counted");
    limits.iter().for_each(assert_all_free);
}

#[test]
fn after_three_rounds_in_vain_a_thread_holds_what_it_has() {
    let limits = [Limiter::new("threads-holds-a", 1), Limiter::new("threads-holds-b", 1)];
    let mut held = [Some(permit(&limits[0])), Some(permit(&limits[1]))];
    let waits_at = |number: usize| total(&limits[number]).waiting == 1;
    thread::scope(|scope| {
        let thread = scope.spawn(|| blocking_acquire_all((&limits[1], &limits[0])));
        until("it waits for the first", || waits_at(0) || waits_at(1));
        let first = usize::from(waits_at(1));
        for at in [first, 1 - first] {
            drop(held[at].take());
            until("it lacks the other one, and waits there", || waits_at(1 - at));
            held[at] = Some(limits[at].try_acquire().expect("the thread gave it back"));
        }
        drop(held[first].take());
        until("it waits for the second", || waits_at(1 - first));
        limits[first].try_acquire().expect_err("the thread holds it");
        drop(held);
        drop(thread.join().expect("it does not panic"));
    });
    limits.iter().for_each(assert_all_free);
}

#[test]
fn a_thread_waits_no_longer_than_it_may_and_holds_nothing_then() -> Result<(), Rejected> {
    let a = Limiter::new("threads-all-time-a", 1);
    let b = Limiter::new("threads-all-time-b", 1).max_wait(Duration::from_millis(20));
    let held = b.blocking_acquire()?;
    let since = Instant::now();
    let rejected = blocking_acquire_all((&a, &b)).expect_err("nobody gives the permit back");
    assert_eq!(
        (rejected.kind(), rejected.limiter()),
        (RejectedKind::TimedOut, "threads-all-time-b")
    );
    assert!(since.elapsed() >= Duration::from_millis(20));
    assert_all_free(&a);

    let call = (&a, b.acquire().max_wait(Duration::ZERO));
    assert_eq!(blocking_acquire_all(call).unwrap_err().kind(), RejectedKind::NoPermits);
    drop(held);
    drop(blocking_acquire_all((&a, &b))?);
    assert_eq!((total(&b).rejected.timed_out, total(&b).waiting), (1, 0));
    assert_all_free(&a);
    Ok(())
}

#[test]
fn threads_that_wait_are_refused_when_one_of_the_limiters_closes() {
    let a = Limiter::new("threads-all-closed-a", 1);
    let b = Limiter::new("threads-all-closed-b", 1).max_waiting(5);
    let held = let_in(b.acquire());
    thread::scope(|scope| {
        let thread = scope.spawn(|| blocking_acquire_all((&a, &b)));
        until("the thread waits", || total(&b).waiting == 1);
        b.close();
        let rejected = thread.join().expect("it does not panic").expect_err("it is refused");
        assert_eq!(rejected.kind(), RejectedKind::Closed);
    });
    assert_all_free(&a);
    drop(held);
}

#[test]
fn in_async_code_it_panics_and_takes_nothing() {
    let a = Limiter::new("threads-all-async-a", 1).scope(Scope::Process);
    let b = Limiter::new("threads-all-async-b", 1).scope(Scope::Process);
    one_thread().block_on(async {
        let panic = catch_unwind(AssertUnwindSafe(|| drop(blocking_acquire_all((&a, &b)))));
        let panic = panic.expect_err("it would block the runtime");
        let message = panic.downcast_ref::<String>().map_or("", |message| message);
        let expected = "`blocking_acquire_all` of concurrency limit `threads-all-async-a` would block the runtime \
                        that this thread drives: write `acquire_all(…).await`, or call it in `spawn_blocking`";
        assert_eq!(message, expected);
    });
    assert_all_free(&a);
    assert_all_free(&b);
}

#[test]
#[should_panic = "names concurrency limiter `threads-all-keys` twice"]
fn two_keys_of_one_limiter_are_refused_as_in_async_code() {
    let keyed: KeyedLimiter = Limiter::new("threads-all-keys", 1).keyed();
    drop(blocking_acquire_all((keyed.key("a"), keyed.key("b"))));
}

#[test]
fn threads_watch_the_clock_of_a_rate_among_the_limits_themselves() {
    let window = Duration::from_millis(10);
    let rated = Limiter::new("threads-all-rate", 2).per(window);
    let other = Limiter::new("threads-all-rate-other", 1);
    let since = Instant::now();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| drop(blocking_acquire_all((&other, &rated))));
        }
    });
    // Two at once, and two after each of three windows.
    assert!(since.elapsed() >= 3 * window);
    assert_eq!((total(&rated).waiting, total(&other).waiting), (0, 0));
    let rated = total(&rated);
    assert_eq!(rated.admitted_at_once + rated.admitted_after_waiting, 8);
}

#[test]
fn a_thread_that_goes_on_to_another_limit_leaves_the_clock_to_others() {
    let window = Duration::from_millis(20);
    let rated = Limiter::new("threads-clock", 1).per(window);
    let other = Limiter::new("threads-clock-other", 1);
    let (started, mut held) = (permit(&rated), Some(permit(&other)));
    let since = Instant::now();
    thread::scope(|scope| {
        let both = scope.spawn(|| blocking_acquire_all((&rated, &other)));
        until("the thread waits", || total(&rated).waiting + total(&other).waiting == 1);
        if total(&other).waiting == 1 {
            drop(held.take());
            until("it waits for the rate", || total(&rated).waiting == 1);
            held = Some(other.try_acquire().expect("the thread gave it back"));
        }
        // It watches the clock now. It is handed the permit by its holder, and lacks the other one.
        until("the window is over", || since.elapsed() > window);
        drop(started);
        until("it waits for the other limit", || total(&other).waiting == 1);
        drop(rated.blocking_acquire());
        // Another thread waits for the next window, and nobody else watches the clock.
        let next = scope.spawn(|| drop(rated.blocking_acquire()));
        until("its window is over", || next.is_finished());
        drop(held);
        drop(both.join().expect("it does not panic"));
    });
    assert_figures(&other, 0, 0);
}
