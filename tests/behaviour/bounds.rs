//! Bounded queues: the calls that are refused, and the figures of the refusals.

use limit_runtime::{Limiter, Permit, Rejected, RejectedKind};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::occupancy::Inside;
use limit_tests::polling::{assert_waits, let_in, refused, served, waiter};
use limit_tests::runtimes::{join, workers};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;
use tokio::task::yield_now;
use tokio_test::assert_pending;

fn holders(limiter: &Limiter<Rejected>, number: usize) -> Vec<Permit> {
    (0..number).map(|_| let_in(limiter.acquire())).collect()
}

#[test]
fn with_n_running_and_q_waiting_the_next_call_is_refused_at_once_with_the_figures() {
    let limiter = Limiter::new("bounds-figures", 3).max_waiting(2);
    let held = holders(&limiter, 3);
    let mut waiting: Vec<_> = (0..2).map(|_| waiter(limiter.acquire())).collect();
    for refusals in 1..=3 {
        let rejected = refused(limiter.acquire());
        assert_eq!(rejected.kind(), RejectedKind::QueueFull);
        assert_eq!(rejected.limiter(), "bounds-figures");
        assert_eq!((rejected.limit(), rejected.in_use(), rejected.waiting()), (3, 3, 2));
        assert_eq!((rejected.weight(), rejected.waited()), (1, Duration::ZERO));
        assert_eq!(
            rejected.to_string(),
            "concurrency limit `bounds-figures` reached: 3 of 3 permits in use, 2 waiting",
        );
        assert_eq!(total(&limiter).rejected.queue_full, refusals);
        assert_figures(&limiter, 3, 2);
    }
    waiting.iter_mut().for_each(assert_waits);

    drop(held);
    for call in &mut waiting {
        drop(served(call).unwrap());
    }
    let figures = total(&limiter);
    assert_eq!((figures.most_waiting, figures.rejected.total()), (2, 3));
    assert_eq!((figures.admitted_at_once, figures.admitted_after_waiting), (3, 2));
    assert_all_free(&limiter);
}

#[test]
fn a_full_queue_that_shrinks_by_a_cancelled_waiter_admits_again() {
    let limiter = Limiter::new("bounds-shrinks", 1).max_waiting(3);
    let held = holders(&limiter, 1);
    let mut waiting: Vec<_> = (0..3).map(|_| waiter(limiter.acquire())).collect();
    for place in [2, 1, 0, 1] {
        refused(limiter.acquire());
        drop(waiting.remove(place));
        assert_figures(&limiter, 1, 2);
        waiting.push(waiter(limiter.acquire()));
        assert_figures(&limiter, 1, 3);
    }
    refused(limiter.acquire());
    assert_eq!((total(&limiter).cancelled, total(&limiter).rejected.queue_full), (4, 5));
    drop(held);
    for call in &mut waiting {
        drop(served(call).unwrap());
    }
    assert_all_free(&limiter);
}

#[test]
fn a_waiter_that_is_served_makes_place_for_another_before_it_is_polled() {
    let limiter = Limiter::new("bounds-served", 1).max_waiting(1);
    let mut held = holders(&limiter, 1);
    let mut first = waiter(limiter.acquire());
    refused(limiter.acquire());
    held.clear();
    let mut second = waiter(limiter.acquire());
    let rejected = refused(limiter.acquire());
    assert_eq!((rejected.in_use(), rejected.waiting()), (1, 1));
    drop(served(&mut first).unwrap());
    drop(served(&mut second).unwrap());
    assert_all_free(&limiter);
}

#[test]
fn without_a_queue_the_next_call_is_refused_at_once_and_those_inside_are_unaffected() {
    let limiter = Limiter::new("bounds-no-queue", 2).max_waiting(0);
    for _ in 0..3 {
        let mut held = holders(&limiter, 2);
        for _ in 0..3 {
            let rejected = refused(limiter.acquire());
            assert_eq!(rejected.kind(), RejectedKind::QueueFull);
            assert_eq!((rejected.limit(), rejected.in_use(), rejected.waiting()), (2, 2, 0));
        }
        assert_figures(&limiter, 2, 0);
        held.pop();
        held.push(let_in(limiter.acquire()));
        refused(limiter.acquire());
    }
    let figures = total(&limiter);
    assert_eq!((figures.most_waiting, figures.rejected.queue_full), (0, 12));
    assert_eq!((figures.admitted_at_once, figures.admitted_after_waiting), (9, 0));
    assert_all_free(&limiter);
}

#[test]
fn without_a_queue_a_call_for_more_than_is_free_is_refused_and_a_lighter_one_let_in() {
    let limiter = Limiter::new("bounds-no-queue-weights", 4).max_waiting(0);
    let held = let_in(limiter.acquire().weight(2));
    let rejected = refused(limiter.acquire().weight(3));
    assert_eq!((rejected.kind(), rejected.weight()), (RejectedKind::QueueFull, 3));
    assert_eq!((rejected.in_use(), rejected.waiting()), (2, 0));
    drop(let_in(limiter.acquire().weight(2)));
    drop(held);
    assert_all_free(&limiter);
}

#[test]
fn at_limit_zero_without_a_queue_every_call_is_refused() {
    let limiter = Limiter::new("bounds-paused", 0).max_waiting(0);
    let rejected = refused(limiter.acquire());
    assert_eq!((rejected.kind(), rejected.limit()), (RejectedKind::QueueFull, 0));
    limiter.set_limit(1);
    drop(let_in(limiter.acquire()));
    assert_all_free(&limiter);
}

#[test]
fn the_bound_is_on_calls_and_not_on_permits() {
    let limiter = Limiter::new("bounds-weights", 8).max_waiting(2);
    let held = let_in(limiter.acquire().weight(8));
    let mut heavy = waiter(limiter.acquire().weight(8));
    let mut light = waiter(limiter.acquire());
    assert_eq!(refused(limiter.acquire()).kind(), RejectedKind::QueueFull);
    assert_eq!(refused(limiter.acquire().weight(9)).kind(), RejectedKind::TooHeavy);
    drop(let_in(limiter.acquire().weight(0)));
    drop(held);
    drop(served(&mut heavy).unwrap());
    drop(served(&mut light).unwrap());
    assert_all_free(&limiter);
}

#[test]
fn the_largest_bounds_are_honoured() {
    for bound in [usize::MAX, u32::MAX as usize, u32::MAX as usize - 1, 1 << 31] {
        let limiter = Limiter::named("bounds-largest", 1).max_waiting(bound);
        let held = let_in(limiter.acquire());
        let mut waiting: Vec<_> = (0..100).map(|_| waiter(limiter.acquire())).collect();
        assert_figures(&limiter, 1, 100);
        drop(held);
        for call in &mut waiting {
            drop(served(call).unwrap());
        }
        assert_all_free(&limiter);
    }
}

#[test]
fn a_bound_set_again_is_the_last_one() {
    let limiter = Limiter::new("bounds-twice", 1).max_waiting(0).max_waiting(1);
    let held = let_in(limiter.acquire());
    let waiting = waiter(limiter.acquire());
    refused(limiter.acquire());
    drop((held, waiting));
    assert_all_free(&limiter);
}

#[test]
fn a_try_does_not_care_about_the_bound() {
    let limiter = Limiter::new("bounds-try", 1).max_waiting(5);
    let held = limiter.try_acquire().expect("one is free");
    let rejected = limiter.try_acquire().unwrap_err();
    assert_eq!((rejected.kind(), rejected.waiting()), (RejectedKind::NoPermits, 0));
    drop(held);
    assert_all_free(&limiter);
}

#[test]
fn who_waits_for_the_limit_to_be_found_out_is_held_to_the_bound_when_it_is() {
    static FOUND: Barrier = Barrier::new(2);
    static ASKED: Barrier = Barrier::new(2);

    fn find_out() -> usize {
        ASKED.wait();
        FOUND.wait();
        2
    }

    let limiter = Limiter::lazy("bounds-lazy", find_out).max_waiting(2);
    thread::scope(|scope| {
        let first = scope.spawn(|| let_in(limiter.acquire()));
        ASKED.wait();
        let mut calls: Vec<_> = (0..6).map(|_| waiter(limiter.acquire())).collect();
        assert_figures(&limiter, 0, 0);
        FOUND.wait();
        let permits = [first.join().unwrap(), served(&mut calls[0]).unwrap()];
        for waits in &mut calls[1..3] {
            assert!(waits.is_woken(), "the limit is known");
            assert_pending!(waits.poll());
        }
        assert_figures(&limiter, 2, 2);
        for last in &mut calls[3..] {
            assert_eq!(served(last).unwrap_err().kind(), RejectedKind::QueueFull);
        }
        drop(permits);
        drop((served(&mut calls[1]).unwrap(), served(&mut calls[2]).unwrap()));
    });
    assert_eq!(total(&limiter).rejected.queue_full, 3);
    assert_all_free(&limiter);
}

#[test]
fn in_a_storm_each_call_is_let_in_or_refused_and_no_more_wait_than_may() {
    static REFUSED: AtomicUsize = AtomicUsize::new(0);
    static INSIDE: Inside = Inside::new();

    let limiter = Arc::new(Limiter::new("bounds-storm", 4).max_waiting(8));
    workers(4).block_on(async {
        // All calls that come while the limit is being resolved wait, even more than may wait
        // later.
        drop(let_in(limiter.acquire()));
        let call = |limiter: Arc<Limiter<Rejected>>| async move {
            match limiter.acquire().await {
                Ok(_permit) => {
                    let _inside = INSIDE.enter();
                    yield_now().await;
                    // The calls may come slowly: none leaves before the queue has been full.
                    while INSIDE.most() < 4 || REFUSED.load(Ordering::Relaxed) == 0 {
                        yield_now().await;
                    }
                }
                Err(rejected) => {
                    assert_eq!(rejected.kind(), RejectedKind::QueueFull);
                    assert_eq!(rejected.waiting(), 8);
                    assert!(rejected.in_use() <= 4);
                    REFUSED.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        for _ in 0..20 {
            join((0..1000).map(|_| tokio::spawn(call(Arc::clone(&limiter)))).collect()).await;
        }
    });
    let refused = REFUSED.load(Ordering::Relaxed) as u64;
    let figures = total(&limiter);
    assert_eq!(INSIDE.most(), 4);
    assert!(refused > 0 && figures.most_waiting == 8, "the queue was full: {figures}");
    assert_eq!(figures.rejected.queue_full, refused);
    assert_eq!(figures.admitted_at_once + figures.admitted_after_waiting, 20_001 - refused);
    assert_all_free(&limiter);
}
