//! Limits that adapt where a time ends, a call is heavy, or a refusal says nothing about the limit.

use super::SECOND;
use super::backend::{Backend, load, load_with, settled};
use limit_runtime::settings::{SettingKind, SettingValue, SettingValues};
use limit_runtime::{KeyedLimiter, Limiter, Rejected, RejectedKind, Scope, find};
use std::time::Duration;
use tokio::time::{sleep, timeout};

const MS: Duration = Duration::from_millis(1);

fn set_range(limiter: &str, low: usize, high: usize) {
    let mut values = SettingValues::default();
    values.set(SettingKind::Limit, SettingValue::Range { low, high }).expect("it is a range");
    find(limiter).expect("it is in use").apply(&values).expect("its limit can adapt");
}

#[test]
fn a_hold_off_ends_though_its_runtime_stands_still() {
    static API: Limiter<Rejected> = Limiter::adaptive("edge-idle-runtime", 1..=100)
        .scope(Scope::Process)
        .max_waiting(usize::MAX);
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().build().expect("a runtime")
    };
    let (idle, other) = (runtime(), runtime());
    idle.block_on(async { API.acquire().await.expect("one is free").overloaded_for(50 * MS) });
    assert!(API.try_acquire().is_err(), "new calls are held off");
    let call = other.block_on(async { timeout(60 * SECOND, API.acquire()).await });
    assert!(call.expect("in time").is_ok());
}

#[test]
fn a_hold_off_needs_no_timer() {
    static API: Limiter = Limiter::adaptive("edge-no-timer", 1..=100);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        API.acquire().await.overloaded_for(50 * MS);
        drop(API.acquire().await);
    });
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_is_too_heavy_for_a_reset_total_is_told() {
    static TENANTS: KeyedLimiter<Rejected> =
        Limiter::new("edge-reset-total", 10).keyed().adaptive_total(2..=50).max_waiting(99);
    TENANTS.set_total(20);
    let _all = (
        TENANTS.key(1).acquire().weight(10).await.expect("they are free"),
        TENANTS.key(2).acquire().weight(10).await.expect("they are free"),
    );
    let heavy = tokio::spawn(async { TENANTS.key(3).acquire().weight(5).await.map(drop) });
    sleep(MS).await;
    TENANTS.reset();
    let told = timeout(60 * SECOND, heavy).await.expect("in time").expect("no panic");
    assert_eq!(told.expect_err("it may weigh 2").kind(), RejectedKind::TooHeavy);
}

#[tokio::test]
async fn a_call_that_weighs_more_than_the_lower_end_is_told_so() {
    static API: Limiter = Limiter::adaptive("edge-heavier-than-low", 2..=100);
    assert_eq!(
        API.try_acquire_many(3).expect_err("the limit may go down to 2").to_string(),
        "call too heavy for concurrency limit `edge-heavier-than-low`: 3 permits wanted, a call may have at most 2, \
         the lower end of the limit's range"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_is_too_heavy_also_while_calls_are_held_off() {
    static API: Limiter<Rejected> = Limiter::adaptive("edge-heavy", 1..=100).max_waiting(99);
    API.set_limit(5);
    API.acquire().await.expect("one is free").overloaded_for(2 * SECOND);
    let heavy = API.acquire_many(10).await.expect_err("the limit is 5");
    assert_eq!(heavy.kind(), RejectedKind::TooHeavy);
    assert!(timeout(3 * SECOND, API.acquire()).await.expect("in time").is_ok());
}

#[tokio::test(start_paused = true)]
async fn advice_holds_no_call_off() {
    static API: Limiter = Limiter::adaptive("edge-advice", 1..=100).start(5).advise();
    API.acquire().await.overloaded_for(60 * SECOND);
    assert!(API.try_acquire().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_set_holds_no_call_in_while_calls_are_held_off() {
    static API: Limiter = Limiter::adaptive("edge-set-held-off", 1..=100);
    API.acquire().await.overloaded_for(30 * SECOND);
    API.set_limit(7);
    assert!(API.try_acquire().is_err());
    API.reset();
    sleep(31 * SECOND).await;
    assert!(API.try_acquire().is_ok());
    assert_eq!(API.limit(), Some(7));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_adapts_no_more_is_not_left_at_none() {
    static LAZY: Limiter = Limiter::lazy("edge-lazy", || panic!("it is not known"));
    let _limit = LAZY.snapshot();
    set_range("edge-lazy", 2, 50);
    LAZY.acquire().await.overloaded_for(2 * SECOND);
    LAZY.reset();
    assert!(timeout(60 * SECOND, LAZY.acquire()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_range_for_advice_leaves_the_start() {
    static DB: Limiter = Limiter::adaptive("edge-advice-range", 1..=400).start(60).advise();
    let _limit = DB.snapshot();
    set_range("edge-advice-range", 1, 300);
    drop(DB.acquire().await);
    assert_eq!(DB.limit(), Some(60));
}

#[tokio::test(start_paused = true)]
async fn advice_is_learnt_from_quiet_times_whenever_they_come() {
    static DB: Limiter = Limiter::adaptive("edge-busy-first", 1..=400).start(20).advise();
    static SMALL: Limiter = Limiter::adaptive("edge-small-advice", 1..=400).start(4).advise();
    for (limiter, quiet) in [(&DB, 5), (&SMALL, 1)] {
        let backend = Backend::new(10, 20 * MS);
        for tasks in [60, quiet, 60] {
            load(limiter, &backend, tasks, 60 * SECOND).await;
        }
        let figures = limiter.snapshot().adaptive.expect("it adapts");
        assert!(figures.advice.is_some(), "{figures:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_long_call_does_not_decide_how_long_calls_take() {
    static DB: Limiter = Limiter::adaptive("edge-long-call", 1..=1_000);
    let calls = (0..48).map(|call| async move {
        let _permit = DB.acquire().await;
        sleep(if call == 47 { 3_600 * SECOND } else { 20 * MS }).await;
    });
    futures::future::join_all(calls).await;
    let backend = Backend::new(10, 20 * MS);
    load(&DB, &backend, 100, 60 * SECOND).await;
    let limit = settled(&DB).await;
    assert!(limit < 50, "{limit}");
}

#[tokio::test(start_paused = true)]
async fn one_call_that_never_ends_does_not_hide_that_all_others_find_the_backend_overloaded() {
    static API: Limiter = Limiter::adaptive("edge-never-ends", 1..=100).start(30);
    let backend = Backend::new(40, 20 * MS);
    let endless = tokio::spawn(async {
        let _permit = API.acquire().await;
        std::future::pending::<()>().await;
    });
    let calls = (0..60).map(|_| async {
        for _ in 0..100 {
            let permit = API.acquire().await;
            backend.call().await;
            permit.overloaded();
        }
    });
    let rest = timeout(600 * SECOND, futures::future::join_all(calls)).await;
    endless.abort();
    drop(rest);
    assert!(API.limit() < Some(30), "{:?}", API.limit());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_by_the_limit_of_a_key_says_nothing_about_the_total() {
    static TENANTS: KeyedLimiter<Rejected> = Limiter::new("edge-key-refusal", 1)
        .keyed()
        .adaptive_total(1..=400)
        .start(20)
        .max_waiting(0);
    let backend = Backend::new(1, 5 * MS);
    load_with(&backend, 3, 20 * SECOND, |_| async { TENANTS.key(1).try_acquire().ok() }).await;
    assert_eq!(TENANTS.snapshot().total.total, Some(20));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_while_calls_are_held_off_says_nothing_about_the_limit() {
    static API: Limiter<Rejected> =
        Limiter::adaptive("edge-held-off-refusal", 1..=400).start(20).max_waiting(0);
    for call in 0..10_000 {
        if let Ok(permit) = API.try_acquire() {
            sleep(5 * MS).await;
            if call % 100 == 0 {
                permit.overloaded_for(50 * MS);
            }
        } else {
            sleep(5 * MS).await;
        }
    }
    assert!(API.limit() <= Some(20), "{:?}", API.limit());
}

#[tokio::test(start_paused = true)]
async fn with_keys_overload_is_learnt_below_the_total_too() {
    static TENANTS: KeyedLimiter =
        Limiter::new("edge-keyed-overload", 30).keyed().adaptive_total(1..=100).start(50);
    let calls = (0..30).map(|call| async move {
        for _ in 0..100 {
            let permit = TENANTS.key(call % 3).acquire().await;
            sleep(20 * MS).await;
            permit.overloaded();
        }
    });
    futures::future::join_all(calls).await;
    let total = TENANTS.snapshot().total;
    assert!(total.total < Some(30), "{total}");
}
