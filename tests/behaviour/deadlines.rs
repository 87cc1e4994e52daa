//! Calls that wait for a limited time, on the paused clock: here by tokio's `timeout`.

mod max_wait;

use limit_runtime::{Admission, Limiter, Permit, concurrency_limit};
use limit_tests::figures::{assert_all_free, total};
use limit_tests::polling::permit;
use limit_tests::runtimes::join;
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

/// Makes 1,000 calls whose time is up in the tick in which the held permits come back. Asserts that all
/// calls are counted; returns how many were admitted. With `keep`, each of those keeps its permit for
/// another tick.
///
/// `ask` returns the future of a call by its number, which asks when it is first polled.
async fn all_in_one_tick<E: Admission, F>(
    limiter: &Limiter<E>,
    held: Vec<Permit>,
    keep: bool,
    ask: impl Fn(usize) -> F,
) -> u64
where
    F: Future<Output = Option<Permit>> + Send + 'static,
{
    let before = held.len() as u64;
    let start = Arc::new(Barrier::new(1001));
    let calls: Vec<_> = (0..1000)
        .map(|number| {
            let (call, start) = (ask(number), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                let permit = call.await;
                if keep {
                    sleep(TICK).await;
                }
                permit.is_some()
            })
        })
        .collect();
    // One task for each permit, so that the timers of calls and permits are mixed.
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

    let admitted = join(calls).await.into_iter().map(u64::from).sum::<u64>();
    join(releases).await;
    let figures = total(limiter);
    assert_eq!(figures.admitted_at_once + figures.admitted_after_waiting, admitted + before);
    assert_eq!(figures.wait.count, figures.admitted_after_waiting);
    assert_eq!(figures.most_waiting, 1000);
    admitted
}

#[tokio::test(start_paused = true)]
async fn permits_that_come_back_in_the_tick_of_the_deadline_are_used_or_passed_on() {
    for (permits, keep) in cases() {
        let limiter = Arc::new(Limiter::new("deadlines-same-tick", permits));
        let held = (0..permits).map(|_| permit(&limiter)).collect();
        let ask = |number: usize| {
            let limiter = Arc::clone(&limiter);
            async move {
                // Half of the calls set their clock before they ask, and half after.
                if number % 2 == 0 {
                    timeout(TICK, limiter.acquire()).await.ok()
                } else {
                    tokio::select! {
                        permit = limiter.acquire() => Some(permit),
                        () = sleep(TICK) => None,
                    }
                }
            }
        };
        let admitted = all_in_one_tick(&limiter, held, keep, ask).await;
        assert_eq!(total(&limiter).cancelled, 1000 - admitted);
        assert_all_free(&limiter);
    }
}

/// Returns how many permits come back, and whether the calls that are admitted keep theirs.
fn cases() -> impl Iterator<Item = (usize, bool)> {
    [1, 8, 500, 1000].into_iter().flat_map(|permits| [(permits, false), (permits, true)])
}
