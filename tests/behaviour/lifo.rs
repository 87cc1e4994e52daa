//! The newest waiter is served first.

use limit_runtime::{Limiter, Order, Rejected, RejectedKind};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, at_once, let_in, permit, ready, refused, served, waiter};
use limit_tests::programs::is_alone;
use std::task::Poll;
use std::time::Duration;
use tokio::time::{advance, sleep};
use tokio_test::task;

const MS: Duration = Duration::from_millis(1);

fn bounded(name: &'static str, limit: usize, bound: usize) -> Limiter<Rejected> {
    Limiter::new(name, limit).order(Order::Lifo).max_waiting(bound)
}

/// A new limiter reuses the storage of one that was dropped.
#[test]
fn the_newest_is_served_first_although_the_limiter_before_had_priorities() {
    if !is_alone("lifo::the_newest_is_served_first_although_the_limiter_before_had_priorities") {
        return;
    }
    let before = Limiter::new("lifo-before", 1);
    let held = permit(&before);
    drop(waiter(before.acquire().priority(1)));
    drop(held);
    drop(before);

    let limiter = Limiter::new("lifo-after", 1).order(Order::Lifo);
    let held = permit(&limiter);
    let mut older = waiter(limiter.acquire());
    let mut newest = waiter(limiter.acquire());
    drop(held);
    drop(served(&mut newest));
    drop(served(&mut older));
    assert_all_free(&limiter);
}

#[test]
fn waiters_are_served_the_newest_first() {
    let limiter = Limiter::new("lifo-order", 1).order(Order::Lifo);
    let mut held = permit(&limiter);
    let mut waiting: Vec<_> = (0..5).map(|number| (number, waiter(limiter.acquire()))).collect();
    for number in [4, 3, 2, 1, 0] {
        drop(held);
        let mut served = ready(&mut waiting);
        assert_eq!(served.len(), 1);
        let (newest, permit) = served.remove(0);
        assert_eq!(newest, number);
        held = permit;
    }
    drop(held);
    assert_all_free(&limiter);
}

#[test]
fn who_comes_while_others_wait_is_served_before_them() {
    let limiter = Limiter::new("lifo-interleaved", 1).order(Order::Lifo);
    let held = permit(&limiter);
    let mut oldest = waiter(limiter.acquire());
    let mut newest = waiter(limiter.acquire());
    drop(held);
    let held = served(&mut newest);
    let mut still_newer = waiter(limiter.acquire());
    assert_waits(&mut oldest);
    drop(held);
    drop(served(&mut still_newer));
    drop(served(&mut oldest));
    assert_all_free(&limiter);
}

#[test]
fn a_cancelled_waiter_leaves_the_others_in_order() {
    for cancelled in 0..5 {
        let limiter = Limiter::named("lifo-cancelled", 1).order(Order::Lifo);
        let held = permit(&limiter);
        let mut waiting: Vec<_> =
            (0..5).map(|number| (number, waiter(limiter.acquire()))).collect();
        drop(waiting.remove(cancelled));
        drop(held);
        for number in (0..5).rev().filter(|&number| number != cancelled) {
            let order: Vec<_> = ready(&mut waiting).iter().map(|(number, _)| *number).collect();
            assert_eq!(order, [number]);
        }
        assert_all_free(&limiter);
    }
}

#[tokio::test(start_paused = true)]
async fn with_a_full_queue_the_oldest_is_refused_to_let_the_newest_in() {
    let limiter = bounded("lifo-evicted", 1, 3);
    let held = let_in(limiter.acquire());
    let mut waiting: Vec<_> = (0..3).map(|number| (number, waiter(limiter.acquire()))).collect();
    for oldest in 0..4 {
        advance(10 * MS).await;
        waiting.push((oldest + 3, waiter(limiter.acquire())));
        let (number, result) = ready(&mut waiting).pop().expect("one is refused");
        assert_eq!(number, oldest);
        let rejected = result.unwrap_err();
        assert_eq!(rejected.kind(), RejectedKind::Evicted);
        let waited = u32::try_from(oldest + 1).unwrap().min(3) * 10 * MS;
        assert_eq!(rejected.waited(), waited);
        assert_eq!((rejected.limit(), rejected.in_use()), (1, 1));
        assert_eq!(rejected.waiting(), 2, "those who were left");
        assert_eq!((rejected.limiter(), rejected.weight()), ("lifo-evicted", 1));
        assert_eq!(rejected.retry_after(), None);
        assert_eq!(
            rejected.to_string(),
            format!(
                "evicted from the queue of concurrency limit `lifo-evicted` by a newer call after \
                 {waited:?}: 1 of 1 permits in use, 2 waiting"
            ),
        );
        let figures = total(&limiter);
        assert_eq!((figures.waiting, figures.most_waiting), (3, 3));
        assert_eq!(
            (figures.rejected.evicted, figures.rejected.total()),
            (oldest as u64 + 1, oldest as u64 + 1)
        );
        assert_eq!((figures.cancelled, figures.admitted_after_waiting), (0, 0));
    }
    drop(held);
    for number in [6, 5, 4] {
        let (newest, result) = ready(&mut waiting).pop().expect("one is served");
        assert_eq!(newest, number);
        drop(result.unwrap());
    }
    assert_all_free(&limiter);
}

#[test]
fn an_evicted_call_that_is_dropped_before_it_is_told_was_refused_and_not_cancelled() {
    let limiter = bounded("lifo-evicted-dropped", 1, 1);
    let held = let_in(limiter.acquire());
    let oldest = waiter(limiter.acquire());
    let mut newest = waiter(limiter.acquire());
    assert!(oldest.is_woken());
    drop(oldest);
    assert_figures(&limiter, 1, 1);
    assert_eq!((total(&limiter).rejected.evicted, total(&limiter).cancelled), (1, 0));
    drop(held);
    drop(served(&mut newest).unwrap());
    assert_all_free(&limiter);
}

#[test]
fn nobody_is_evicted_by_who_cannot_wait_or_need_not() {
    let limiter = bounded("lifo-not-evicted", 2, 1);
    let held = let_in(limiter.acquire().weight(2));
    let mut oldest = waiter(limiter.acquire());
    assert_eq!(limiter.try_acquire().unwrap_err().kind(), RejectedKind::NoPermits);
    assert_eq!(refused(limiter.acquire().weight(3)).kind(), RejectedKind::TooHeavy);
    drop(let_in(limiter.acquire().weight(0)));
    drop(let_in(limiter.acquire().enabled(false)));
    assert_waits(&mut oldest);
    assert_eq!(total(&limiter).rejected.evicted, 0);
    drop(held);
    drop(served(&mut oldest).unwrap());
    assert_all_free(&limiter);
}

#[test]
fn without_a_queue_there_is_nobody_to_evict() {
    let limiter = bounded("lifo-no-queue", 1, 0);
    let held = let_in(limiter.acquire());
    let rejected = refused(limiter.acquire());
    assert_eq!((rejected.kind(), rejected.waiting()), (RejectedKind::QueueFull, 0));
    drop(held);
    assert_all_free(&limiter);
}

#[test]
fn the_newest_is_waited_for_also_if_it_is_heavy() {
    let limiter = Limiter::new("lifo-heavy", 2).order(Order::Lifo);
    let held = [permit(&limiter), permit(&limiter)];
    let mut light = waiter(limiter.acquire().weight(1));
    let mut heavy = waiter(limiter.acquire().weight(2));
    let [first, second] = held;
    drop(first);
    assert_waits(&mut light);
    assert_waits(&mut heavy);
    drop(second);
    let heavy = served(&mut heavy).unwrap();
    assert_waits(&mut light);
    drop(heavy);
    drop(served(&mut light).unwrap());
    assert_all_free(&limiter);
}

#[test]
fn the_newest_takes_what_is_free_before_a_heavy_one_that_waits_for_more() {
    let limiter = Limiter::new("lifo-before-heavy", 2).order(Order::Lifo);
    let held = permit(&limiter);
    let mut heavy = waiter(limiter.acquire().weight(2));
    let mut light = task::spawn(limiter.acquire());
    // The call ends at once, or wakes itself and ends then.
    let permit = match light.poll() {
        Poll::Ready(permit) => permit,
        Poll::Pending => served(&mut light),
    };
    assert_figures(&limiter, 2, 1);
    drop((held, permit));
    drop(served(&mut heavy).unwrap());
    assert_all_free(&limiter);
}

#[test]
fn who_finds_its_permits_free_evicts_nobody() {
    let limiter = bounded("lifo-free", 3, 1);
    let held = let_in(limiter.acquire().weight(2));
    let mut heavy = waiter(limiter.acquire().weight(3));
    let light = let_in(limiter.acquire());
    assert_waits(&mut heavy);
    let mut newest = waiter(limiter.acquire());
    assert_eq!(served(&mut heavy).unwrap_err().kind(), RejectedKind::Evicted);
    drop(light);
    drop(served(&mut newest).unwrap());
    drop(held);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_times_out_while_the_newest_are_served() {
    let limiter = Limiter::new("lifo-max-wait", 1).order(Order::Lifo).max_wait(50 * MS);
    let mut held = let_in(limiter.acquire());
    let mut oldest = waiter(limiter.acquire());
    for _ in 0..5 {
        let mut newer = waiter(limiter.acquire());
        sleep(10 * MS).await;
        drop(held);
        held = served(&mut newer).unwrap();
    }
    let rejected = served(&mut oldest).unwrap_err();
    assert_eq!((rejected.kind(), rejected.waited()), (RejectedKind::TimedOut, 50 * MS));
    drop(held);
    assert_all_free(&limiter);
}

#[test]
fn a_raised_limit_serves_several_the_newest_first() {
    let limiter = Limiter::new("lifo-raised", 1).order(Order::Lifo);
    let held = permit(&limiter);
    let mut waiting: Vec<_> = (0..5).map(|number| (number, waiter(limiter.acquire()))).collect();
    limiter.set_limit(3);
    let served = ready(&mut waiting);
    assert_eq!(served.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [3, 4]);
    drop((held, served));
    assert_eq!(ready(&mut waiting).len(), 3);
    assert_all_free(&limiter);
}

#[test]
fn priorities_are_of_no_consequence_where_the_newest_is_first() {
    let limiter = Limiter::new("lifo-priorities", 1).order(Order::Lifo).priority(3);
    let held = permit(&limiter);
    let mut urgent = waiter(limiter.acquire().priority(200));
    let mut newest = waiter(limiter.acquire().priority(0));
    drop(held);
    drop(served(&mut newest));
    drop(served(&mut urgent));
    drop(at_once(limiter.acquire()));
    assert_all_free(&limiter);
}

#[test]
fn a_bound_that_is_lowered_while_calls_wait_holds_for_those_who_come() {
    let limiter = Limiter::new("lifo-lowered", 1).order(Order::Lifo).max_waiting(10);
    let held = let_in(limiter.acquire());
    let mut calls: Vec<_> = (0..4).map(|_| waiter(limiter.acquire())).collect();
    limiter.set_max_waiting(0);
    assert_eq!(refused(limiter.acquire()).kind(), RejectedKind::QueueFull, "nobody may wait");
    assert_figures(&limiter, 1, 4);
    limiter.set_max_waiting(2);
    // Each new call evicts the oldest, and the queue gets shorter by one.
    for waiting in [3, 2, 2] {
        calls.push(waiter(limiter.acquire()));
        assert_figures(&limiter, 1, waiting);
    }
    for evicted in calls.drain(..5) {
        let mut evicted = evicted;
        assert_eq!(served(&mut evicted).unwrap_err().kind(), RejectedKind::Evicted);
    }
    drop((calls, held));
    assert_all_free(&limiter);
}
