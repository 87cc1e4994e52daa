//! Waiters with a higher priority are served first, but no call waits for ever. All tests use the
//! paused clock.

use limit_runtime::{Acquire, Limiter, Permit, RejectedKind};
use limit_tests::figures::{assert_all_free, total};
use limit_tests::polling::{assert_waits, permit, ready, served, waiter};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, advance, sleep};
use tokio_test::task::{self, Spawn};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Serves all calls one by one; returns their numbers in the order of service.
fn order(mut held: Permit, mut waiting: Vec<(usize, Spawn<Acquire<'_>>)>) -> Vec<usize> {
    let mut order = Vec::new();
    while !waiting.is_empty() {
        drop(held);
        let mut served = ready(&mut waiting);
        assert_eq!(served.len(), 1, "one permit, one call");
        let (number, permit) = served.remove(0);
        order.push(number);
        held = permit;
    }
    drop(held);
    order
}

#[tokio::test(start_paused = true)]
async fn the_higher_go_first_and_within_one_priority_who_came_first() {
    let limiter = Limiter::new("priorities-order", 1);
    let held = permit(&limiter);
    let priorities = [0, 3, 1, 255, 3, 0, 1, 255];
    let waiting = (0..)
        .zip(priorities)
        .map(|(number, priority)| (number, waiter(limiter.acquire().priority(priority))))
        .collect();
    assert_eq!(order(held, waiting), [3, 7, 1, 4, 2, 6, 0, 5]);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn without_a_priority_a_call_has_the_limiters() {
    let limiter = Limiter::new("priorities-default", 1).priority(5);
    let held = permit(&limiter);
    let waiting = vec![
        (0, waiter(limiter.acquire().priority(4))),
        (1, waiter(limiter.acquire())),
        (2, waiter(limiter.acquire().priority(6))),
        (3, waiter(limiter.acquire().priority(5))),
    ];
    assert_eq!(order(held, waiting), [2, 1, 3, 0]);
    assert_all_free(&limiter);
}

/// The rule: each level of priority counts as one second of waiting.
#[tokio::test(start_paused = true)]
async fn a_low_one_that_came_n_seconds_before_a_call_n_levels_higher_is_served_before_it() {
    for levels in [1, 3, 10, 255] {
        let milliseconds = 1000 * u32::from(levels);
        for (later, low_first) in
            [(milliseconds, true), (milliseconds + 1, true), (milliseconds - 1, false)]
        {
            let later = later * MS;
            let limiter = Limiter::named("priorities-rule", 1).priority(0);
            let held = permit(&limiter);
            let low = waiter(limiter.acquire());
            advance(later).await;
            let high = waiter(limiter.acquire().priority(levels));
            let expected = if low_first { [0, 1] } else { [1, 0] };
            let waiting = vec![(0, low), (1, high)];
            assert_eq!(order(held, waiting), expected, "{levels} levels, {later:?} later");
            assert_all_free(&limiter);
        }
    }
}

/// A call of a higher priority comes every 100 ms and stays for 100 ms, so that one always waits.
#[tokio::test(start_paused = true)]
async fn under_a_steady_stream_of_higher_ones_a_low_one_waits_n_seconds_and_no_longer() {
    for levels in [1_u8, 4, 20] {
        let limiter = Arc::new(Limiter::named("priorities-stream", 1));
        let call = |limiter: Arc<Limiter>, priority| async move {
            let _permit = limiter.acquire().priority(priority).await;
            sleep(100 * MS).await;
        };
        let stream = tokio::spawn({
            let limiter = Arc::clone(&limiter);
            async move {
                loop {
                    // Two calls at first, so that one always waits.
                    tokio::spawn(call(Arc::clone(&limiter), levels));
                    if limiter.snapshot().total.admitted_at_once == 0 {
                        tokio::spawn(call(Arc::clone(&limiter), levels));
                    }
                    sleep(100 * MS).await;
                }
            }
        });
        sleep(550 * MS).await;
        let asked = Instant::now();
        let permit = limiter.acquire().await;
        let waited = asked.elapsed();
        let longest = SECOND * u32::from(levels);
        assert!(waited + 200 * MS >= longest, "{waited:?}: it is passed by higher ones");
        assert!(waited <= longest + 300 * MS, "{waited:?}: it is not passed for ever");
        drop(permit);
        stream.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_priority_joins_a_plain_queue_as_though_the_others_had_just_come() {
    let limiter = Limiter::new("priorities-joins", 1);
    let held = permit(&limiter);
    let mut waiting: Vec<_> = (0..3).map(|number| (number, waiter(limiter.acquire()))).collect();
    // Their age does not matter, because the queue was not sorted.
    advance(100 * SECOND).await;
    waiting.push((3, waiter(limiter.acquire().priority(1))));
    waiting.push((4, waiter(limiter.acquire())));
    advance(999 * MS).await;
    waiting.push((5, waiter(limiter.acquire().priority(1))));
    advance(2 * MS).await;
    waiting.push((6, waiter(limiter.acquire().priority(1))));
    assert_eq!(order(held, waiting), [3, 5, 0, 1, 2, 4, 6]);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn in_a_queue_that_is_sorted_from_the_start_nobody_has_just_come() {
    let limiter = Limiter::new("priorities-sorted", 1).priority(0);
    let held = permit(&limiter);
    let mut waiting = vec![(0, waiter(limiter.acquire()))];
    advance(5 * SECOND).await;
    waiting.push((1, waiter(limiter.acquire().priority(4))));
    waiting.push((2, waiter(limiter.acquire().priority(6))));
    assert_eq!(order(held, waiting), [2, 0, 1]);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_waiter_leaves_the_others_in_order() {
    let priorities = [0, 3, 1, 255, 3];
    let sorted = [3, 1, 4, 2, 0];
    for cancelled in 0..5 {
        let limiter = Limiter::named("priorities-cancelled", 1);
        let held = permit(&limiter);
        let mut waiting: Vec<_> = (0..)
            .zip(priorities)
            .map(|(number, priority)| (number, waiter(limiter.acquire().priority(priority))))
            .collect();
        drop(waiting.remove(cancelled));
        let expected: Vec<_> = sorted.into_iter().filter(|&number| number != cancelled).collect();
        assert_eq!(order(held, waiting), expected);
        assert_eq!(total(&limiter).cancelled, 1);
        assert_all_free(&limiter);
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_granted_and_cancelled_hands_on_to_the_next_in_rank() {
    let limiter = Limiter::new("priorities-handed-on", 1);
    let held = permit(&limiter);
    let mut low = waiter(limiter.acquire());
    let mut middle = waiter(limiter.acquire().priority(1));
    let high = waiter(limiter.acquire().priority(2));
    drop(held);
    assert!(high.is_woken());
    drop(high);
    let permit = served(&mut middle);
    assert_waits(&mut low);
    drop(permit);
    drop(served(&mut low));
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn a_heavy_one_that_is_next_is_not_passed_by_lighter_ones_of_lower_priority() {
    let limiter = Limiter::new("priorities-heavy", 3);
    let held: Vec<_> = (0..3).map(|_| permit(&limiter)).collect();
    let mut light = waiter(limiter.acquire().weight(1));
    let mut heavy = waiter(limiter.acquire().weight(3).priority(1));
    for permit in held {
        assert_waits(&mut light);
        assert_waits(&mut heavy);
        drop(permit);
    }
    let heavy = served(&mut heavy).unwrap();
    assert_waits(&mut light);
    drop(heavy);
    drop(served(&mut light).unwrap());
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn a_light_one_of_higher_priority_takes_what_is_free_before_a_heavy_one_that_waits_for_more()
{
    let limiter = Limiter::new("priorities-before-heavy", 2);
    for somebody_listens in [false, true] {
        let _events = somebody_listens.then(|| limiter.subscribe());
        let held = permit(&limiter);
        let mut heavy = waiter(limiter.acquire().weight(2));
        let mut light = task::spawn(limiter.acquire().priority(1));
        // The call ends at once, or wakes itself and ends then.
        let permit = match light.poll() {
            Poll::Ready(permit) => permit,
            Poll::Pending => served(&mut light),
        };
        drop((held, permit));
        drop(served(&mut heavy).unwrap());
        assert_all_free(&limiter);
    }
}

#[tokio::test(start_paused = true)]
async fn a_low_one_times_out_behind_high_ones() {
    let limiter = Limiter::new("priorities-max-wait", 1);
    let mut held = permit(&limiter);
    let mut low = waiter(limiter.acquire().max_wait(SECOND));
    for _ in 0..4 {
        let mut high = waiter(limiter.acquire().priority(9));
        sleep(250 * MS).await;
        drop(held);
        held = served(&mut high);
    }
    let rejected = served(&mut low).unwrap_err();
    assert_eq!((rejected.kind(), rejected.waited()), (RejectedKind::TimedOut, SECOND));
    drop(held);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn many_waiters_of_many_priorities_are_served_in_the_order_of_the_rule() {
    let limiter = Limiter::new("priorities-many", 1);
    let held = permit(&limiter);
    let mut ranks = Vec::new();
    let mut waiting = Vec::new();
    let start = Instant::now();
    // The first call with a priority sorts the queue.
    for number in 0..500_usize {
        let priority = u8::try_from(number * 7919 % 11).unwrap() + u8::from(number == 0);
        waiting.push((number, waiter(limiter.acquire().priority(priority))));
        let came = i64::try_from(start.elapsed().as_millis()).unwrap();
        ranks.push((came - 1000 * i64::from(priority), number));
        advance(37 * MS).await;
    }
    ranks.sort_unstable();
    let expected: Vec<_> = ranks.into_iter().map(|(_, number)| number).collect();
    assert_eq!(order(held, waiting), expected);
    assert_all_free(&limiter);
}
