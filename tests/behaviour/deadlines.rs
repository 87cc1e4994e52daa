//! Calls that do not wait for ever, by tokio's `timeout`. All on the paused clock.

use limit_runtime::{Limiter, Permit, concurrency_limit};
use limit_tests::figures::{assert_all_free, total};
use limit_tests::polling::permit;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;
use tokio::time::{Instant, sleep, timeout};

const TICK: Duration = Duration::from_millis(10);

#[tokio::test(start_paused = true)]
async fn a_free_permit_is_taken_with_no_time_to_wait() {
    #[concurrency_limit(1)]
    async fn limited() -> u8 {
        9
    }

    let limiter = Limiter::new("deadlines-zero", 1);
    for _ in 0..100 {
        assert_eq!(timeout(Duration::ZERO, limited()).await, Ok(9));
        let permit = timeout(Duration::ZERO, limiter.acquire()).await;
        assert!(permit.is_ok());
        assert!(limiter.try_acquire().is_err());
        drop(permit);
        assert!(limiter.try_acquire().is_ok());
    }
    assert_eq!(total(&limiter).admitted_at_once, 200);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_comes_back_before_the_deadline_is_taken() {
    let limiter = Limiter::new("deadlines-in-time", 1);
    let (waited, ()) = tokio::join!(
        async {
            let asked = Instant::now();
            let held = permit(&limiter);
            let waiting = timeout(3 * TICK, limiter.acquire());
            let (permit, ()) = tokio::join!(waiting, async {
                sleep(2 * TICK).await;
                drop(held);
            });
            assert!(permit.is_ok());
            asked.elapsed()
        },
        sleep(TICK),
    );
    assert_eq!(waited, 2 * TICK);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_times_out_has_left_the_queue() {
    let limiter = Limiter::new("deadlines-too-late", 1);
    let held = permit(&limiter);
    let asked = Instant::now();
    assert!(timeout(TICK, limiter.acquire()).await.is_err());
    assert_eq!(asked.elapsed(), TICK);
    let figures = total(&limiter);
    assert_eq!((figures.waiting, figures.cancelled), (0, 1));
    assert_eq!(figures.wait.count, 0);
    drop(held);
    assert_all_free(&limiter);
}

/// 1,000 calls whose time is up in the tick in which the permits come back, and as many more ticks
/// as it takes. How long each keeps its permit: not at all, or for a tick.
async fn all_in_one_tick(limiter: Arc<Limiter>, permits: usize, keep: bool) {
    let held: Vec<Permit> = (0..permits).map(|_| permit(&limiter)).collect();
    let start = Arc::new(Barrier::new(1001));
    let calls: Vec<_> = (0..1000)
        .map(|call| {
            let (limiter, start) = (Arc::clone(&limiter), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                // Half of them set their clock before they ask, and half after.
                let permit = if call % 2 == 0 {
                    timeout(TICK, limiter.acquire()).await.ok()
                } else {
                    tokio::select! {
                        permit = limiter.acquire() => Some(permit),
                        () = sleep(TICK) => None,
                    }
                };
                if keep {
                    sleep(TICK).await;
                }
                permit.is_some()
            })
        })
        .collect();
    // One by one, so that the timers of calls and permits are mixed.
    let releases: Vec<_> = held
        .into_iter()
        .map(|permit| {
            tokio::spawn(async move {
                sleep(TICK).await;
                drop(permit);
            })
        })
        .collect();
    start.wait().await;

    let mut admitted = 0;
    for call in calls {
        admitted += u64::from(call.await.unwrap());
    }
    for release in releases {
        release.await.unwrap();
    }
    let figures = total(&limiter);
    assert_eq!(
        figures.admitted_at_once + figures.admitted_after_waiting,
        admitted + permits as u64
    );
    assert_eq!(figures.cancelled, 1000 - admitted);
    assert_eq!(figures.wait.count, figures.admitted_after_waiting);
    assert_eq!((figures.in_use, figures.waiting), (0, 0));
    assert_eq!(figures.most_waiting, 1000);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn permits_that_come_back_in_the_tick_of_the_deadline_are_used_or_passed_on() {
    for permits in [1, 8, 500, 1000] {
        for keep in [false, true] {
            let limiter = Arc::new(Limiter::new("deadlines-same-tick", permits));
            all_in_one_tick(limiter, permits, keep).await;
        }
    }
}
