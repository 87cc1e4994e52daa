//! Many threads, with calls that grow, shrink and give up.

use limit_runtime::{Limiter, Permit, RejectedKind, Scope};
use limit_tests::figures::assert_all_free;
use limit_tests::runtimes::{join, workers};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::task::yield_now;

static LIMITER: Limiter = Limiter::new("growing-threads", 8).scope(Scope::Process);
static INSIDE: AtomicU32 = AtomicU32::new(0);

/// Counts the permits of a call from now on.
fn enter(more: u32) {
    assert!(INSIDE.fetch_add(more, Ordering::Relaxed) + more <= 8, "more permits than the limit");
}

async fn resize(permit: &mut Permit, target: u32, round: usize) {
    let held = permit.weight();
    if target < held {
        INSIDE.fetch_sub(held - target, Ordering::Relaxed);
        permit.resize(target).await.expect("shrinking never fails");
        return;
    }
    let result = if round % 5 == 0 {
        // Polled a few times at most, and then given up.
        tokio::select! {
            biased;
            result = permit.resize(target) => result.map(|()| true),
            () = async { for _ in 0..round % 7 { yield_now().await } } => Ok(false),
        }
    } else {
        permit.resize(target).await.map(|()| true)
    };
    match result {
        Ok(true) => enter(target - held),
        Ok(false) => {}
        Err(ref rejected) => assert_eq!(rejected.kind(), RejectedKind::Deadlock),
    }
    let has_grown = matches!(result, Ok(true));
    assert_eq!(permit.weight(), if has_grown { target } else { held });
}

async fn call_again_and_again(task: usize) {
    for round in 0..300 {
        let mut permit = LIMITER.acquire().await;
        enter(1);
        for (step, target) in
            [1 + (task + round) % 5, 1 + round % 3, 1 + task % 8].into_iter().enumerate()
        {
            resize(&mut permit, u32::try_from(target).expect("few"), round + step).await;
            if (round + step) % 3 == 0 {
                yield_now().await;
            }
        }
        INSIDE.fetch_sub(permit.weight(), Ordering::Relaxed);
        drop(permit);
    }
}

#[test]
fn on_many_threads_no_permit_is_lost_and_nobody_waits_for_ever() {
    let runtime = workers(4);
    runtime.block_on(async {
        let tasks: Vec<_> = (0..16).map(|task| tokio::spawn(call_again_and_again(task))).collect();
        tokio::time::timeout(Duration::from_secs(120), join(tasks)).await.expect("nobody hangs")
    });
    assert_all_free(&LIMITER);
}
