//! A limit that adapts, and is held by hand or only advises.

use super::SECOND;
use super::backend::{Backend, load, load_with, settled};
use limit_runtime::settings::{SettingKind, SettingValue, SettingValues};
use limit_runtime::{KeyedLimiter, Limiter, LimiterHandle, Rejected, RejectedKind, find};
use limit_tests::polling::{let_in, served, waiter};
use std::task::Poll;
use std::time::Duration;
use tokio::time::sleep;

/// Sets a range while running, as a file does.
fn set_range(limiter: &LimiterHandle, low: usize, high: usize) {
    let mut values = SettingValues::default();
    values.set(SettingKind::Limit, SettingValue::Range { low, high }).expect("it is a range");
    limiter.apply(&values).expect("it can adapt");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_set_stays_until_it_is_reset() {
    static DB: Limiter = Limiter::adaptive("adapting-frozen", 1..=400);
    let backend = Backend::new(10, Duration::from_millis(20));
    DB.set_limit(50);
    load(&DB, &backend, 200, 60 * SECOND).await;
    let snapshot = DB.snapshot();
    assert_eq!((DB.limit(), snapshot.total.adapted.total()), (Some(50), 0));
    assert!(snapshot.adaptive.is_some_and(|figures| figures.is_frozen));
    DB.reset();
    assert_eq!(DB.limit(), Some(50), "it goes on from there");
    load(&DB, &backend, 200, 90 * SECOND).await;
    let limit = settled(&DB).await;
    assert!((10..=25).contains(&limit), "{limit}");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_set_before_the_first_call_stays_too() {
    static DB: Limiter = Limiter::adaptive("adapting-frozen-first", 1..=400).start(20);
    DB.set_limit(DB.limit().expect("it is known"));
    let backend = Backend::new(2, Duration::from_millis(20));
    load(&DB, &backend, 100, 60 * SECOND).await;
    assert_eq!((DB.limit(), DB.snapshot().total.adapted.total()), (Some(20), 0));
}

#[tokio::test(start_paused = true)]
async fn a_limit_outside_the_range_comes_back_into_it() {
    static DB: Limiter = Limiter::adaptive("adapting-outside", 2..=100);
    let _permit = DB.try_acquire().expect("one is free");
    DB.set_limit(1_000);
    assert_eq!(DB.limit(), Some(1_000));
    DB.reset();
    assert_eq!(DB.limit(), Some(100));
    DB.set_limit(0);
    assert!(DB.try_acquire().is_err(), "it is paused");
    DB.reset();
    assert!(DB.try_acquire().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_total_that_is_set_stays_until_it_is_reset() {
    static TENANTS: KeyedLimiter =
        Limiter::new("adapting-total-set", 20).keyed().adaptive_total(2..=400);
    let permit = TENANTS.key(1).acquire().await;
    TENANTS.set_total(7);
    assert_eq!(TENANTS.snapshot().total.total, Some(7));
    assert!(TENANTS.snapshot().adaptive.is_some_and(|figures| figures.is_frozen));
    TENANTS.reset();
    let snapshot = TENANTS.snapshot();
    assert!(snapshot.adaptive.is_some_and(|figures| !figures.is_frozen), "{snapshot}");
    assert_eq!(snapshot.total.total, Some(7), "it goes on from there");
    drop(permit);
}

#[tokio::test(start_paused = true)]
async fn advice_changes_nothing() {
    static DB: Limiter = Limiter::adaptive("adapting-advice", 1..=400).start(60).advise();
    let backend = Backend::new(10, Duration::from_millis(20));
    // A quiet time, and one at the limit.
    load(&DB, &backend, 8, 60 * SECOND).await;
    load(&DB, &backend, 200, 60 * SECOND).await;
    let snapshot = DB.snapshot();
    let figures = snapshot.adaptive.expect("it adapts");
    assert_eq!((DB.limit(), snapshot.total.adapted.total()), (Some(60), 0));
    let advice = figures.advice.expect("it has seen both");
    assert!((8..=30).contains(&advice), "{figures:?}");
}

#[tokio::test(start_paused = true)]
async fn advice_begins_anew_where_the_code_says_after_a_reset() {
    static DB: Limiter = Limiter::adaptive("adapting-advice-reset", 1..=400).start(60).advise();
    drop(DB.acquire().await);
    DB.set_limit(10);
    assert_eq!(DB.limit(), Some(10));
    DB.reset();
    assert_eq!(DB.limit(), Some(60));
}

#[tokio::test(start_paused = true)]
async fn a_reset_refuses_waiters_that_are_too_heavy_for_the_range() {
    static DISK: Limiter<Rejected> =
        Limiter::adaptive("adapting-heavy-reset", 1..=10).max_waiting(usize::MAX);
    DISK.set_limit(20);
    let held = let_in(DISK.acquire_many(20));
    let mut heavy = waiter(DISK.acquire_many(15));
    let mut light = waiter(DISK.acquire());
    DISK.reset();
    let rejected = served(&mut heavy).expect_err("the limit is never so high");
    assert_eq!(rejected.kind(), RejectedKind::TooHeavy);
    drop(held);
    assert!(served(&mut light).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_range_that_is_set_refuses_waiters_that_are_too_heavy_for_it() {
    static DISK: Limiter<Rejected> =
        Limiter::new("adapting-heavy-range", 10).max_waiting(usize::MAX);
    let held = let_in(DISK.acquire_many(10));
    let mut heavy = waiter(DISK.acquire_many(8));
    let mut light = waiter(DISK.acquire());
    set_range(&find("adapting-heavy-range").expect("it is in use"), 1, 4);
    let rejected = served(&mut heavy).expect_err("the limit is never so high");
    assert_eq!(rejected.kind(), RejectedKind::TooHeavy);
    drop(held);
    assert!(served(&mut light).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_question_that_is_ended_by_hand_lets_no_more_calls_wait() {
    static API: Limiter<Rejected> =
        Limiter::adaptive("adapting-set-asking", 1..=100).start(20).max_waiting(30);
    let backend = Backend::new(15, Duration::from_millis(50));
    let running = tokio::spawn(async move {
        load_with(&backend, 40, 600 * SECOND, |_| async { API.acquire().await.ok() }).await;
    });
    while !API.snapshot().adaptive.is_some_and(|figures| figures.is_asking) {
        sleep(Duration::from_millis(10)).await;
    }
    API.set_limit(5);
    running.abort();
    assert!(running.await.is_err());
    let _held = let_in(API.acquire_many(5));
    let mut calls: Vec<_> = (0..40).map(|_| tokio_test::task::spawn(API.acquire())).collect();
    let waiting =
        calls.iter_mut().map(tokio_test::task::Spawn::poll).filter(Poll::is_pending).count();
    assert_eq!(waiting, 30);
}

#[tokio::test(start_paused = true)]
async fn a_verdict_holds_calls_off_only_while_the_limit_adapts() {
    static API: Limiter = Limiter::new("adapting-hold-off-range", 5);
    drop(API.acquire().await);
    let handle = find("adapting-hold-off-range").expect("it is in use");
    set_range(&handle, 1, 10);
    API.acquire().await.overloaded_for(2 * SECOND);
    handle.reset();
    assert!(API.try_acquire().is_ok(), "it is not held off any more");
    set_range(&handle, 1, 10);
    API.acquire().await.overloaded_for(20 * SECOND);
    // The first verdict's time is over, the second's is not.
    sleep(10 * SECOND).await;
    assert!(API.try_acquire().is_err());
    sleep(11 * SECOND).await;
    assert!(API.try_acquire().is_ok());
}
