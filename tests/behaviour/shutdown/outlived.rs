//! Permits that outlive the runtime that they were taken on.

use super::{ENDS, assert_a_new_runtime_is_whole, until_gone};
use crate::which_runtime::{at_once, holders, number};
use limit_runtime::Limiter;
use limit_tests::figures::assert_all_free;
use limit_tests::runtimes::{one_thread, workers};
use limit_tests::watchdog::until;
use std::sync::{Arc, mpsc};
use std::thread;
use tokio::runtime::Runtime;

/// Lets a thread of the runtime's blocking pool hold a permit until the sender is dropped. The
/// receiver hears when the thread is done.
fn hold_in_the_pool(
    runtime: &Runtime,
    limiter: &Arc<Limiter>,
) -> (mpsc::Sender<()>, mpsc::Receiver<()>) {
    let (leave, may_leave) = mpsc::channel();
    let (done, is_done) = mpsc::channel();
    let limiter = Arc::clone(limiter);
    let (started, has_started) = tokio::sync::oneshot::channel();
    runtime.spawn(async move {
        let permit = limiter.acquire().await;
        tokio::task::spawn_blocking(move || {
            started.send(()).expect("the test waits for it");
            may_leave.recv().expect_err("nothing is sent");
            drop(permit);
            drop(done);
        });
    });
    runtime.block_on(has_started).expect("the thread runs");
    (leave, is_done)
}

#[test]
fn a_permit_in_a_thread_that_outlives_its_runtime_comes_back_when_the_thread_is_done() {
    for (end, shut_down) in ENDS.into_iter().skip(1).take(2) {
        for runtime in [one_thread(), workers(2)] {
            let limiter = Arc::new(Limiter::named(format!("outliving thread, {end}"), 1));
            let (leave, is_done) = hold_in_the_pool(&runtime, &limiter);
            shut_down(runtime);
            until("the runtime ends", || limiter.snapshot().runtimes.is_empty());
            assert_eq!(limiter.snapshot().total.in_use, 1, "{end}: it is still out");

            // No call waits for the permit.
            assert_a_new_runtime_is_whole_but_for(&limiter, 1);
            drop(leave);
            is_done.recv().expect_err("nothing is sent");
            assert_eq!(limiter.snapshot().total.in_use, 0, "{end}");
            assert_a_new_runtime_is_whole(&limiter);
        }
    }
}

fn assert_a_new_runtime_is_whole_but_for(limiter: &Arc<Limiter>, out: usize) {
    let runtime = one_thread();
    let calls = super::spawn_calls(&runtime, limiter, 2);
    let snapshot = limiter.snapshot();
    assert_eq!(snapshot.total.in_use, 1 + out);
    assert_eq!(snapshot.runtimes.len(), 1);
    let figures = snapshot.runtimes[0].figures;
    assert_eq!((figures.in_use, figures.waiting), (1, 1));
    drop(runtime);
    until_gone(limiter, calls);
    assert_eq!(limiter.snapshot().total.in_use, out);
}

#[test]
fn a_runtime_dropped_while_a_thread_holds_a_permit_waits_for_the_thread() {
    let limiter = Arc::new(Limiter::new("waits for the thread", 1));
    let runtime = one_thread();
    let (leave, is_done) = hold_in_the_pool(&runtime, &limiter);
    let dropping = thread::spawn(move || drop(runtime));
    drop(leave);
    dropping.join().expect("dropping does not panic");
    is_done.recv().expect_err("nothing is sent");
    let total = limiter.snapshot().total;
    assert_eq!((total.in_use, total.admitted_at_once), (0, 1));
    assert_a_new_runtime_is_whole(&limiter);
}

#[test]
fn a_permit_moved_to_another_runtime_is_missed_by_neither_when_its_own_ends() {
    let limiter = Arc::new(Limiter::new("moved permit", 1));
    let (gone, live) = (one_thread(), one_thread());
    let permit = gone.block_on(at_once(limiter.acquire()));
    let (leave, may_leave) = tokio::sync::oneshot::channel::<()>();
    let task = live.spawn(async move {
        may_leave.await.expect("the test sends it");
        drop(permit);
    });
    drop(gone);
    assert_eq!(limiter.snapshot().total.in_use, 1);
    assert_eq!(limiter.snapshot().runtimes, []);

    let own = live.block_on(at_once(limiter.acquire()));
    assert_eq!(holders(&limiter), [(number(live.handle()), 1)]);
    assert_eq!(limiter.snapshot().total.in_use, 2);
    leave.send(()).expect("the task lives");
    live.block_on(task).expect("the task does not panic");
    assert_eq!(limiter.snapshot().total.in_use, 1);
    drop(own);
    let _context = live.enter();
    assert_all_free(&limiter);
}

/// While permits of ended runtimes are out, none of them may count for another runtime.
#[test]
fn permits_of_many_ended_runtimes_come_back_in_any_order() {
    let limiter = Arc::new(Limiter::new("any order", 2));
    let mut permits = Vec::new();
    for ended in 0..20 {
        let runtime = one_thread();
        for taken in 0..2 {
            assert_eq!(limiter.snapshot().total.in_use, permits.len());
            permits.push(runtime.block_on(at_once(limiter.acquire())));
            let figures = limiter.snapshot().runtimes[0].figures;
            assert_eq!((figures.limit, figures.in_use), (2, taken + 1));
        }
        if ended % 3 == 2 {
            // Two from the middle: the only permit that is left of its runtime, and one of several.
            drop(permits.swap_remove(permits.len() / 2));
            drop(permits.swap_remove(permits.len() / 3));
        }
    }
    let total = limiter.snapshot().total;
    assert_eq!((total.in_use, total.admitted_at_once), (permits.len(), 40));
    drop(permits);
    assert_eq!(limiter.snapshot().total.in_use, 0);
    assert_a_new_runtime_is_whole(&limiter);
}

#[test]
fn a_limiter_dropped_after_its_runtime_with_a_permit_out_disturbs_nobody() {
    let runtime = one_thread();
    let limiter = Limiter::new("dropped after its runtime", 1);
    let permit = runtime.block_on(at_once(limiter.acquire()));
    drop(runtime);
    drop(limiter);
    let next = Arc::new(Limiter::new("next after it", 1));
    assert_a_new_runtime_is_whole(&next);
    drop(permit);
    assert_eq!(next.snapshot().total.in_use, 0);
    assert_a_new_runtime_is_whole(&next);
}
