//! Calls on a runtime that is closing or gone: the limit holds for them too.

use super::until_gone;
use crate::which_runtime::at_once;
use futures::FutureExt;
use limit_runtime::{Limiter, Permit, concurrency_limit};
use limit_tests::polling::{poll_once, served, waiter};
use limit_tests::runtimes::{one_thread, workers};
use limit_tests::watchdog::until;
use std::pin::pin;
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Runs a closure when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[concurrency_limit(limiter = limiter)]
async fn call(limiter: &Limiter) {
    tokio::task::yield_now().await;
}

/// Returns the handle of a runtime that has ended after a limiter was used on it.
fn ended() -> Handle {
    let runtime = one_thread();
    runtime.block_on(at_once(Limiter::new("known", 1).acquire()).map(drop));
    runtime.handle().clone()
}

/// Returns the handle of a runtime that ended before any limiter was used on it.
fn ended_unknown() -> Handle {
    one_thread().handle().clone()
}

#[test]
fn a_call_spawned_by_a_drop_during_shutdown_is_dropped_unpolled() {
    let limiter = Arc::new(Limiter::new("spawned late", 1));
    let runtime = one_thread();
    let (send, receive) = mpsc::channel();
    runtime.spawn({
        let limiter = Arc::clone(&limiter);
        let on_drop = OnDrop(move || {
            let limiter = Arc::clone(&limiter);
            let task = tokio::spawn(async move { call(&limiter).await });
            send.send(task).expect("the test waits for it");
        });
        async move {
            let _on_drop = on_drop;
            std::future::pending::<()>().await;
        }
    });
    runtime.block_on(call(&limiter));
    drop(runtime);
    let spawned = receive.recv().expect("the task was dropped");
    let error = spawned.now_or_never().expect("it has ended").unwrap_err();
    assert!(error.is_cancelled());
    let total = limiter.snapshot().total;
    assert_eq!((total.in_use, total.waiting, total.admitted_at_once), (0, 0, 1));
    assert_eq!(limiter.snapshot().runtimes, []);
}

#[test]
fn a_call_polled_by_a_drop_during_shutdown_is_held_to_the_limit() {
    let limiter = Arc::new(Limiter::new("polled late", 1));
    let runtime = one_thread();
    let (send, receive) = mpsc::channel();
    let tries = |what: &'static str| {
        let (limiter, send) = (Arc::clone(&limiter), send.clone());
        OnDrop(move || {
            let tried = limiter.try_acquire().is_ok();
            let polled = limiter.acquire().now_or_never().is_some();
            send.send((what, tried, polled)).expect("the test waits for it");
        })
    };
    let (with_permit, without) = (tries("while the permit is out"), tries("when it is back"));
    runtime.spawn({
        let limiter = Arc::clone(&limiter);
        async move {
            // Dropped in the opposite order of their declaration.
            let _without = without;
            let _permit = limiter.acquire().await;
            let _with_permit = with_permit;
            std::future::pending::<()>().await;
        }
    });
    runtime.block_on(async { tokio::task::yield_now().await });
    assert_eq!(limiter.snapshot().total.in_use, 1);
    drop(runtime);
    assert_eq!(receive.recv(), Ok(("while the permit is out", false, false)));
    assert_eq!(receive.recv(), Ok(("when it is back", true, true)));
    let total = limiter.snapshot().total;
    assert_eq!((total.in_use, total.waiting, total.cancelled), (0, 0, 1));
    assert_eq!(limiter.snapshot().runtimes, []);
}

#[test]
fn two_threads_that_block_on_an_ended_runtime_share_its_limit() {
    for handle in [ended(), ended_unknown()] {
        let limiter = Limiter::new("ended", 1);
        let (enter, has_entered) = mpsc::channel();
        let (leave, may_leave) = oneshot::channel::<()>();
        thread::scope(|scope| {
            let (first, second) = (handle.clone(), handle.clone());
            let limiter = &limiter;
            scope.spawn(move || {
                first.block_on(async {
                    let _permit = limiter.acquire().await;
                    enter.send(()).unwrap();
                    may_leave.await.unwrap();
                });
            });
            has_entered.recv().unwrap();
            scope.spawn(move || {
                second.block_on(async {
                    let mut call = pin!(limiter.acquire());
                    let waits = poll_once(call.as_mut()).await.is_none();
                    assert!(waits, "the other thread has the permit");
                    leave.send(()).unwrap();
                    drop(call.await);
                });
            });
        });
        let snapshot = limiter.snapshot();
        assert_eq!((snapshot.total.in_use, snapshot.total.waiting), (0, 0));
        let admitted = (snapshot.total.admitted_at_once, snapshot.total.admitted_after_waiting);
        assert_eq!(admitted, (1, 1));
        assert_eq!(snapshot.runtimes, []);
    }
}

/// Takes the permits that are free on a runtime, by threads that begin at the same moment.
fn race(handle: &Handle, limiter: &Limiter, threads: usize) -> Vec<Permit> {
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        let racers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let _context = handle.enter();
                    barrier.wait();
                    limiter.try_acquire().ok()
                })
            })
            .collect();
        racers.into_iter().filter_map(|racer| racer.join().unwrap()).collect()
    })
}

#[test]
fn many_threads_that_race_on_an_ended_runtime_take_no_more_than_the_limit() {
    let limiter = Limiter::new("race on an ended", 2);
    for round in 0..300 {
        let handle = if round % 2 == 0 { ended() } else { ended_unknown() };
        let permits = race(&handle, &limiter, 4);
        assert!(permits.len() <= 2, "{} of 2 permits, in round {round}", permits.len());
        // While some permits are out, the number still means the same runtime.
        let more = race(&handle, &limiter, 4);
        let out = permits.len() + more.len();
        assert!(out <= 2, "{out} of 2 permits, in round {round}");
    }
    assert_eq!(limiter.snapshot().total.in_use, 0);
}

#[test]
fn threads_that_first_see_a_live_runtime_at_the_same_moment_share_its_permits() {
    let limiter = Limiter::new("race on a live", 2);
    for round in 0..300 {
        let runtime = one_thread();
        let permits = race(runtime.handle(), &limiter, 4);
        assert_eq!(permits.len(), 2, "in round {round}");
        assert_eq!(limiter.snapshot().runtimes.len(), 1, "in round {round}");
    }
    let snapshot = limiter.snapshot();
    assert_eq!((snapshot.total.in_use, snapshot.total.admitted_at_once), (0, 600));
    assert_eq!(snapshot.runtimes, []);
}

/// Many runtimes end at once, each with its permit out: none is mistaken for another.
#[test]
fn each_of_many_ended_runtimes_has_a_limit_of_its_own() {
    let limiter = Limiter::new("many ended", 1);
    let handles: Vec<_> = (0..10).flat_map(|_| [ended(), ended_unknown()]).collect();
    let take = |handle: &Handle| {
        let _context = handle.enter();
        limiter.try_acquire().ok()
    };
    let permits: Vec<_> = handles.iter().map(take).collect();
    assert!(permits.iter().all(Option::is_some), "each has its own");
    assert_eq!(limiter.snapshot().total.in_use, handles.len());
    assert!(handles.iter().all(|handle| take(handle).is_none()), "each is out");
    drop(permits);
    assert_eq!(limiter.snapshot().total.in_use, 0);
    assert!(handles.iter().all(|handle| take(handle).is_some()), "each is back");
}

#[test]
fn a_waiter_on_an_ended_runtime_takes_no_place_in_the_queue_of_the_next() {
    let limiter = Limiter::new("paused and ended", 0);
    let ended = ended();
    let on_ended = ended.enter();
    let mut late = waiter(limiter.acquire());
    drop(on_ended);
    let runtimes: Vec<_> = (0..8).map(|_| one_thread()).collect();
    let mut calls: Vec<_> = runtimes
        .iter()
        .map(|runtime| {
            let _context = runtime.enter();
            waiter(limiter.acquire())
        })
        .collect();
    limiter.set_limit(1);
    let permits: Vec<_> = calls.iter_mut().map(served).collect();
    let late = served(&mut late);
    assert_eq!(limiter.snapshot().total.in_use, runtimes.len() + 1);
    drop((permits, late));
    assert_eq!(limiter.snapshot().total.in_use, 0);
}

/// The new runtimes take the storage of the ended runtime. Its permits that are out stay its own.
#[test]
fn an_ended_runtime_is_held_to_its_limit_when_many_others_have_come_and_gone() {
    let (one, other) = (Limiter::new("passed on", 1), Limiter::new("passed on, not in use", 1));
    let handles: Vec<_> = (0..5).flat_map(|_| [ended(), ended_unknown()]).collect();
    let take = |handle: &Handle| {
        let _context = handle.enter();
        (one.try_acquire().ok(), other.try_acquire().ok())
    };
    let mut held: Vec<_> = handles.iter().map(|handle| take(handle).0).collect();
    assert!(held.iter().all(Option::is_some), "each has its own");
    for round in 0..4 {
        for _ in 0..20 {
            let runtime = one_thread();
            runtime.block_on(async {
                let both = (one.try_acquire(), other.try_acquire());
                assert!(both.0.is_ok() && both.1.is_ok(), "a runtime that lives has its own");
                let total = [&one, &other].map(|limiter| limiter.snapshot().total.in_use);
                assert_eq!(total, [handles.len() + 1, 1], "in round {round}");
            });
        }
        for (handle, held) in handles.iter().zip(&mut held) {
            let (same, other) = take(handle);
            assert!(same.is_none() && other.is_some(), "in round {round}");
            // The permit comes back and is taken again: it is the same permit.
            drop(held.take());
            *held = take(handle).0;
            assert!(held.is_some() && take(handle).0.is_none(), "in round {round}");
        }
    }
    let total = one.snapshot().total;
    assert_eq!((total.in_use, total.admitted_at_once), (10, 10 + 4 * 20 + 4 * 10));
    drop(held);
    for round in 0..4 {
        for _ in 0..20 {
            one_thread().block_on(async { drop(one.try_acquire().expect("it is free")) });
        }
        assert!(handles.iter().all(|handle| take(handle).0.is_some()), "in round {round}");
    }
    let total = one.snapshot().total;
    assert_eq!((total.in_use, total.admitted_at_once), (0, 130 + 4 * 20 + 4 * 10));
}

#[test]
fn a_late_waiter_is_served_by_its_own_runtime_when_others_have_come_and_gone() {
    let limiter = Limiter::new("passed on with a waiter", 1);
    let ended = ended();
    let context = ended.enter();
    let held = limiter.try_acquire().expect("it is free");
    let mut late = waiter(limiter.acquire());
    let mut later = waiter(limiter.acquire());
    drop(context);
    for _ in 0..20 {
        one_thread().block_on(async { drop(limiter.try_acquire().expect("it is free")) });
    }
    assert_eq!(limiter.snapshot().total.waiting, 2);
    drop(held);
    let second = served(&mut late);
    assert!(!later.is_woken(), "one at a time");
    drop(second);
    drop(served(&mut later));
    let total = limiter.snapshot().total;
    assert_eq!((total.in_use, total.waiting, total.admitted_after_waiting), (0, 0, 2));
}

#[test]
fn a_worker_that_is_in_the_middle_of_a_poll_is_held_to_the_limit_when_its_runtime_closes() {
    let limiter = Arc::new(Limiter::new("mid poll", 1));
    let runtime = workers(2);
    let (entered, has_entered) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let (gone, is_gone) = tokio::sync::mpsc::channel(1);
    let (result, results) = mpsc::channel();
    runtime.spawn({
        let limiter = Arc::clone(&limiter);
        async move {
            let _gone = gone;
            let permit = limiter.acquire().await;
            entered.send(()).unwrap();
            // Blocks the worker, so that the poll is still under way when the runtime closes.
            may_go_on.recv().unwrap();
            let tried = limiter.try_acquire().is_ok();
            let polled = poll_once(pin!(limiter.acquire())).await.is_some();
            drop(permit);
            let free = poll_once(pin!(limiter.acquire())).await.is_some();
            result.send((tried, polled, free)).unwrap();
        }
    });
    has_entered.recv().unwrap();
    runtime.shutdown_background();
    until("the other worker closes the runtime", || limiter.snapshot().runtimes.is_empty());
    assert_eq!(limiter.snapshot().total.in_use, 1, "the poll is still under way");
    go_on.send(()).unwrap();
    assert_eq!(results.recv(), Ok((false, false, true)));
    until_gone(&limiter, is_gone);
    let total = limiter.snapshot().total;
    assert_eq!((total.in_use, total.waiting, total.cancelled), (0, 0, 1));
}
