//! A thread remembers the runtimes of tasks that it has polled, and never returns a wrong one.

use crate::which_runtime::{admitted, at_once, number, whose};
use limit_runtime::Limiter;
use limit_tests::runtimes::{one_thread, workers};
use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::runtime::Runtime;
use tokio::task::{JoinHandle, block_in_place, yield_now};

/// Spawns a task that asks `rounds` times which runtime its permit belongs to, and yields in
/// between.
fn spawn_asker(runtime: &Runtime, limiter: &Arc<Limiter>, rounds: usize) -> JoinHandle<()> {
    let (limiter, own) = (Arc::clone(limiter), number(runtime.handle()));
    runtime.spawn(async move {
        for _ in 0..rounds {
            assert_eq!(at_once(whose(&limiter)).await, own);
            yield_now().await;
        }
    })
}

/// Lets every task of the runtime run for a little while.
fn run_a_little(runtime: &Runtime) {
    runtime.block_on(async {
        for _ in 0..2 {
            yield_now().await;
        }
    });
}

fn assert_all_well(runtime: &Runtime, tasks: Vec<JoinHandle<()>>) {
    for task in tasks {
        runtime.block_on(task).expect("each call was its own runtime's");
    }
}

/// Three runtimes take turns on one thread, with many more tasks than a thread remembers.
#[test]
fn more_tasks_than_a_thread_remembers_all_stay_with_their_runtimes() {
    const TASKS: usize = 400;
    const ROUNDS: usize = 12;
    let limiter = Arc::new(Limiter::new("remembered", 1));
    let runtimes = [one_thread(), one_thread(), one_thread()];
    let tasks = runtimes.each_ref().map(|runtime| {
        (0..TASKS).map(|_| spawn_asker(runtime, &limiter, ROUNDS)).collect::<Vec<_>>()
    });
    for _ in 0..ROUNDS {
        runtimes.iter().for_each(run_a_little);
    }
    for (runtime, tasks) in runtimes.iter().zip(tasks) {
        assert_all_well(runtime, tasks);
    }
    let calls = (TASKS * ROUNDS) as u64;
    let expected = runtimes.each_ref().map(|runtime| (number(runtime.handle()), calls));
    assert_eq!(admitted(&limiter), expected);
}

#[test]
fn tasks_at_the_same_address_on_live_runtimes_stay_with_their_runtimes() {
    let limiter = Arc::new(Limiter::new("same address", 1));
    let runtimes = [one_thread(), one_thread()];
    for _ in 0..200 {
        for runtime in &runtimes {
            // The memory of a task is free again when the task has ended.
            let task = spawn_asker(runtime, &limiter, 2);
            assert_all_well(runtime, vec![task]);
        }
    }
}

#[test]
fn tasks_at_the_same_address_on_runtimes_one_after_another_stay_with_their_runtimes() {
    let limiter = Arc::new(Limiter::new("one after another", 1));
    let mut numbers = HashSet::new();
    for _ in 0..300 {
        let runtime = one_thread();
        assert!(numbers.insert(number(runtime.handle())), "a number is never used again");
        let task = spawn_asker(&runtime, &limiter, 2);
        assert_all_well(&runtime, vec![task]);
        assert_eq!(admitted(&limiter), [(number(runtime.handle()), 2)]);
    }
}

#[test]
fn a_task_that_polls_with_the_waker_of_another_task_takes_its_own_runtimes_permit() {
    let (one, other) = (one_thread(), one_thread());
    let numbers = (number(one.handle()), number(other.handle()));
    let limiter = Arc::new(Limiter::new("borrowed waker", 1));
    let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
    let lender = one.spawn({
        let limiter = Arc::clone(&limiter);
        async move {
            for _ in 0..2 {
                assert_eq!(at_once(whose(&limiter)).await, numbers.0);
                let waker = std::future::poll_fn(|context| Poll::Ready(context.waker().clone()));
                send.send(waker.await).expect("the borrower lives");
                yield_now().await;
            }
        }
    });
    let borrower = other.spawn(async move {
        while let Some(waker) = receive.recv().await {
            for _ in 0..2 {
                let polled = pin!(whose(&limiter)).poll(&mut Context::from_waker(&waker));
                assert_eq!(polled, Poll::Ready(numbers.1));
                assert_eq!(at_once(whose(&limiter)).await, numbers.1);
            }
        }
    });
    one.block_on(lender).expect("the lender's calls are its runtime's");
    other.block_on(borrower).expect("the borrower's calls are its runtime's");
}

/// Inside `block_in_place` the id of the outer task is still set, and the inner wakers are wakers
/// of tasks too. There are so many tasks that the thread remembers some in the slot of the outer
/// task.
#[test]
fn wakers_of_another_runtimes_tasks_inside_block_in_place_are_not_taken_for_the_tasks_own() {
    let (outer, inner) = (workers(1), one_thread());
    let numbers = (number(outer.handle()), number(inner.handle()));
    let (send, mut wakers) = tokio::sync::mpsc::unbounded_channel();
    let tasks: Vec<_> = (0..1000)
        .map(|_| {
            let send = send.clone();
            inner.spawn(std::future::poll_fn(move |context| {
                send.send(context.waker().clone()).expect("the test waits for it");
                Poll::<()>::Pending
            }))
        })
        .collect();
    inner.block_on(async {
        while wakers.len() < tasks.len() {
            yield_now().await;
        }
    });
    let inner_handle = inner.handle().clone();
    let task = outer.spawn(async move {
        let limiter = Limiter::new("wakers of others", 1);
        for _ in 0..1000 {
            // Avoids `recv`: a worker that `block_in_place` has moved to another thread loses the
            // cooperative yield of `recv`.
            let waker = wakers.try_recv().expect("each task has sent its own");
            assert_eq!(at_once(whose(&limiter)).await, numbers.0);
            let polled = block_in_place(|| {
                inner_handle.block_on(async {
                    pin!(whose(&limiter)).poll(&mut Context::from_waker(&waker))
                })
            });
            assert_eq!(polled, Poll::Ready(numbers.1));
        }
    });
    outer.block_on(task).expect("each call was its own runtime's");
    drop(tasks);
}
