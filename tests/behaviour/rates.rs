//! Rates: at most `limit` starts in any window, on the paused clock.

mod changes;
mod clocks;
mod refusals;
mod watching;
mod with_others;

use limit_runtime::{Limiter, RejectedKind};
use limit_tests::figures::{assert_figures, total};
use limit_tests::occupancy::Inside;
use limit_tests::polling::{let_in, permit, ready, refused, served, waiter};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, advance, sleep, timeout};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const NEARLY_A_MINUTE: Duration = Duration::from_millis(59_999);

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn one_of<const N: usize>(&mut self, choices: [u64; N]) -> u64 {
        let turns = self.below(N as u64);
        (0..).zip(choices).find(|(turn, _)| *turn == turns).map_or(0, |(_, choice)| choice)
    }
}

/// Asserts that no window has more than `limit` starts, wherever it begins.
#[track_caller]
fn assert_windows(starts: &[Instant], limit: usize, window: Duration) {
    assert!(starts.is_sorted());
    for pair in starts.windows(limit + 1) {
        let span = pair[limit] - pair[0];
        assert!(span >= window, "{} starts within {span:?}", limit + 1);
    }
}

/// Checks windows that begin anywhere in a long run. The calls come at random times, stay for
/// random times, and some are cancelled.
#[tokio::test(start_paused = true)]
async fn no_window_has_more_starts_than_the_limit_and_no_more_run_at_once() {
    static INSIDE: Inside = Inside::new();

    for seed in 0..5 {
        let limiter = Arc::new(Limiter::named("rates-windows", 3).per(MINUTE));
        let starts = Arc::new(Mutex::new(Vec::new()));
        let mut random = Random(seed);
        let mut calls: Vec<JoinHandle<()>> = Vec::new();
        for _ in 0..400 {
            let stay = match random.below(4) {
                0 => 0,
                1 => random.below(1_000),
                2 => random.below(60_000),
                _ => random.below(150_000),
            };
            let patience =
                if random.below(5) == 0 { random.below(300_000) } else { u64::from(u32::MAX) };
            let (limiter, starts) = (Arc::clone(&limiter), Arc::clone(&starts));
            calls.push(tokio::spawn(async move {
                let waited = timeout(Duration::from_millis(patience), limiter.acquire()).await;
                let Ok(_permit) = waited else { return };
                starts.lock().unwrap().push(Instant::now());
                let _inside = INSIDE.enter();
                sleep(Duration::from_millis(stay)).await;
            }));
            // The calls come sometimes all at once, sometimes so seldom that none waits.
            let pause = [0, 10, 10_000, 60_000];
            let longest = random.one_of(pause);
            sleep(Duration::from_millis(random.below(longest + 1))).await;
        }
        for call in calls {
            call.await.unwrap();
        }
        let starts = std::mem::take(&mut *starts.lock().unwrap());
        assert!(starts.len() > 200);
        assert_windows(&starts, 3, MINUTE);
        assert_eq!((INSIDE.now(), INSIDE.most()), (0, 3));
        assert_figures(&limiter, 0, 0);
        sleep(MINUTE).await;
        let all: Vec<_> = (0..3).map(|_| permit(&limiter)).collect();
        limiter.try_acquire().unwrap_err();
        drop(all);
    }
}

#[tokio::test(start_paused = true)]
async fn under_load_each_window_is_used_to_the_full() {
    let limiter = Limiter::new("rates-full", 3).per(MINUTE);
    let begin = Instant::now();
    for call in 0..30_u32 {
        drop(limiter.acquire().await);
        assert_eq!(begin.elapsed(), call / 3 * MINUTE, "the window does not hold the caller up");
    }
    let figures = total(&limiter);
    assert_eq!((figures.admitted_at_once, figures.admitted_after_waiting), (21, 9));
}

#[tokio::test(start_paused = true)]
async fn the_window_slides() {
    let limiter = Limiter::new("rates-slides", 3).per(MINUTE);
    drop(permit(&limiter));
    advance(59 * SECOND).await;
    drop((permit(&limiter), permit(&limiter)));
    let begin = Instant::now();
    let mut starts = Vec::new();
    for _ in 0..4 {
        drop(limiter.acquire().await);
        starts.push(begin.elapsed().as_secs());
    }
    assert_eq!(starts, [1, 60, 60, 61]);
}

#[tokio::test(start_paused = true)]
async fn a_permit_held_for_longer_than_the_window_comes_back_at_once() {
    let limiter = Limiter::new("rates-long", 2).per(SECOND);
    let held = [permit(&limiter), permit(&limiter)];
    advance(MINUTE).await;
    let mut waiting = waiter(limiter.acquire());
    assert_figures(&limiter, 2, 1);
    let [first, second] = held;
    drop(first);
    let third = served(&mut waiting);
    drop(second);
    let fourth = permit(&limiter);
    limiter.try_acquire().unwrap_err();
    drop((third, fourth));
    limiter.try_acquire().unwrap_err();
    advance(SECOND).await;
    drop((permit(&limiter), permit(&limiter)));
}

#[tokio::test(start_paused = true)]
async fn a_permit_is_free_when_its_window_is_over_and_not_before() {
    for (stay, free) in [(MINUTE.saturating_sub(Duration::from_nanos(1)), false), (MINUTE, true)] {
        let limiter = Limiter::named("rates-very-end", 1).per(MINUTE);
        let held = permit(&limiter);
        advance(stay).await;
        drop(held);
        assert_eq!(limiter.try_acquire().is_ok(), free, "after {stay:?}");

        let limiter = Limiter::named("rates-very-end", 1).per(MINUTE);
        drop(permit(&limiter));
        advance(stay).await;
        assert_eq!(limiter.try_acquire().is_ok(), free, "after {stay:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_permit_whose_window_is_not_over_is_nobodys_and_not_in_use() {
    let limiter = Limiter::new("rates-cooling", 2).per(MINUTE).max_waiting(0);
    let held = let_in(limiter.acquire());
    drop(let_in(limiter.acquire()));
    assert_figures(&limiter, 1, 0);
    let rejected = refused(limiter.acquire());
    assert_eq!(rejected.kind(), RejectedKind::QueueFull);
    assert_eq!((rejected.limit(), rejected.in_use(), rejected.waiting()), (2, 1, 0));
    drop(held);
    assert_figures(&limiter, 0, 0);
    limiter.try_acquire().unwrap_err();
    advance(NEARLY_A_MINUTE).await;
    limiter.try_acquire().unwrap_err();
    advance(MS).await;
    drop((let_in(limiter.acquire()), limiter.try_acquire().unwrap()));
    refused(limiter.acquire());
}

#[tokio::test(start_paused = true)]
async fn all_waiters_whose_permits_have_cooled_are_served_in_order() {
    let limiter = Limiter::new("rates-several", 3).per(MINUTE);
    drop((permit(&limiter), permit(&limiter), permit(&limiter)));
    let mut waiting: Vec<_> = (0..7).map(|number| (number, waiter(limiter.acquire()))).collect();
    for expected in [&[0, 1, 2][..], &[3, 4, 5], &[6]] {
        sleep(NEARLY_A_MINUTE).await;
        assert!(ready(&mut waiting).is_empty());
        sleep(MS).await;
        yield_now().await;
        let order: Vec<_> = ready(&mut waiting).iter().map(|(number, _)| *number).collect();
        assert_eq!(order, expected);
    }
    assert_figures(&limiter, 0, 0);
}

#[tokio::test(start_paused = true)]
async fn waiters_that_go_leave_the_others_to_be_served_when_their_windows_end() {
    for gone in 0..3 {
        let limiter = Arc::new(Limiter::named("rates-watcher", 1).per(MINUTE));
        drop(permit(&limiter));
        let begin = Instant::now();
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let limiter = Arc::clone(&limiter);
                tokio::spawn(async move {
                    drop(limiter.acquire().await);
                    begin.elapsed()
                })
            })
            .collect();
        sleep(30 * SECOND).await;
        assert_figures(&limiter, 0, 4);
        for call in &waiting[..gone] {
            call.abort();
        }
        let mut served = Vec::new();
        for call in waiting {
            served.extend(timeout(60 * MINUTE, call).await.expect("it is served or gone").ok());
        }
        let expected: Vec<_> = (1..=4 - u32::try_from(gone).unwrap()).map(|n| n * MINUTE).collect();
        assert_eq!(served, expected, "{gone} gone");
        assert_figures(&limiter, 0, 0);
    }
}

/// A future that has lost a `select!` and is kept, or one in a stream that is not polled at the
/// moment, is such a waiter. It may keep its own permit, but must not delay the calls behind it.
#[tokio::test(start_paused = true)]
async fn a_waiter_that_is_not_polled_any_more_does_not_keep_the_others_waiting() {
    let limiter = Arc::new(Limiter::new("rates-not-polled", 2).per(MINUTE));
    drop((permit(&limiter), permit(&limiter)));
    let not_polled = waiter(limiter.acquire());
    let other = tokio::spawn({
        let limiter = Arc::clone(&limiter);
        async move { drop(limiter.acquire().await) }
    });
    let served = timeout(10 * MINUTE, other).await;
    assert!(served.is_ok(), "two permits have cooled: one for each");
    drop(not_polled);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_never_started_has_used_nothing_up() {
    let limiter = Limiter::new("rates-not-started", 1).per(MINUTE);
    let held = permit(&limiter);
    advance(2 * MINUTE).await;
    let cancelled = waiter(limiter.acquire());
    drop(held);
    assert!(cancelled.is_woken());
    drop(cancelled);
    drop(permit(&limiter));
    limiter.try_acquire().unwrap_err();
    drop(waiter(limiter.acquire()));
    advance(MINUTE).await;
    drop(permit(&limiter));
    assert_eq!(total(&limiter).cancelled, 2);
}

/// The window begins when the call goes on, not when it was handed its permit.
#[tokio::test(start_paused = true)]
async fn a_waiter_that_is_polled_late_has_started_then() {
    let limiter = Limiter::new("rates-late", 1).per(MINUTE);
    let held = permit(&limiter);
    let mut late = waiter(limiter.acquire());
    advance(2 * MINUTE).await;
    drop(held);
    advance(50 * SECOND).await;
    drop(served(&mut late));
    let begin = Instant::now();
    drop(limiter.acquire().await);
    assert_eq!(begin.elapsed(), MINUTE);
}

#[tokio::test(start_paused = true)]
async fn an_earlier_start_whose_holder_is_done_later_is_looked_for_first() {
    let limiter = Limiter::new("rates-out-of-order", 2).per(MINUTE);
    let early = permit(&limiter);
    advance(30 * SECOND).await;
    drop(permit(&limiter));
    // At first the next permit is expected at 90 s, and once `early` is back at 60 s.
    let begin = Instant::now();
    let call = limiter.acquire();
    tokio::pin!(call);
    assert!(timeout(SECOND, &mut call).await.is_err());
    drop(early);
    drop(call.await);
    assert_eq!(begin.elapsed(), 30 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_window_of_no_length_is_none() {
    let limiter = Limiter::new("rates-zero", 1).per(Duration::ZERO);
    for _ in 0..100 {
        drop(permit(&limiter));
    }
    limit_tests::figures::assert_all_free(&limiter);
}
