//! Calls that are dropped while they wait.

use limit_runtime::{Limiter, concurrency_limit};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, permit, served, waiter};
use limit_tests::runtimes::{join, workers};
use std::future::pending;
use tokio_test::task;

#[test]
fn a_cancelled_waiter_leaves_no_trace_but_its_count() {
    let limiter = Limiter::new("cancellation-trace", 1);
    let held = permit(&limiter);
    let mut expected = total(&limiter);
    for cancelled in 1..=100 {
        drop(waiter(limiter.acquire()));
        expected.cancelled = cancelled;
        expected.most_waiting = 1;
        assert_eq!(total(&limiter), expected);
    }
    drop(held);
    expected.in_use = 0;
    assert_eq!(total(&limiter), expected);
    assert_all_free(&limiter);
}

#[test]
fn waiters_cancelled_anywhere_in_the_queue_leave_the_others_in_order() {
    // Cancels the head, the middle, the tail, neighbours, and all but one.
    for gone in [&[0][..], &[3], &[7], &[0, 1], &[6, 7], &[3, 4], &[0, 7], &[0, 1, 2, 3, 4, 5, 6]] {
        let limiter = Limiter::new("cancellation-anywhere", 1);
        let mut held = permit(&limiter);
        let mut waiters: Vec<_> = (0..8).map(|_| Some(waiter(limiter.acquire()))).collect();
        for &gone in gone {
            waiters[gone] = None;
        }
        let mut waiters: Vec<_> = waiters.into_iter().flatten().collect();
        assert_figures(&limiter, 1, 8 - gone.len());
        while !waiters.is_empty() {
            waiters.iter_mut().for_each(assert_waits);
            drop(held);
            held = served(&mut waiters.remove(0));
        }
        drop(held);
        assert_all_free(&limiter);
    }
}

#[test]
fn a_limited_call_that_is_cancelled_while_it_waits_leaves_the_queue() {
    static LIMITER: Limiter = Limiter::new("cancellation-attribute", 1);

    #[concurrency_limit(limiter = LIMITER)]
    async fn stay() {
        pending::<()>().await;
    }

    let inside = waiter(stay());
    let (second, mut third) = (waiter(stay()), waiter(LIMITER.acquire()));
    drop(second);
    assert_figures(&LIMITER, 1, 1);
    drop(inside);
    drop(served(&mut third));
    assert_eq!(total(&LIMITER).cancelled, 1);
    assert_all_free(&LIMITER);
}

#[test]
fn a_permit_granted_to_a_cancelled_waiter_goes_to_the_next() {
    let limiter = Limiter::new("cancellation-granted", 1);
    let held = permit(&limiter);
    let mut waiters: Vec<_> = (0..3).map(|_| waiter(limiter.acquire())).collect();
    drop(held);
    assert!(waiters[0].is_woken(), "the first has been granted the permit");
    assert_figures(&limiter, 1, 2);

    drop(waiters.remove(0));
    assert_figures(&limiter, 1, 1);
    let permit = served(&mut waiters[0]);
    assert_waits(&mut waiters[1]);
    let figures = total(&limiter);
    assert_eq!((figures.cancelled, figures.admitted_after_waiting), (1, 1));
    assert_eq!(figures.wait.count, 1, "the cancelled one's wait is not counted");
    drop((permit, waiters));
    assert_all_free(&limiter);
}

#[test]
fn permits_granted_to_a_heavy_waiter_that_is_cancelled_go_to_several_light_ones() {
    let limiter = Limiter::new("cancellation-granted-heavy", 3);
    let held: Vec<_> = (0..3).map(|_| permit(&limiter)).collect();
    let heavy = waiter(limiter.acquire_many(3));
    let mut light: Vec<_> = (0..4).map(|_| waiter(limiter.acquire())).collect();
    drop(held);
    assert!(heavy.is_woken());
    assert_figures(&limiter, 3, 4);
    drop(heavy);
    let permits: Vec<_> = light[..3].iter_mut().map(served).collect();
    assert_waits(&mut light[3]);
    drop((permits, light));
    assert_all_free(&limiter);
}

#[test]
fn light_waiters_run_at_once_when_the_heavy_one_before_them_is_cancelled() {
    let limiter = Limiter::new("cancellation-heavy-head", 3);
    let held = permit(&limiter);
    let heavy = waiter(limiter.acquire_many(3));
    let mut light: Vec<_> = (0..3).map(|_| waiter(limiter.acquire())).collect();
    light.iter_mut().for_each(assert_waits);
    drop(heavy);
    let permits = [served(&mut light[0]), served(&mut light[1])];
    assert_waits(&mut light[2]);
    assert_figures(&limiter, 3, 1);
    drop((held, permits, light));
    assert_all_free(&limiter);
}

#[tokio::test]
async fn a_task_cancelled_before_its_first_poll_has_taken_nothing() {
    static LIMITER: Limiter = Limiter::new("cancellation-unpolled", 1);

    #[concurrency_limit(limiter = LIMITER)]
    async fn limited() {
        unreachable!("it is never polled");
    }

    let held = permit(&LIMITER);
    for _ in 0..10 {
        let task = tokio::spawn(limited());
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        drop(task::spawn(LIMITER.acquire_many(1)));
    }
    let figures = total(&LIMITER);
    assert_eq!((figures.cancelled, figures.most_waiting), (0, 0));
    assert_eq!(figures.admitted_at_once, 1);
    drop(held);
    assert_all_free(&LIMITER);
}

#[test]
fn ten_thousand_waiters_served_or_cancelled_in_one_go_do_not_grow_the_stack() {
    let test = || {
        let limiter = Limiter::new("cancellation-ten-thousand", 1);
        let held = permit(&limiter);
        drop((0..10_000).map(|_| waiter(limiter.acquire())).collect::<Vec<_>>());
        assert_eq!(total(&limiter).cancelled, 10_000);

        let mut waiters: Vec<_> = (0..10_000).map(|_| waiter(limiter.acquire())).collect();
        limiter.set_limit(10_001);
        assert_figures(&limiter, 10_001, 0);
        let permits: Vec<_> =
            waiters.drain(..5_000).map(|mut waiter| served(&mut waiter)).collect();
        drop((waiters, permits, held));
        limiter.set_limit(1);
        assert_all_free(&limiter);
    };
    let small = std::thread::Builder::new().stack_size(128 << 10).spawn(test);
    small.expect("a thread can be made").join().expect("the stack was enough");
}

#[test]
fn no_permit_is_lost_when_tasks_are_aborted_at_any_moment() {
    static LIMITER: Limiter = Limiter::new("cancellation-storm", 3);

    #[concurrency_limit(limiter = LIMITER)]
    async fn limited(yields: u32) {
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
    }

    async fn heavy(weight: u32) {
        let _permit = LIMITER.acquire_many(weight).await.expect("not too heavy");
        tokio::task::yield_now().await;
    }

    workers(4).block_on(async {
        let storms = (0..4)
            .map(|storm| {
                tokio::spawn(async move {
                    for round in 0..200 {
                        let tasks: Vec<_> = (0..8)
                            .map(|n| match (n + storm) % 4 {
                                0 => tokio::spawn(heavy(n % 3 + 1)),
                                _ => tokio::spawn(limited(n % 3)),
                            })
                            .collect();
                        for _ in 0..round % 5 {
                            tokio::task::yield_now().await;
                        }
                        for (n, task) in tasks.into_iter().enumerate() {
                            if (n + round) % 3 != 0 {
                                task.abort();
                            }
                            assert!(task.await.is_ok_and(|()| true) || (n + round) % 3 != 0);
                        }
                    }
                })
            })
            .collect();
        join(storms).await;
        let figures = total(&LIMITER);
        let known = figures.admitted_at_once + figures.admitted_after_waiting + figures.cancelled;
        assert!(known <= 4 * 200 * 8, "each call is counted once at most: {figures}");
        assert_eq!(figures.wait.count, figures.admitted_after_waiting);
        assert_all_free(&LIMITER);
    });
}
