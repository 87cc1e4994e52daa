//! Calls that say that their backend is overloaded, and calls that say nothing.

use super::SECOND;
use super::backend::{Backend, busy, load, settled};
use limit_runtime::{AdaptiveCause, Limiter, Rejected, RejectedKind};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Makes calls one after another, of which every so many finds its backend overloaded.
async fn calls(limiter: &'static Limiter, calls: usize, bad_one_in: usize) {
    for call in 0..calls {
        let permit = limiter.acquire().await;
        sleep(Duration::from_millis(1)).await;
        if call % bad_one_in == 0 {
            permit.overloaded();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn overloaded_calls_lower_the_limit_though_nobody_waits() {
    static API: Limiter = Limiter::adaptive("verdict-overloaded", 1..=100).start(50);
    calls(&API, 1_000, 2).await;
    let snapshot = API.snapshot();
    assert!(API.limit() < Some(10), "{:?}", API.limit());
    assert!(snapshot.total.adapted.overload > 0, "{snapshot}");
    let last = snapshot.adaptive.and_then(|figures| figures.last_change);
    assert_eq!(last, Some(AdaptiveCause::Overload));
}

#[tokio::test(start_paused = true)]
async fn a_few_overloaded_calls_change_nothing() {
    static API: Limiter = Limiter::adaptive("verdict-few", 1..=100).start(50);
    calls(&API, 1_000, 50).await;
    assert_eq!((API.limit(), API.snapshot().total.adapted.total()), (Some(50), 0));
}

#[tokio::test(start_paused = true)]
async fn a_verdict_does_not_matter_where_the_limit_does_not_adapt() {
    static API: Limiter = Limiter::new("verdict-fixed", 2);
    API.acquire().await.overloaded_for(SECOND);
    API.acquire().await.ignore();
    assert_eq!((API.limit(), busy(&API)), (Some(2), (0, 0)));
    assert!(API.try_acquire().is_ok());
}

#[tokio::test(start_paused = true)]
async fn new_calls_are_held_off_for_as_long_as_a_call_says() {
    static API: Limiter = Limiter::adaptive("verdict-hold-off", 1..=100);
    let (one, other) = (API.acquire().await, API.acquire().await);
    one.overloaded_for(2 * SECOND);
    let start = Instant::now();
    assert_eq!(API.try_acquire().expect_err("it is held off").kind(), RejectedKind::NoPermits);
    let snapshot = API.snapshot();
    let figures = snapshot.adaptive.expect("it adapts");
    assert_eq!((figures.is_held_off, figures.limit, snapshot.total.limit), (true, 2, 0));
    sleep(SECOND).await;
    // The longer one counts.
    other.overloaded_for(3 * SECOND);
    let _permit = API.acquire().await;
    assert_eq!(start.elapsed(), 4 * SECOND);
    assert!(API.snapshot().adaptive.is_some_and(|figures| !figures.is_held_off));
    assert!(API.limit() > Some(0));
}

/// Keeps the limit full, while a call of another kind makes up most of the calls.
async fn with_odd_calls(
    limiter: &'static Limiter,
    odd: impl AsyncFn(limit_runtime::Permit),
) -> usize {
    let backend = Backend::new(10, Duration::from_millis(20));
    tokio::join!(load(limiter, &backend, 100, 90 * SECOND), async {
        let end = Instant::now() + 90 * SECOND;
        while Instant::now() < end {
            odd(limiter.acquire().await).await;
        }
    });
    settled(limiter).await
}

#[tokio::test(start_paused = true)]
async fn ignored_calls_do_not_count() {
    static API: Limiter = Limiter::adaptive("verdict-ignored", 1..=400);
    let limit = with_odd_calls(&API, async |permit| {
        sleep(5 * SECOND).await;
        permit.ignore();
    });
    let limit = limit.await;
    assert!((10..=22).contains(&limit), "{limit}");
}

#[tokio::test(start_paused = true)]
async fn calls_that_panic_do_not_count_and_lose_nothing() {
    use futures::FutureExt;
    static API: Limiter = Limiter::adaptive("verdict-panics", 1..=400);
    let limit = with_odd_calls(&API, async |permit| {
        let call = AssertUnwindSafe(async {
            let _permit = permit;
            sleep(5 * SECOND).await;
            std::panic::resume_unwind(Box::new("of a test"));
        });
        assert!(call.catch_unwind().await.is_err());
    });
    let limit = limit.await;
    assert!((10..=22).contains(&limit), "{limit}");
    assert_eq!(busy(&API), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn parts_of_a_permit_lose_nothing() {
    static API: Limiter<Rejected> = Limiter::adaptive("verdict-parts", 4..=400).weight(2);
    let backend = Backend::new(10, Duration::from_millis(20));
    super::backend::load_with(&backend, 100, 30 * SECOND, |task| async move {
        let mut permit = API.acquire().await.ok()?;
        let part = permit.split(1).expect("there are two");
        match task % 3 {
            0 => drop(part),
            1 => permit.merge(part).expect("both are of one limiter"),
            _ => {
                let mut part = part;
                part.merge(permit).expect("both are of one limiter");
                permit = part;
            }
        }
        Some(permit)
    })
    .await;
    assert_eq!(busy(&API), (0, 0));
    assert!(API.try_acquire().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_small_limit_goes_down_too_when_more_than_a_tenth_is_overloaded() {
    static API: Limiter = Limiter::adaptive("verdict-small", 1..=4).start(4);
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let calls = (0..20).map(|_| async {
        for _ in 0..100 {
            let permit = API.acquire().await;
            sleep(Duration::from_millis(20)).await;
            if CALLS.fetch_add(1, Ordering::Relaxed) % 7 == 0 {
                permit.overloaded();
            }
        }
    });
    futures::future::join_all(calls).await;
    let adapted = API.snapshot().total.adapted;
    assert!(adapted.overload > 0, "{adapted:?}");
}
