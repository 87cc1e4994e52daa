//! First come, first served.

use limit_runtime::{Limiter, concurrency_limit};
use limit_tests::figures::{assert_all_free, assert_figures};
use limit_tests::polling::{assert_waits, permit, served, waiter};
use limit_tests::runtimes::{join, workers};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Barrier;
use tokio::time::sleep;
use tokio_test::{assert_ready, task};

#[tokio::test(start_paused = true)]
async fn three_tasks_at_limit_1_take_turns_in_the_same_order_every_round() {
    static TURNS: Mutex<Vec<u32>> = Mutex::new(Vec::new());

    #[concurrency_limit(1)]
    async fn turn(task: u32) {
        TURNS.lock().unwrap().push(task);
        sleep(Duration::from_millis(1)).await;
    }

    let tasks = (0..3)
        .map(|task| {
            tokio::spawn(async move {
                for _ in 0..5 {
                    turn(task).await;
                }
            })
        })
        .collect();
    join(tasks).await;
    assert_eq!(*TURNS.lock().unwrap(), [0, 1, 2].repeat(5));
}

#[tokio::test(start_paused = true)]
async fn permits_freed_in_one_tick_go_to_the_first_waiters() {
    static STARTED: Mutex<Vec<(u32, u128)>> = Mutex::new(Vec::new());

    #[concurrency_limit(3)]
    async fn call(number: u32, start: tokio::time::Instant) {
        STARTED.lock().unwrap().push((number, start.elapsed().as_millis()));
        sleep(Duration::from_millis(10)).await;
    }

    let start = tokio::time::Instant::now();
    let tasks = (0..9).map(|number| tokio::spawn(call(number, start))).collect();
    join(tasks).await;
    let expected: Vec<_> = (0..9).map(|number| (number, u128::from(number / 3 * 10))).collect();
    assert_eq!(*STARTED.lock().unwrap(), expected);
}

#[test]
fn three_permits_freed_together_go_to_the_first_three() {
    let limiter = Limiter::new("order-three-freed", 3);
    let held: Vec<_> = (0..3).map(|_| permit(&limiter)).collect();
    let mut waiters: Vec<_> = (0..5).map(|_| waiter(limiter.acquire())).collect();
    drop(held);
    waiters[3..].iter_mut().for_each(assert_waits);
    let permits: Vec<_> = waiters[..3].iter_mut().map(served).collect();
    assert_figures(&limiter, 3, 2);
    drop((permits, waiters));
    assert_all_free(&limiter);
}

#[test]
fn waiters_are_served_in_the_order_of_their_first_polls() {
    let limiter = Limiter::new("order-first-polls", 1);
    let mut held = permit(&limiter);
    let mut calls: Vec<_> = (0..5).map(|_| task::spawn(limiter.acquire())).collect();
    let order = [3, 0, 4, 1, 2];
    for call in order {
        assert!(calls[call].poll().is_pending());
    }
    // Another poll moves no waiter.
    for call in &mut calls {
        assert!(call.poll().is_pending());
    }
    for call in order {
        drop(held);
        held = served(&mut calls[call]);
    }
    drop((held, calls));
    assert_all_free(&limiter);
}

#[test]
fn try_acquire_does_not_pass_the_queue() {
    let limiter = Limiter::new("order-no-barging", 2);
    let held = [permit(&limiter), permit(&limiter)];
    let mut heavy = waiter(limiter.acquire_many(2));
    let [first, second] = held;
    drop(first);
    assert_figures(&limiter, 1, 1);
    let rejected = limiter.try_acquire().expect_err("the free permit is the waiter's");
    assert_eq!((rejected.in_use(), rejected.waiting()), (1, 1));
    let mut behind = waiter(limiter.acquire());
    drop(second);
    limiter.try_acquire().expect_err("both permits are the waiter's");
    drop(served(&mut heavy));
    drop(served(&mut behind));
    assert!(limiter.try_acquire().is_ok(), "nobody waits any more");
    assert_all_free(&limiter);
}

#[test]
fn a_freed_permit_is_the_waiters_before_it_is_polled() {
    let limiter = Limiter::new("order-granted", 1);
    let held = permit(&limiter);
    let mut first = waiter(limiter.acquire());
    drop(held);
    limiter.try_acquire().expect_err("it was handed to the waiter");
    let mut second = waiter(limiter.acquire());
    drop(served(&mut first));
    drop(served(&mut second));
    assert_all_free(&limiter);
}

#[test]
fn light_calls_do_not_pass_a_heavy_waiter() {
    let limiter = Limiter::new("order-heavy-first", 4);
    let held = permit(&limiter);
    let mut heavy = waiter(limiter.acquire_many(4));
    let mut light: Vec<_> = (0..3).map(|_| waiter(limiter.acquire())).collect();
    light.iter_mut().for_each(assert_waits);
    drop(held);
    light.iter_mut().for_each(assert_waits);
    drop(served(&mut heavy).expect("not too heavy"));
    drop(light.iter_mut().map(served).collect::<Vec<_>>());
    drop(light);
    assert_all_free(&limiter);
}

#[test]
fn a_call_for_all_permits_is_served_amid_a_hundred_tasks_that_cycle_one_each() {
    let limiter = Arc::new(Limiter::new("order-all-of-them", 8));
    workers(4).block_on(async {
        let done = Arc::new(AtomicBool::new(false));
        let start = Arc::new(Barrier::new(101));
        let cycling = (0..100)
            .map(|_| {
                let (limiter, done) = (Arc::clone(&limiter), Arc::clone(&done));
                let start = Arc::clone(&start);
                tokio::spawn(async move {
                    start.wait().await;
                    while !done.load(Ordering::SeqCst) {
                        let _permit = limiter.acquire().await;
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        start.wait().await;
        for _ in 0..20 {
            let all = limiter.acquire_many(8).await.expect("not too heavy");
            assert_eq!(limiter.snapshot().total.in_use, 8);
            drop(all);
        }
        done.store(true, Ordering::SeqCst);
        join(cycling).await;
        assert_all_free(&limiter);
    });
}

#[test]
fn a_waiter_polled_with_another_waker_wakes_that_one() {
    let limiter = Limiter::new("order-other-waker", 1);
    let held = permit(&limiter);
    let mut call = Box::pin(limiter.acquire());
    let mut first = task::spawn(std::future::poll_fn(|context| call.as_mut().poll(context)));
    assert!(first.poll().is_pending());
    let mut outer = task::spawn(first);
    // `Spawn` as a future polls with the context that it is given, here the context of the outer
    // call.
    assert!(outer.poll().is_pending());
    drop(held);
    assert!(outer.is_woken());
    drop(assert_ready!(outer.poll()));
    drop(outer);
    assert_all_free(&limiter);
}
