//! Tasks that another runtime or thread polls than before.

use crate::which_runtime::{admitted, at_once, holders, number, whose};
use limit_runtime::Limiter;
use limit_tests::polling::poll_once;
use limit_tests::runtimes::{join, one_thread, workers};
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{LocalSet, yield_now};

#[test]
fn a_local_set_takes_permits_of_whoever_drives_it() {
    let limiter = Arc::new(Limiter::new("local set", 1));
    let local = LocalSet::new();
    let (ask, mut asked) = mpsc::unbounded_channel::<oneshot::Sender<u64>>();
    local.spawn_local({
        let limiter = Arc::clone(&limiter);
        async move {
            while let Some(answer) = asked.recv().await {
                let first = at_once(whose(&limiter)).await;
                yield_now().await;
                assert_eq!(at_once(whose(&limiter)).await, first);
                answer.send(first).expect("the test waits for it");
            }
        }
    });
    for _ in 0..20 {
        let runtime = one_thread();
        let by = local.block_on(&runtime, async {
            let (answer, is_answered) = oneshot::channel();
            ask.send(answer).expect("the task lives");
            is_answered.await.expect("the task lives")
        });
        assert_eq!(by, number(runtime.handle()));
    }
}

#[test]
fn a_waiter_in_a_local_set_is_let_in_by_the_next_runtime_when_its_own_is_gone() {
    let limiter = Arc::new(Limiter::new("waiter in a local set", 1));
    let local = LocalSet::new();
    let (gone, live) = (one_thread(), one_thread());
    let held = gone.block_on(at_once(limiter.acquire()));
    let waiter = local.spawn_local({
        let limiter = Arc::clone(&limiter);
        async move { whose(&limiter).await }
    });
    local.block_on(&gone, yield_now());
    assert_eq!(limiter.snapshot().total.waiting, 1);
    drop(gone);
    assert_eq!(limiter.snapshot().total.waiting, 0);
    let by = local.block_on(&live, async {
        for _ in 0..10 {
            yield_now().await;
        }
        assert!(waiter.is_finished(), "it was admitted");
        waiter.await.expect("the task does not panic")
    });
    assert_eq!(by, number(live.handle()));
    assert_eq!(limiter.snapshot().total.in_use, 1, "what was held on the other is still out");
    drop(held);
    assert_eq!(limiter.snapshot().total.in_use, 0);
}

#[test]
fn a_task_that_moves_between_workers_stays_with_its_runtime() {
    let runtime = workers(2);
    let own = number(runtime.handle());
    let (ask, asked) = std::sync::mpsc::channel::<oneshot::Sender<()>>();
    let task = runtime.spawn(async move {
        let limiter = Limiter::new("moving", 1);
        let (mut moves, mut last) = (0, thread::current().id());
        while moves < 20 {
            assert_eq!(at_once(whose(&limiter)).await, own);
            assert_eq!(at_once(whose(&limiter)).await, own);
            // Keeps this worker busy until the task runs on the other worker, woken from outside.
            let (wake, is_woken) = oneshot::channel();
            let (go, may_go) = std::sync::mpsc::channel::<()>();
            let ask = ask.clone();
            tokio::spawn(async move {
                ask.send(wake).expect("the test wakes us");
                may_go.recv().expect_err("nothing is sent");
            });
            is_woken.await.expect("the test wakes us");
            drop(go);
            moves += u32::from(thread::current().id() != last);
            last = thread::current().id();
        }
    });
    while let Ok(wake) = asked.recv() {
        wake.send(()).expect("the task waits for it");
    }
    runtime.block_on(task).expect("each call was its own runtime's");
}

#[test]
fn tasks_that_wake_each_other_on_all_workers_stay_with_their_runtime() {
    let runtime = workers(4);
    let limiter = Arc::new(Limiter::new("migrating", 3));
    runtime.block_on(async {
        let tasks = (0..64).map(|_| {
            let limiter = Arc::clone(&limiter);
            tokio::spawn(async move {
                for _ in 0..50 {
                    let permit = limiter.acquire().await;
                    yield_now().await;
                    drop(permit);
                }
            })
        });
        join(tasks.collect()).await;
    });
    assert_eq!(admitted(&limiter), [(number(runtime.handle()), 64 * 50)]);
    assert_eq!(limiter.snapshot().total.in_use, 0);
}

#[test]
fn a_future_handed_to_a_task_of_another_runtime_before_its_first_poll_is_that_runtimes() {
    let (made, polled) = (one_thread(), one_thread());
    let limiter = Arc::new(Limiter::new("handed over", 1));
    let _held = made.block_on(at_once(limiter.acquire()));
    let call = {
        let _context = made.enter();
        let limiter = Arc::clone(&limiter);
        async move { at_once(whose_else(&limiter, 1)).await }
    };
    let by = polled.block_on(polled.spawn(call)).expect("the task does not panic");
    assert_eq!(by, [(number(made.handle()), 1), (number(polled.handle()), 1)]);
}

/// Takes `permits` permits in one call; returns how many permits each runtime has out.
async fn whose_else(limiter: &Limiter, permits: u32) -> Vec<(u64, usize)> {
    let _permit = limiter.acquire_many(permits).await.expect("not more than the limit");
    holders(limiter)
}

#[test]
fn a_call_for_several_permits_takes_them_all_of_one_runtime() {
    let (one, other) = (one_thread(), one_thread());
    let limiter = Limiter::new("several", 4);
    let _held = one.block_on(at_once(limiter.acquire()));
    let numbers = (number(one.handle()), number(other.handle()));
    let by = other.block_on(at_once(whose_else(&limiter, 4)));
    assert_eq!(by, [(numbers.0, 1), (numbers.1, 4)]);
    let waits = one.block_on(async { poll_once(pin!(whose_else(&limiter, 4))).await.is_none() });
    assert!(waits, "one of the four is out");
}
