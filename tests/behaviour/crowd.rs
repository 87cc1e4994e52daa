//! Queues with thousands of waiters are served in order and counted as short queues are.

use limit_runtime::Limiter;
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{permit, served, waiter};
use std::collections::VecDeque;

const MANY: usize = 5_000;

#[test]
fn many_waiters_are_served_in_order_whoever_of_them_goes() {
    let limiter = Limiter::new("crowd-order", 1);
    let mut held = permit(&limiter);
    for round in 1..=3 {
        let waiting: Vec<_> = (0..MANY).map(|_| waiter(limiter.acquire())).collect();
        let mut left = VecDeque::new();
        for (number, call) in waiting.into_iter().enumerate() {
            if number % 5 < round {
                drop(call);
            } else {
                left.push_back(call);
            }
        }
        // Other calls join, and reuse the slots of the cancelled ones.
        left.extend((0..MANY / 2).map(|_| waiter(limiter.acquire())));
        assert_figures(&limiter, 1, left.len());
        while let Some(mut call) = left.pop_front() {
            if let Some(next) = left.front() {
                assert!(!next.is_woken());
            }
            drop(held);
            held = served(&mut call);
        }
        assert_figures(&limiter, 1, 0);
    }
    drop(held);
    assert_all_free(&limiter);
}

#[test]
fn many_that_waited_are_counted_once_while_they_hold_their_permits_and_after() {
    let limiter = Limiter::new("crowd-counted", 0);
    let mut waiting: Vec<_> = (0..MANY).map(|_| waiter(limiter.acquire())).collect();
    assert_eq!(total(&limiter).admitted_after_waiting, 0);
    limiter.set_limit(3_000);
    // The calls have been handed their permits, but have not been polled.
    assert_eq!(total(&limiter).admitted_after_waiting, 0);
    let mut held: Vec<_> = waiting.drain(..2_000).map(|mut call| served(&mut call)).collect();
    assert_eq!(total(&limiter).admitted_after_waiting, 2_000);
    // These calls are cancelled between grant and poll: their permits are handed on.
    drop(waiting.drain(..1_000));
    assert_eq!(total(&limiter).admitted_after_waiting, 2_000);
    held.truncate(500);
    assert_eq!(total(&limiter).admitted_after_waiting, 2_000);
    held.extend(waiting.iter_mut().map(served));
    assert_eq!(total(&limiter).admitted_after_waiting, 4_000);
    drop(held);
    let figures = total(&limiter);
    assert_eq!((figures.admitted_after_waiting, figures.cancelled), (4_000, 1_000));
    assert_figures(&limiter, 0, 0);
}
