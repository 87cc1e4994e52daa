//! Calls that do not wait: those that try, and those that have no time.

use limit_runtime::{
    EventKind, Figures, KeyedLimiter, Limiter, Order, Permit, Rejected, RejectedKind, Snapshot,
};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, at_once, let_in, permit, refused, served, waiter};
use limit_tests::runtimes::one_thread;
use std::time::Duration;
use tokio::time::{Instant, advance};

const MS: Duration = Duration::from_millis(1);

/// Asserts that a call was refused because no permit was free and it did not wait.
#[track_caller]
fn assert_no_permits(result: Result<Permit, Rejected>, in_use: usize, waiting: usize) {
    let rejected = result.expect_err("no permit is free");
    assert_eq!(rejected.kind(), RejectedKind::NoPermits);
    assert_eq!((rejected.in_use(), rejected.waiting()), (in_use, waiting));
    assert_eq!(rejected.waited(), Duration::ZERO);
}

/// Asserts how many calls were refused for want of a permit, and that none was for another reason.
#[track_caller]
fn assert_counted(figures: &Figures, no_permits: u64) {
    let rejected = figures.rejected;
    assert_eq!((rejected.no_permits, rejected.total()), (no_permits, no_permits));
}

#[test]
fn a_try_takes_a_free_permit_and_is_refused_when_none_is_free_whoever_waits() {
    let limiter = Limiter::new("trying-queue", 2);
    let first = limiter.try_acquire().expect("both are free");
    let second = limiter.try_acquire().expect("one is free");
    assert_no_permits(limiter.try_acquire(), 2, 0);
    let waiting = waiter(limiter.acquire());
    assert_no_permits(limiter.try_acquire(), 2, 1);
    drop(waiting);
    // One permit is free, and a call that waits for two is before this one.
    drop(first);
    let mut heavy = waiter(limiter.acquire_many(2));
    assert_no_permits(limiter.try_acquire(), 1, 1);
    drop(second);
    drop(served(&mut heavy).expect("both are free"));
    assert_counted(&total(&limiter), 3);
    assert_all_free(&limiter);
}

#[test]
fn a_queue_is_full_only_for_calls_that_could_wait() {
    for most in [0, 1] {
        let limiter = Limiter::new("trying-full", 1).max_waiting(most);
        let held = let_in(limiter.acquire());
        let waiting: Vec<_> = (0..most).map(|_| waiter(limiter.acquire())).collect();
        let full = refused(limiter.acquire());
        assert_eq!(full.kind(), RejectedKind::QueueFull);
        let tried = limiter.try_acquire().expect_err("no permit is free");
        assert_eq!(tried.kind(), RejectedKind::NoPermits);
        let no_time = refused(limiter.acquire().max_wait(Duration::ZERO));
        assert_eq!(no_time.kind(), RejectedKind::NoPermits);
        // The texts are the same: for a reader it makes no difference.
        assert_eq!(tried.to_string(), full.to_string());
        assert_eq!(no_time.to_string(), full.to_string());
        let rejected = total(&limiter).rejected;
        assert_eq!((rejected.queue_full, rejected.no_permits, rejected.total()), (1, 2, 3));
        drop((held, waiting));
        assert_all_free(&limiter);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_with_no_time_to_wait_is_refused_as_a_try_is_whoever_says_so() {
    let past = Instant::now();
    advance(MS).await;
    let limiter = Limiter::new("trying-no-time", 1).max_wait(50 * MS);
    let held = let_in(limiter.acquire());
    for no_time in [past, Instant::now()] {
        assert_no_permits(at_once(limiter.acquire().max_wait(no_time)), 1, 0);
    }
    assert_no_permits(at_once(limiter.acquire().max_wait(Duration::ZERO)), 1, 0);
    assert_no_permits(at_once(limiter.acquire().max_wait(past.into_std())), 1, 0);
    limiter.set_max_wait(Duration::ZERO);
    assert_no_permits(at_once(limiter.acquire()), 1, 0);
    limiter.reset();
    let mut waits = waiter(limiter.acquire());
    assert_no_permits(at_once(limiter.acquire().max_wait(Duration::ZERO)), 1, 1);
    assert_counted(&total(&limiter), 6);
    drop(held);
    drop(served(&mut waits).expect("it had time"));
    drop(let_in(limiter.acquire().max_wait(past)));
    assert_all_free(&limiter);

    let none = Limiter::new("trying-no-time-as-made", 1).max_wait(Duration::ZERO);
    let held = let_in(none.acquire());
    assert_no_permits(at_once(none.acquire()), 1, 0);
    let mut waits = waiter(none.acquire().max_wait(MS));
    advance(MS).await;
    assert_eq!(served(&mut waits).unwrap_err().kind(), RejectedKind::TimedOut);
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_has_waited_and_asks_again_too_late_has_timed_out() {
    let until = Instant::now() + 50 * MS;
    let limiter = Limiter::new("trying-asks-again", 1).max_waiting(5);
    let keyed = Limiter::new("trying-asks-again-keyed", 1).max_waiting(5).keyed();
    let held = (let_in(limiter.acquire()), let_in(keyed.key('a').acquire()));
    let mut calls = (
        waiter(limiter.acquire().max_wait(until)),
        waiter(keyed.key('a').acquire().max_wait(until)),
    );
    advance(60 * MS).await;
    // Both changes together make each waiter ask again.
    for enabled in [false, true] {
        limiter.set_enabled(enabled);
        keyed.set_enabled(enabled);
    }
    for result in [served(&mut calls.0), served(&mut calls.1)] {
        let rejected = result.expect_err("its permit is not free");
        assert_eq!((rejected.kind(), rejected.waited()), (RejectedKind::TimedOut, 60 * MS));
    }
    for figures in [total(&limiter), total(&keyed)] {
        assert_eq!((figures.rejected.timed_out, figures.rejected.total()), (1, 1));
        assert_eq!((figures.waiting, figures.cancelled), (0, 0));
    }
    drop(held);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_asks_again_too_late_takes_nobodys_place_in_the_queue() {
    let limiter = Limiter::new("trying-takes-no-place", 1)
        .max_waiting(1)
        .order(Order::Lifo)
        .max_wait(50 * MS);
    let held = let_in(limiter.acquire());
    let mut late = waiter(limiter.acquire());
    advance(60 * MS).await;
    // Both changes together make each waiter ask again.
    limiter.set_enabled(false);
    limiter.set_enabled(true);
    let mut other = waiter(limiter.acquire());
    assert_eq!(served(&mut late).unwrap_err().kind(), RejectedKind::TimedOut);
    assert_waits(&mut other);
    assert_eq!(total(&limiter).rejected.evicted, 0);
    drop(held);
    drop(served(&mut other).expect("its time is not up"));
    assert_all_free(&limiter);
}

#[test]
fn a_key_without_a_free_permit_refuses_a_try_and_another_key_admits_it() {
    let limiter: KeyedLimiter = Limiter::new("trying-keys", 1).keyed().total(2);
    let held = at_once(limiter.key("a").acquire());
    assert_no_permits(limiter.key("a").try_acquire(), 1, 0);
    let mut waiting = waiter(limiter.key("a").acquire());
    assert_no_permits(limiter.key("a").try_acquire(), 1, 1);
    let other = limiter.key("b").try_acquire().expect("its permit is free");
    // The figures are those of the key: what is in use is the total.
    assert_no_permits(limiter.key("c").try_acquire(), 0, 0);
    assert_no_permits(at_once(limiter.key("c").acquire().max_wait(Duration::ZERO)), 0, 0);
    assert_counted(&total(&limiter), 4);
    assert_eq!(total(&limiter).keys, 2, "no key is kept of those that were refused");
    drop(held);
    drop(served(&mut waiting));
    drop(other);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_shadow_admits_calls_that_do_not_wait_and_counts_them() {
    let plain = Limiter::new("trying-shadow", 1).shadow();
    let keyed = Limiter::new("trying-shadow-keyed", 1).keyed().shadow();
    let held = (permit(&plain), at_once(keyed.key(1).acquire()));
    let tried = (plain.try_acquire(), keyed.key(1).try_acquire());
    let no_time = (
        at_once(plain.acquire().max_wait(Duration::ZERO)),
        at_once(keyed.key(1).acquire().max_wait(Duration::ZERO)),
    );
    for permit in [tried.0, tried.1, no_time.0, no_time.1] {
        drop(permit.expect("a shadow refuses nobody"));
    }
    for figures in [total(&plain), total(&keyed)] {
        let shadowed = figures.shadowed;
        assert_eq!((shadowed.rejected.no_permits, shadowed.rejected.total()), (2, 2));
        assert_eq!((shadowed.waited, figures.admitted_at_once), (0, 3));
        assert_counted(&figures, 0);
    }
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_try_beyond_a_rate_says_when_the_next_permit_comes_back() {
    let limiter = Limiter::new("trying-rate", 1).per(1000 * MS);
    drop(limiter.try_acquire().expect("a permit is free"));
    let rejected = limiter.try_acquire().expect_err("its window is not over");
    assert_eq!((rejected.kind(), rejected.spent()), (RejectedKind::NoPermits, 1));
    assert_eq!(rejected.retry_after(), Some(1000 * MS));
    assert_eq!(
        rejected.to_string(),
        "concurrency limit `trying-rate` reached: 1 of 1 starts of this window spent, the next in \
         1s, 0 waiting",
    );
    assert_counted(&total(&limiter), 1);
}

#[test]
fn a_call_that_could_never_be_admitted_says_so_though_it_does_not_wait() {
    let limiter = Limiter::new("trying-never", 2).max_waiting(1);
    let held = let_in(limiter.acquire_many(2));
    let kind = |result: Result<Permit, Rejected>| result.map(drop).map_err(|why| why.kind());
    assert_eq!(kind(limiter.try_acquire_many(3)), Err(RejectedKind::TooHeavy));
    let heavy = limiter.acquire().weight(3).max_wait(Duration::ZERO);
    assert_eq!(kind(at_once(heavy)), Err(RejectedKind::TooHeavy));
    limiter.close();
    assert_eq!(kind(limiter.try_acquire()), Err(RejectedKind::Closed));
    assert_eq!(
        kind(at_once(limiter.acquire().max_wait(Duration::ZERO))),
        Err(RejectedKind::Closed)
    );
    assert_eq!(total(&limiter).rejected.no_permits, 0);
    drop(held);
}

#[test]
fn listeners_are_told_of_calls_that_do_not_wait() {
    let limiter = Limiter::new("trying-heard", 1).order(Order::Lifo);
    let keyed = Limiter::new("trying-heard-keyed", 1).keyed();
    let _held = (permit(&limiter), at_once(keyed.key(1).acquire()));
    let mut events = (limiter.subscribe(), keyed.subscribe());
    drop((limiter.try_acquire(), keyed.key(1).try_acquire()));
    drop(at_once(limiter.acquire().max_wait(Duration::ZERO)));
    drop(at_once(keyed.key(1).acquire().max_wait(Duration::ZERO)));
    for events in [&mut events.0, &mut events.1] {
        for _ in 0..2 {
            let event = events.try_recv().expect("it was told");
            assert_eq!(event.kind, EventKind::Rejected(RejectedKind::NoPermits));
            assert_eq!((event.in_use, event.waiting), (1, 0));
        }
        events.try_recv().expect_err("that is all");
    }
}

#[test]
fn a_runtimes_figures_have_its_calls_that_did_not_wait_also_when_it_ended() {
    let limiter = Limiter::new("trying-runtimes", 1);
    let [first, second] = [one_thread(), one_thread()];
    for (runtime, refusals) in [(&first, 1), (&second, 2)] {
        runtime.block_on(async {
            let _held = permit(&limiter);
            for _ in 0..refusals {
                limiter.try_acquire().expect_err("no permit is free");
            }
        });
    }
    let by_runtime = |snapshot: &Snapshot| -> Vec<u64> {
        let runtimes = snapshot.runtimes.iter();
        runtimes.map(|runtime| runtime.figures.rejected.no_permits).collect()
    };
    let snapshot = limiter.snapshot();
    assert_eq!((by_runtime(&snapshot), snapshot.total.rejected.no_permits), (vec![1, 2], 3));
    drop(first);
    let snapshot = limiter.snapshot();
    assert_eq!((by_runtime(&snapshot), snapshot.total.rejected.no_permits), (vec![2], 3));
}

#[test]
fn several_permits_are_taken_at_once_or_none() {
    let limiter = Limiter::new("trying-many", 5);
    let three = limiter.try_acquire_many(3).expect("five are free");
    let rejected = limiter.try_acquire_many(3).expect_err("two are free");
    assert_eq!((rejected.kind(), rejected.weight()), (RejectedKind::NoPermits, 3));
    assert_figures(&limiter, 3, 0);
    let two = limiter.try_acquire_many(2).expect("two are free");
    assert_figures(&limiter, 5, 0);
    drop(limiter.try_acquire_many(0).expect("none is always free"));
    let mut waiting = waiter(limiter.acquire());
    drop(two);
    drop(served(&mut waiting));
    drop(three);
    let figures = total(&limiter);
    assert_eq!((figures.admitted_at_once, figures.admitted_after_waiting), (3, 1));
    assert_counted(&figures, 1);
    assert_all_free(&limiter);
}

#[test]
fn several_permits_are_not_taken_before_a_call_that_waits() {
    let limiter = Limiter::new("trying-many-order", 3);
    let held = limiter.try_acquire_many(2).expect("three are free");
    let mut heavy = waiter(limiter.acquire_many(3));
    assert_no_permits(limiter.try_acquire_many(1), 2, 1);
    drop(limiter.try_acquire_many(0).expect("none is always free"));
    assert_waits(&mut heavy);
    drop(held);
    drop(served(&mut heavy).expect("all are free"));
    assert_all_free(&limiter);

    // The newest is served first.
    let lifo = Limiter::new("trying-many-lifo", 3).order(Order::Lifo);
    let held = lifo.try_acquire_many(1).expect("three are free");
    let mut heavy = waiter(lifo.acquire_many(3));
    let two = lifo.try_acquire_many(2).expect("it goes before the one that waits");
    drop((held, two));
    drop(served(&mut heavy).expect("all are free"));
    assert_all_free(&lifo);
}

#[test]
fn a_trys_own_weight_holds_in_place_of_the_limiters() {
    let limiter = Limiter::new("trying-many-weight", 6).weight(4);
    let one = limiter.try_acquire_many(1).expect("six are free");
    assert_figures(&limiter, 1, 0);
    let four = limiter.try_acquire().expect("five are free");
    assert_figures(&limiter, 5, 0);
    drop((one, four));

    let disabled = Limiter::new("trying-many-disabled", 1).enabled(false);
    drop(disabled.try_acquire_many(9).expect("no limit holds"));
    assert_eq!(total(&disabled).admitted_at_once, 1);
}

#[test]
fn the_first_try_makes_the_limit_known() {
    let limiter = Limiter::lazy("trying-lazy", || 2);
    drop(limiter.try_acquire_many(2).expect("two are free"));
    assert_eq!(limiter.limit(), Some(2));
    limiter.try_acquire_many(3).expect_err("there are two");
}
