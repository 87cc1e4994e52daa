//! A limit that changes while calls run and wait.

use limit_runtime::{Limiter, Permit, concurrency_limit};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::occupancy::Inside;
use limit_tests::polling::{assert_waits, permit, served, waiter};
use limit_tests::runtimes::{join, workers};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

#[test]
fn lowering_interrupts_nobody_and_takes_effect_as_permits_come_back() {
    let limiter = Limiter::new("resize-lower", 4);
    let mut held: Vec<_> = (0..4).map(|_| permit(&limiter)).collect();
    let mut waiters: Vec<_> = (0..6).map(|_| waiter(limiter.acquire())).collect();
    limiter.set_limit(2);
    assert_eq!(limiter.limit(), Some(2));
    assert_figures(&limiter, 4, 6);
    for in_use in [3, 2] {
        held.pop();
        assert_figures(&limiter, in_use, 6);
        waiters.iter_mut().for_each(assert_waits);
    }
    // From here on each permit that comes back lets one call in, and at most two permits are out.
    while !waiters.is_empty() {
        drop(held.remove(0));
        held.push(served(&mut waiters.remove(0)));
        assert_figures(&limiter, 2, waiters.len());
        waiters.iter_mut().for_each(assert_waits);
    }
    drop(held);
    assert_all_free(&limiter);
}

#[test]
fn lowering_with_nobody_waiting_keeps_later_calls_out() {
    let limiter = Limiter::new("resize-lower-quiet", 4);
    let mut held: Vec<_> = (0..4).map(|_| permit(&limiter)).collect();
    limiter.set_limit(2);
    for in_use in [4, 3, 2] {
        assert_eq!(limiter.try_acquire().unwrap_err().in_use(), in_use);
        held.pop();
    }
    held.push(limiter.try_acquire().expect("one of two is in use"));
    limiter.try_acquire().unwrap_err();
    drop(held);
    assert_all_free(&limiter);
}

#[test]
fn lowering_takes_free_permits_first() {
    let limiter = Limiter::new("resize-lower-free", 4);
    let held = permit(&limiter);
    limiter.set_limit(2);
    let second = limiter.try_acquire().expect("one of two is in use");
    limiter.try_acquire().unwrap_err();
    drop((held, second));
    assert_all_free(&limiter);
}

#[test]
fn raising_starts_waiters_without_any_release() {
    let limiter = Limiter::new("resize-raise", 2);
    let held = [permit(&limiter), permit(&limiter)];
    let mut waiters: Vec<_> = (0..3).map(|_| waiter(limiter.acquire())).collect();
    limiter.set_limit(4);
    let permits = [served(&mut waiters[0]), served(&mut waiters[1])];
    assert_waits(&mut waiters[2]);
    assert_figures(&limiter, 4, 1);
    drop((held, permits, waiters));
    assert_all_free(&limiter);
}

#[test]
fn raising_after_lowering_cancels_what_is_owed_first() {
    let limiter = Limiter::new("resize-debt", 4);
    let mut held: Vec<_> = (0..4).map(|_| permit(&limiter)).collect();
    let mut waiting = waiter(limiter.acquire());
    limiter.set_limit(1);
    limiter.set_limit(3);
    assert_waits(&mut waiting);
    held.pop();
    assert_waits(&mut waiting);
    limiter.set_limit(4);
    held.push(served(&mut waiting));
    assert_figures(&limiter, 4, 0);
    drop(held);
    assert_all_free(&limiter);
}

#[test]
fn the_limit_of_an_annotated_function_is_changed_by_name() {
    #[concurrency_limit(1, name = "resize-by-name")]
    async fn stay() {
        std::future::pending::<()>().await;
    }

    let _inside = waiter(stay());
    let mut second = waiter(stay());
    let limiter = limit_runtime::find("resize-by-name").expect("it is in use");
    limiter.set_limit(2);
    assert!(second.is_woken());
    assert!(second.poll().is_pending(), "the body waits now");
    let figures = limiter.snapshot().total;
    assert_eq!((figures.in_use, figures.limit, figures.waiting), (2, 2, 0));
}

#[test]
fn at_zero_everybody_waits_and_afterwards_they_start_in_order() {
    let limiter = Limiter::new("resize-pause", 2);
    let held = permit(&limiter);
    limiter.set_limit(0);
    assert_eq!(limiter.limit(), Some(0));
    let mut waiters: Vec<_> = (0..4).map(|_| waiter(limiter.acquire())).collect();
    let mut heavy = waiter(limiter.acquire_many(2));
    let rejected = limiter.try_acquire().expect_err("paused");
    assert_eq!(
        rejected.to_string(),
        "concurrency limit `resize-pause` reached: the limit is 0 (paused), 1 still in use, 5 waiting"
    );
    drop(held);
    let rejected = limiter.try_acquire().expect_err("paused");
    assert_eq!(
        rejected.to_string(),
        "concurrency limit `resize-pause` reached: the limit is 0 (paused), 5 waiting"
    );
    waiters.iter_mut().for_each(assert_waits);
    assert_figures(&limiter, 0, 5);

    limiter.set_limit(2);
    let first: Vec<Permit> = waiters[..2].iter_mut().map(served).collect();
    waiters[2..].iter_mut().for_each(assert_waits);
    drop(first);
    let second: Vec<Permit> = waiters[2..].iter_mut().map(served).collect();
    assert_waits(&mut heavy);
    drop(second);
    drop(served(&mut heavy).expect("not too heavy"));
    drop((waiters, heavy));
    assert_all_free(&limiter);
}

#[test]
fn cancelling_at_zero_is_clean() {
    let limiter = Limiter::new("resize-cancel-paused", 1);
    limiter.set_limit(0);
    let mut waiters: Vec<_> = (0..4).map(|_| waiter(limiter.acquire())).collect();
    drop(waiters.remove(2));
    drop(waiters.remove(0));
    assert_figures(&limiter, 0, 2);
    limiter.set_limit(1);
    drop(served(&mut waiters[0]));
    drop(served(&mut waiters[1]));
    drop(waiters);
    assert_eq!(total(&limiter).cancelled, 2);

    limiter.set_limit(0);
    drop(waiter(limiter.acquire_many(7)));
    limiter.set_limit(1);
    assert_all_free(&limiter);
}

#[test]
fn a_limiter_made_with_zero_is_paused() {
    let limiter = Limiter::new("resize-made-paused", 0);
    let mut waiting = waiter(limiter.acquire());
    limiter.set_limit(1);
    drop(served(&mut waiting));
    drop(waiting);
    assert_all_free(&limiter);
}

#[test]
fn a_limit_set_before_the_first_call_holds_for_it() {
    let limiter = Limiter::new("resize-before", 1);
    limiter.set_limit(3);
    assert_eq!(limiter.limit(), Some(3));
    assert_all_free(&limiter);
}

#[test]
fn changes_from_many_threads_end_at_one_that_was_asked_for() {
    const LAST: [usize; 4] = [2, 3, 5, 7];
    let limiter = Arc::new(Limiter::new("resize-threads", 4));
    let inside = Arc::new(Inside::new());
    let done = Arc::new(AtomicBool::new(false));
    let runtime = workers(4);
    let cycling: Vec<_> = (0..32)
        .map(|_| {
            let (limiter, inside) = (Arc::clone(&limiter), Arc::clone(&inside));
            let done = Arc::clone(&done);
            runtime.spawn(async move {
                while !done.load(Ordering::SeqCst) {
                    let _permit = limiter.acquire().await;
                    let _inside = inside.enter();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();

    let start = Arc::new(Barrier::new(LAST.len()));
    let changers: Vec<_> = LAST
        .into_iter()
        .map(|last| {
            let (limiter, start) = (Arc::clone(&limiter), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                for change in 0..500 {
                    limiter.set_limit(change * last % 11);
                }
                limiter.set_limit(last);
            })
        })
        .collect();
    for changer in changers {
        changer.join().expect("it does not panic");
    }
    done.store(true, Ordering::SeqCst);
    runtime.block_on(join(cycling));

    let limit = limiter.snapshot().total.limit;
    assert!(LAST.contains(&limit), "{limit}");
    assert!(inside.most() <= 10, "{}", inside.most());
    assert_eq!(limiter.snapshot().total.limit, limit);
    runtime.block_on(async { assert_all_free(&limiter) });
    let figures = limiter.snapshot();
    assert_eq!(figures.runtimes.len(), 1);
    assert_eq!(figures.runtimes[0].figures.limit, limit);
}
