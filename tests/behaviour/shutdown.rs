//! A runtime that ends loses no permit and leaves no call waiting.

mod late;
mod outlived;

use limit_runtime::{Limiter, concurrency_limit};
use limit_tests::figures::assert_all_free;
use limit_tests::polling::{poll_once, waiter};
use limit_tests::runtimes::{one_thread, paused, workers};
use limit_tests::watchdog::until;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

/// A way to end a runtime.
type End = fn(Runtime);

const ENDS: [(&str, End); 4] = [
    ("drop", drop),
    ("shutdown_background", Runtime::shutdown_background),
    ("shutdown_timeout of zero", |runtime| runtime.shutdown_timeout(Duration::ZERO)),
    ("shutdown_timeout of an hour", |runtime| {
        runtime.shutdown_timeout(Duration::from_secs(3600));
    }),
];

/// Keeps a permit for ever.
#[concurrency_limit(limiter = limiter)]
async fn stay(limiter: &Limiter) {
    pending::<()>().await;
}

/// Spawns `calls` calls one after another, and polls each once before it spawns the next. The
/// receiver hears when the last call has been dropped.
fn spawn_calls(runtime: &Runtime, limiter: &Arc<Limiter>, calls: usize) -> mpsc::Receiver<()> {
    let (polled, mut was_polled) = mpsc::channel(1);
    for _ in 0..calls {
        let (limiter, polled) = (Arc::clone(limiter), polled.clone());
        runtime.spawn(async move {
            let mut call = std::pin::pin!(stay(&limiter));
            assert!(poll_once(call.as_mut()).await.is_none(), "no call ends");
            polled.send(()).await.expect("the test waits for it");
            call.await;
        });
        runtime.block_on(was_polled.recv()).expect("the task runs");
    }
    was_polled
}

/// Waits until all tasks of a runtime have been dropped, and its limiters have seen its end.
fn until_gone(limiter: &Limiter, mut calls: mpsc::Receiver<()>) {
    assert_eq!(calls.blocking_recv(), None, "each call is dropped");
    until("the runtime leaves the snapshots", || limiter.snapshot().runtimes.is_empty());
}

/// Asserts that a new runtime has exactly as many permits as the limit, and that they work.
fn assert_a_new_runtime_is_whole(limiter: &Arc<Limiter>) {
    let runtime = one_thread();
    let calls = spawn_calls(&runtime, limiter, limiter.snapshot().total.limit + 1);
    let figures = limiter.snapshot().runtimes[0].figures;
    assert_eq!((figures.in_use, figures.waiting), (limiter.snapshot().total.limit, 1));
    drop(runtime);
    until_gone(limiter, calls);
    let runtime = one_thread();
    let _context = runtime.enter();
    assert_all_free(limiter);
}

#[test]
fn however_a_runtime_on_one_thread_ends_no_permit_is_lost() {
    for (end, shut_down) in ENDS {
        let limiter = Arc::new(Limiter::named(format!("one thread, {end}"), 2));
        let runtime = one_thread();
        let calls = spawn_calls(&runtime, &limiter, 5);
        let before = limiter.snapshot().total;
        assert_eq!((before.in_use, before.waiting, before.cancelled), (2, 3, 0), "{end}");
        shut_down(runtime);
        until_gone(&limiter, calls);

        let after = limiter.snapshot().total;
        assert_eq!((after.in_use, after.waiting), (0, 0), "{end}");
        assert_eq!((after.admitted_at_once, after.admitted_after_waiting), (2, 0), "{end}");
        assert_eq!((after.cancelled, after.most_waiting), (3, 3), "{end}");
        assert_a_new_runtime_is_whole(&limiter);
    }
}

#[test]
fn however_a_runtime_of_many_threads_ends_no_permit_is_lost() {
    for (end, shut_down) in ENDS {
        for round in 0..10 {
            let limiter = Arc::new(Limiter::named(format!("threads, {end}, {round}"), 2));
            let runtime = workers(2);
            let calls = spawn_calls(&runtime, &limiter, 8);
            shut_down(runtime);
            until_gone(&limiter, calls);

            // One worker may still run while another already drops tasks. Some waiters may have
            // been admitted, but each is counted once.
            let after = limiter.snapshot().total;
            assert_eq!((after.in_use, after.waiting), (0, 0), "{end}");
            let admitted = after.admitted_at_once + after.admitted_after_waiting;
            assert_eq!(admitted + after.cancelled, 8, "{end}: {after}");
            assert!(admitted >= 2, "{end}: {after}");
            assert_a_new_runtime_is_whole(&limiter);
        }
    }
}

#[test]
fn a_runtime_dropped_inside_another_ones_task_takes_nothing_of_that_ones() {
    let outer = workers(1);
    let limiter = Arc::new(Limiter::new("dropped inside", 2));
    let task = outer.spawn({
        let limiter = Arc::clone(&limiter);
        async move {
            let permit = limiter.acquire().await;
            tokio::task::block_in_place(|| {
                let inner = one_thread();
                let calls = spawn_calls(&inner, &limiter, 3);
                assert_eq!(limiter.snapshot().total.in_use, 3);
                drop(inner);
                assert_eq!(limiter.snapshot().total.in_use, 1);
                drop(calls);
            });
            let snapshot = limiter.snapshot();
            assert_eq!((snapshot.runtimes.len(), snapshot.total.cancelled), (1, 1));
            let _second = limiter.acquire().await;
            drop(permit);
        }
    });
    outer.block_on(task).expect("the task does not panic");
    assert_eq!(limiter.snapshot().total.in_use, 0);
}

#[test]
fn each_of_many_runtimes_that_end_at_the_same_time_leaves_the_others_alone() {
    let limiter = Arc::new(Limiter::new("many end", 1));
    let kept = one_thread();
    let _calls = spawn_calls(&kept, &limiter, 2);
    let barrier = std::sync::Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let runtime = one_thread();
                    let calls = spawn_calls(&runtime, &limiter, 3);
                    barrier.wait();
                    drop(runtime);
                    drop(calls);
                }
            });
        }
    });
    let snapshot = limiter.snapshot();
    assert_eq!(snapshot.runtimes.len(), 1);
    let kept_has = snapshot.runtimes[0].figures;
    assert_eq!((kept_has.in_use, kept_has.waiting, kept_has.cancelled), (1, 1, 0));
    let total = snapshot.total;
    assert_eq!((total.in_use, total.waiting), (1, 1));
    assert_eq!((total.admitted_at_once, total.cancelled), (1 + 200, 2 * 200));
}

#[test]
fn a_limit_set_meanwhile_holds_for_the_next_runtime() {
    let limiter = Arc::new(Limiter::new("set meanwhile", 3));
    let first = one_thread();
    let calls = spawn_calls(&first, &limiter, 4);
    limiter.set_limit(1);
    drop(first);
    until_gone(&limiter, calls);
    limiter.set_limit(2);
    assert_a_new_runtime_is_whole(&limiter);
}

/// The task that watches for the end of a runtime does not keep the runtime busy.
#[test]
fn a_limited_call_changes_nothing_for_a_paused_clock() {
    static LIMITER: Limiter = Limiter::new("paused clock", 1);
    const HOUR: Duration = Duration::from_secs(3600);

    let elapsed = |limited: bool| {
        paused().block_on(async {
            let start = Instant::now();
            for _ in 0..3 {
                let permit = limited.then(|| waiter_or_permit(&LIMITER));
                sleep(HOUR).await;
                drop(permit);
            }
            start.elapsed()
        })
    };
    assert_eq!(elapsed(true), elapsed(false));
}

fn waiter_or_permit(limiter: &'static Limiter) -> impl Drop {
    let permit = limiter.try_acquire().expect("it is free");
    drop(waiter(limiter.acquire()));
    permit
}
