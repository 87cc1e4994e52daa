//! Many threads, with calls that are given up.

use super::{SHARES, uses};
use limit_runtime::{Limiter, Rejected, Scope};
use limit_tests::runtimes::{join, workers};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::yield_now;

static LIMITER: Limiter<Rejected> =
    Limiter::new("shares-threads", 5).scope(Scope::Process).max_waiting(6).shares(SHARES);
static INSIDE: AtomicUsize = AtomicUsize::new(0);

/// Makes calls one after another, of which some leave while they wait or run. Returns how many got a permit.
async fn call_again_and_again(task: usize) -> u64 {
    let mut admitted = 0;
    for round in 0..400 {
        let share = ["live", "batch", "probe", "rest"][(task + round) % 4];
        let call = async {
            let Ok(permit) = LIMITER.share(share).acquire().await else { return 0 };
            assert!(INSIDE.fetch_add(1, Ordering::Relaxed) < 5, "more calls than permits");
            for _ in 0..(task + round) % 5 {
                yield_now().await;
            }
            INSIDE.fetch_sub(1, Ordering::Relaxed);
            drop(permit);
            1
        };
        if round % 7 == 0 {
            // Polled a few times at most, and then dropped if it only waits.
            let waiting = LIMITER.share(share).acquire();
            tokio::select! {
                biased;
                permit = waiting => drop(permit),
                () = async { for _ in 0..round % 11 { yield_now().await } } => {}
            }
        }
        admitted += call.await;
    }
    admitted
}

#[test]
fn on_many_threads_no_permit_is_lost_and_no_share_waits_for_ever() {
    let runtime = workers(4);
    let admitted: u64 = runtime
        .block_on(async {
            let tasks: Vec<_> =
                (0..24).map(|task| tokio::spawn(call_again_and_again(task))).collect();
            tokio::time::timeout(Duration::from_secs(120), join(tasks)).await.expect("nobody hangs")
        })
        .into_iter()
        .sum();
    assert_eq!(uses(&LIMITER), [(0, 0); 4]);
    let shares = LIMITER.snapshot().shares;
    assert!(shares.iter().all(|share| share.admitted > 0), "{shares:?}");
    assert!(shares.iter().map(|share| share.admitted).sum::<u64>() >= admitted);
    let all: Vec<_> = (0..4).map(|_| LIMITER.share("live").try_acquire().expect("free")).collect();
    LIMITER.share("probe").try_acquire().map(drop).expect("the one that is left");
    drop(all);
}
