//! The call with the earliest deadline is served first, and one that is too late has no turn.

use limit_runtime::{Limiter, MaxWait, Order, Rejected, RejectedKind, Share, concurrency_limit};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, let_in, ready, refused, served, waiter};
use std::future::Future;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::{Instant, advance};

const MS: Duration = Duration::from_millis(1);

fn by_deadline(name: &'static str, limit: usize) -> Limiter<Rejected> {
    Limiter::new(name, limit).max_waiting(usize::MAX).order(Order::Deadline)
}

#[tokio::test(start_paused = true)]
async fn the_earliest_deadline_is_first_and_calls_without_one_are_last() {
    let limiter = by_deadline("deadlines-order", 1);
    let mut held = let_in(limiter.acquire());
    let until = |ms: u32| MaxWait::Until(Instant::now() + ms * MS);
    let mut waiting = vec![
        (0, waiter(limiter.acquire())),
        (1, waiter(limiter.acquire().max_wait(300 * MS))),
        (2, waiter(limiter.acquire().max_wait(100 * MS))),
        (3, waiter(limiter.acquire().max_wait(until(200)))),
        (4, waiter(limiter.acquire().max_wait(100 * MS))),
        (5, waiter(limiter.acquire().max_wait(Duration::MAX))),
    ];
    advance(50 * MS).await;
    waiting.push((6, waiter(limiter.acquire().max_wait(49 * MS))));
    let mut order = Vec::new();
    while !waiting.is_empty() {
        drop(held);
        let mut served = ready(&mut waiting);
        assert_eq!(served.len(), 1);
        let (number, permit) = served.remove(0);
        order.push(number);
        held = permit.unwrap();
    }
    assert_eq!(order, [6, 2, 4, 3, 1, 0, 5]);
    drop(held);
    assert_all_free(&limiter);
}

/// Its own timer would refuse it, but the task has not been polled yet.
#[tokio::test(start_paused = true)]
async fn a_call_that_is_too_late_when_its_turn_comes_is_refused_and_the_next_is_served() {
    let limiter = by_deadline("deadlines-late", 1).max_wait(100 * MS);
    let held = let_in(limiter.acquire());
    let mut late = Box::pin(limiter.acquire());
    let mut context = Context::from_waker(Waker::noop());
    assert!(late.as_mut().poll(&mut context).is_pending());
    advance(50 * MS).await;
    let mut in_time = waiter(limiter.acquire());
    advance(50 * MS).await;
    drop(held);
    let permit = served(&mut in_time).unwrap();
    assert_figures(&limiter, 1, 0);
    assert_eq!(total(&limiter).rejected.timed_out, 1);
    let Poll::Ready(Err(rejected)) = late.as_mut().poll(&mut context) else {
        panic!("it is refused");
    };
    assert_eq!((rejected.kind(), rejected.waited()), (RejectedKind::TimedOut, 100 * MS));
    assert_eq!((rejected.in_use(), rejected.waiting()), (0, 1), "when its turn came");
    assert_eq!(total(&limiter).rejected.total(), 1);
    drop(permit);
    assert_all_free(&limiter);
}

/// In order of arrival a call that is handed its permit in time runs, and also one that is handed it late.
#[tokio::test(start_paused = true)]
async fn a_permit_that_was_handed_over_in_time_is_used_later() {
    let limiter = by_deadline("deadlines-granted", 1).max_wait(100 * MS);
    let held = let_in(limiter.acquire());
    let mut first = waiter(limiter.acquire());
    advance(99 * MS).await;
    drop(held);
    advance(MS).await;
    drop(served(&mut first).unwrap());
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn many_that_are_too_late_are_all_refused_at_one_release() {
    let limiter = by_deadline("deadlines-many", 1).max_wait(100 * MS);
    let held = let_in(limiter.acquire());
    let mut calls: Vec<_> = (0..200).map(|_| Box::pin(limiter.acquire())).collect();
    let mut context = Context::from_waker(Waker::noop());
    for call in &mut calls {
        assert!(call.as_mut().poll(&mut context).is_pending());
    }
    let mut last = waiter(limiter.acquire().max_wait(200 * MS));
    advance(100 * MS).await;
    drop(held);
    assert_eq!(total(&limiter).rejected.timed_out, 200);
    drop(served(&mut last).unwrap());
    for call in &mut calls {
        assert!(matches!(call.as_mut().poll(&mut context), Poll::Ready(Err(_))));
    }
    drop(calls);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn many_of_a_key_that_are_too_late_are_all_refused_at_one_release() {
    let limiter = by_deadline("deadlines-many-of-key", 1).max_wait(100 * MS).keyed();
    let held = let_in(limiter.key(1).acquire());
    let calls: Vec<_> = (0..200).map(|_| waiter(limiter.key(1).acquire())).collect();
    let mut last = waiter(limiter.key(1).acquire().max_wait(200 * MS));
    advance(100 * MS).await;
    drop(held);
    assert_eq!(limiter.snapshot().total.rejected.timed_out, 200);
    drop(served(&mut last).unwrap());
    drop(calls);
    assert_eq!(limiter.snapshot().total.keys, 0);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_the_newcomer_whatever_its_deadline_and_its_priority() {
    let limiter = by_deadline("deadlines-full", 1).max_waiting(1);
    let held = let_in(limiter.acquire());
    let mut first = waiter(limiter.acquire().max_wait(300 * MS));
    let earlier = limiter.acquire().max_wait(100 * MS).priority(9);
    assert_eq!(refused(earlier).kind(), RejectedKind::QueueFull);
    assert_waits(&mut first);
    drop(held);
    drop(served(&mut first).unwrap());
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn a_light_call_with_an_earlier_deadline_does_not_wait_behind_a_heavy_one() {
    let limiter = by_deadline("deadlines-heavy", 3);
    let held = let_in(limiter.acquire().weight(2));
    let mut heavy = waiter(limiter.acquire().weight(2).max_wait(300 * MS));
    let mut later = waiter(limiter.acquire().max_wait(400 * MS));
    let mut earlier = waiter(limiter.acquire().max_wait(200 * MS));
    let permit = served(&mut earlier).unwrap();
    assert_waits(&mut heavy);
    assert_waits(&mut later);
    drop(held);
    drop((served(&mut heavy).unwrap(), permit));
    drop(served(&mut later).unwrap());
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn keys_and_shares_have_an_order_of_their_own_each() {
    const SHARES: &[Share] = &[Share::new("live", 100)];
    let keyed = by_deadline("deadlines-keys", 1).keyed().total(2);
    let held = [let_in(keyed.key(1).acquire()), let_in(keyed.key(2).acquire())];
    let mut later = waiter(keyed.key(1).acquire().max_wait(200 * MS));
    let mut late = waiter(keyed.key(2).acquire().max_wait(50 * MS));
    let mut earlier = waiter(keyed.key(1).acquire().max_wait(100 * MS));
    advance(60 * MS).await;
    drop(held);
    assert_eq!(served(&mut late).unwrap_err().kind(), RejectedKind::TimedOut);
    drop(served(&mut earlier).unwrap());
    drop(served(&mut later).unwrap());
    assert_eq!(keyed.snapshot().total.keys, 0);

    let shared = by_deadline("deadlines-shares", 1).shares(SHARES);
    let held = let_in(shared.share("live").acquire());
    let mut later = waiter(shared.share("live").acquire().max_wait(200 * MS));
    let mut late = waiter(shared.share("live").acquire().max_wait(50 * MS));
    let mut earlier = waiter(shared.share("live").acquire().max_wait(100 * MS));
    advance(60 * MS).await;
    drop(held);
    assert_eq!(served(&mut late).unwrap_err().kind(), RejectedKind::TimedOut);
    drop(served(&mut earlier).unwrap());
    drop(served(&mut later).unwrap());
    assert_all_free(&shared);
}

#[tokio::test(start_paused = true)]
async fn the_attribute_takes_a_deadline_for_each_call() {
    #[concurrency_limit(1, order = deadline, max_wait = within, name = "deadlines-attribute")]
    async fn work(within: Duration, hold: Duration) -> Result<Instant, Rejected> {
        tokio::time::sleep(hold).await;
        Ok(Instant::now())
    }
    let start = Instant::now();
    let (first, later, earlier, late) = tokio::join!(
        biased;
        work(MS, 100 * MS),
        work(500 * MS, 10 * MS),
        work(200 * MS, 10 * MS),
        work(50 * MS, 10 * MS),
    );
    assert_eq!(first.unwrap() - start, 100 * MS);
    assert_eq!(earlier.unwrap() - start, 110 * MS);
    assert_eq!(later.unwrap() - start, 120 * MS);
    assert_eq!(late.unwrap_err().kind(), RejectedKind::TimedOut);
    let limiter = limit_runtime::find("deadlines-attribute").unwrap();
    assert_eq!(limiter.snapshot().order, Order::Deadline);
}
