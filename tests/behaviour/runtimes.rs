//! A call takes a permit of the runtime that polls it first.

mod driven;
mod remembered;

use crate::which_runtime::{PROCESS, at_once, holders, number, only_holder, whose};
use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use limit_runtime::Limiter;
use limit_tests::polling::poll_once;
use limit_tests::runtimes::{one_thread, workers};
use std::pin::pin;
use tokio::runtime::Handle;
use tokio::task::{block_in_place, yield_now};

#[test]
fn inside_block_in_place_a_call_on_another_runtime_takes_that_runtimes_permit() {
    let (outer, inner) = (workers(2), one_thread());
    let numbers = (number(outer.handle()), number(inner.handle()));
    assert_ne!(numbers.0, numbers.1);
    let limiter = Limiter::new("within block_in_place", 1);
    let task = outer.spawn(async move {
        for _ in 0..100 {
            assert_eq!(at_once(whose(&limiter)).await, numbers.0);
            let within = block_in_place(|| {
                inner.block_on(async { (at_once(whose(&limiter)).await, whose(&limiter).await) })
            });
            assert_eq!(within, (numbers.1, numbers.1));
            yield_now().await;
        }
        drop_elsewhere(inner).await;
    });
    outer.block_on(task).expect("the task does not panic");
}

/// Drops a runtime on a thread that may block.
async fn drop_elsewhere(runtime: tokio::runtime::Runtime) {
    let dropped = tokio::task::spawn_blocking(|| drop(runtime)).await;
    dropped.expect("dropping a runtime does not panic");
}

#[test]
fn a_holder_outside_block_in_place_does_not_stand_in_the_way_of_calls_inside() {
    let (outer, inner) = (workers(1), one_thread());
    let numbers = (number(outer.handle()), number(inner.handle()));
    let task = outer.spawn(async move {
        let limiter = Limiter::new("across block_in_place", 1);
        let permit = limiter.acquire().await;
        block_in_place(|| {
            let permit = inner.block_on(at_once(limiter.acquire()));
            assert_eq!(holders(&limiter), [(numbers.0, 1), (numbers.1, 1)]);
            drop(permit);
            let second = inner.block_on(async {
                let spawned = inner.spawn({
                    let limiter = Limiter::new("spawned across block_in_place", 1);
                    async move { at_once(whose(&limiter)).await }
                });
                spawned.await.expect("the task does not panic")
            });
            assert_eq!(second, numbers.1);
        });
        assert_eq!(only_holder(&limiter), numbers.0);
        let waits = poll_once(pin!(limiter.acquire())).await.is_none();
        assert!(waits, "the permit of our own runtime is out");
        drop(permit);
        assert_eq!(at_once(whose(&limiter)).await, numbers.0);
        drop_elsewhere(inner).await;
    });
    outer.block_on(task).expect("the task does not panic");
}

#[test]
fn a_runtime_made_and_dropped_inside_block_in_place_has_permits_of_its_own() {
    let outer = workers(1);
    let outer_number = number(outer.handle());
    let task = outer.spawn(async move {
        let limiter = Limiter::new("fresh within block_in_place", 1);
        let _held = limiter.acquire().await;
        let mut seen = outer_number;
        for _ in 0..50 {
            let fresh = block_in_place(|| {
                let inner = one_thread();
                let number = number(inner.handle());
                let _permit = inner.block_on(at_once(limiter.acquire()));
                assert_eq!(holders(&limiter), [(outer_number, 1), (number, 1)]);
                number
            });
            assert!(fresh > seen, "a number is never used again");
            seen = fresh;
        }
        assert_eq!(holders(&limiter), [(outer_number, 1)]);
    });
    outer.block_on(task).expect("the task does not panic");
}

#[test]
fn entering_another_runtime_around_block_on_changes_nothing() {
    let (entered, runs) = (one_thread(), one_thread());
    let numbers = (number(entered.handle()), number(runs.handle()));
    let limiter = Limiter::new("entered", 1);
    let context = entered.enter();
    for _ in 0..3 {
        let spawned = Limiter::new("spawned entered", 1);
        let by = runs.block_on(async {
            let directly = at_once(whose(&limiter)).await;
            let task = tokio::spawn(async move {
                let first = at_once(whose(&spawned)).await;
                yield_now().await;
                (first, at_once(whose(&spawned)).await)
            });
            (directly, task.await.expect("the task does not panic"))
        });
        assert_eq!(by, (numbers.1, (numbers.1, numbers.1)));
        let permit = limiter.try_acquire().expect("it is free");
        assert_eq!(only_holder(&limiter), numbers.0, "in whose context we are");
        drop(permit);
    }
    drop(context);
    let _permit = limiter.try_acquire().expect("it is free");
    assert_eq!(only_holder(&limiter), PROCESS);
}

#[test]
fn futures_unordered_inside_a_task_takes_permits_of_the_tasks_runtime() {
    let (outer, inner) = (workers(1), one_thread());
    let numbers = (number(outer.handle()), number(inner.handle()));
    let task = outer.spawn(async move {
        let limiter = Limiter::new("unordered", 1);
        // The task's own waker is remembered before and after.
        assert_eq!(at_once(whose(&limiter)).await, numbers.0);
        let mut calls: FuturesUnordered<_> = (0..10).map(|_| whose(&limiter)).collect();
        while let Some(number) = calls.next().await {
            assert_eq!(number, numbers.0);
        }
        calls.extend((0..10).map(|_| whose(&limiter)));
        let on_inner = block_in_place(|| inner.block_on(calls.by_ref().collect::<Vec<_>>()));
        assert_eq!(on_inner, [numbers.1; 10]);
        assert_eq!(at_once(whose(&limiter)).await, numbers.0);
        drop_elsewhere(inner).await;
    });
    outer.block_on(task).expect("the task does not panic");
}

#[test]
fn a_thread_of_the_blocking_pool_takes_permits_of_the_runtime_it_blocks_on() {
    let (pool, other) = (one_thread(), one_thread());
    let numbers = (number(pool.handle()), number(other.handle()));
    let other_handle = other.handle().clone();
    let task = pool.spawn_blocking(move || {
        let limiter = Limiter::new("blocking pool", 1);
        for _ in 0..3 {
            let own = Handle::current().block_on(at_once(whose(&limiter)));
            let others = other_handle.block_on(at_once(whose(&limiter)));
            assert_eq!((own, others), numbers);
            let _permit = limiter.try_acquire().expect("it is free");
            assert_eq!(only_holder(&limiter), numbers.0, "in whose context we are");
        }
    });
    pool.block_on(task).expect("the thread does not panic");
}

#[test]
fn a_thread_of_the_blocking_pool_and_a_task_share_their_runtimes_permits() {
    let runtime = workers(1);
    let task = runtime.spawn(async {
        let limiter = std::sync::Arc::new(Limiter::new("shared with the pool", 1));
        let permit = limiter.acquire().await;
        let thread = tokio::task::spawn_blocking({
            let limiter = std::sync::Arc::clone(&limiter);
            move || {
                Handle::current().block_on(async {
                    let waits = poll_once(pin!(limiter.acquire())).await.is_none();
                    assert!(waits, "the task has the permit");
                });
            }
        });
        thread.await.expect("the thread does not panic");
        drop(permit);
        assert_eq!(limiter.snapshot().runtimes.len(), 1);
    });
    runtime.block_on(task).expect("the task does not panic");
}

#[test]
fn without_a_runtime_calls_take_permits_of_the_process() {
    let limiter = Limiter::new("no runtime", 1);
    assert_eq!(futures::executor::block_on(whose(&limiter)), PROCESS);
    let permit = limiter.try_acquire().expect("it is free");
    // Threads without a runtime share permits.
    std::thread::scope(|scope| {
        let other = scope.spawn(|| whose(&limiter).now_or_never());
        assert_eq!(other.join().unwrap(), None, "the permit is out");
    });
    // A runtime does not share permits with them.
    let runtime = one_thread();
    let held = runtime.block_on(at_once(limiter.acquire()));
    assert_eq!(holders(&limiter), [(PROCESS, 1), (number(runtime.handle()), 1)]);
    drop((permit, held));
    let after_one = futures::executor::block_on(whose(&limiter));
    assert_eq!(after_one, PROCESS);
}

#[test]
fn another_executor_inside_a_task_takes_permits_of_the_tasks_runtime() {
    let runtime = workers(1);
    let own = number(runtime.handle());
    let task = runtime.spawn(async move {
        let limiter = Limiter::new("executor in a task", 1);
        for _ in 0..3 {
            assert_eq!(at_once(whose(&limiter)).await, own);
            let within = block_in_place(|| futures::executor::block_on(whose(&limiter)));
            assert_eq!(within, own);
        }
    });
    runtime.block_on(task).expect("the task does not panic");
}

#[test]
fn a_call_while_a_thread_ends_does_not_panic() {
    struct AtTheEnd(std::sync::mpsc::Sender<(u64, u64)>);
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            let limiter = Limiter::new("thread ends", 1);
            let tried = limiter.try_acquire().map(|_permit| only_holder(&limiter));
            let awaited = whose(&limiter).now_or_never();
            let numbers = (tried.unwrap(), awaited.unwrap());
            self.0.send(numbers).expect("the test waits for it");
        }
    }
    thread_local!(static LAST: std::cell::OnceCell<AtTheEnd> = const { std::cell::OnceCell::new() });

    let (send, receive) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        // Made before tokio's own thread-locals, and so dropped after them.
        LAST.with(|last| last.set(AtTheEnd(send)).unwrap_or_else(|_| unreachable!()));
        let runtime = one_thread();
        runtime.block_on(at_once(whose(&Limiter::new("thread goes on", 1))));
    });
    thread.join().expect("the thread does not panic");
    assert_eq!(receive.recv(), Ok((PROCESS, PROCESS)));
}
