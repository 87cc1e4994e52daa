//! A limit that adapts beside the other parts of a policy.

use super::SECOND;
use super::backend::{Backend, busy, load, load_with, settled};
use limit_runtime::{KeyedLimiter, Limiter, Order, Rejected, RejectedKind, Scope};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn calls_that_are_refused_at_once_are_learnt_from_too() {
    static API: Limiter<Rejected> = Limiter::adaptive("adapting-refuses", 1..=400).max_waiting(0);
    let backend = Backend::new(10, Duration::from_millis(20));
    load_with(&backend, 50, 120 * SECOND, |_| async { API.acquire().await.ok() }).await;
    let limit = settled(&API).await;
    assert!((8..=20).contains(&limit), "{limit}");
    assert_eq!(busy(&API), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_weighs_at_most_the_lowest_limit() {
    static DISK: Limiter<Rejected> = Limiter::adaptive("adapting-weights", 3..=40).weight(1);
    let _one = DISK.try_acquire_many(3).expect("it is the lowest");
    assert_eq!(DISK.try_acquire_many(4).expect_err("it is more").kind(), RejectedKind::TooHeavy);
}

#[tokio::test(start_paused = true)]
async fn weights_count_by_the_permits_that_they_hold() {
    static DISK: Limiter<Rejected> =
        Limiter::adaptive("adapting-heavy", 4..=400).weight(4).max_waiting(usize::MAX);
    let backend = Backend::new(5, Duration::from_millis(20));
    load_with(&backend, 200, 90 * SECOND, |_| async { DISK.acquire().await.ok() }).await;
    let limit = settled(&DISK).await;
    // Five calls of four permits work at a time.
    assert!((16..=40).contains(&limit), "{limit}");
    assert_eq!(busy(&DISK), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn with_keys_the_total_adapts() {
    static TENANTS: KeyedLimiter =
        Limiter::new("adapting-keys", 20).keyed().adaptive_total(2..=400);
    let backend = Backend::new(10, Duration::from_millis(20));
    load_with(&backend, 100, 150 * SECOND, |task| async move {
        Some(TENANTS.key(task % 30).acquire().await)
    })
    .await;
    let total = settled(&TENANTS).await;
    let snapshot = TENANTS.snapshot();
    assert_eq!((snapshot.total.limit, snapshot.total.total), (20, Some(total)));
    assert!((10..=20).contains(&total), "{total}");
    assert_eq!((busy(&TENANTS), snapshot.total.keys), ((0, 0), 0));
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_limit_of_a_key_says_nothing_about_the_total() {
    static TENANTS: KeyedLimiter =
        Limiter::new("adapting-key-limit", 1).keyed().adaptive_total(2..=400);
    let backend = Backend::new(1, Duration::from_millis(20));
    load_with(&backend, 20, 60 * SECOND, |task| async move {
        Some(TENANTS.key(task % 2).acquire().await)
    })
    .await;
    assert_eq!(TENANTS.snapshot().total.adapted.total(), 0);
}

#[tokio::test(start_paused = true)]
async fn it_adapts_in_any_order_of_waiters() {
    static NEWEST: Limiter = Limiter::adaptive("adapting-lifo", 1..=400).order(Order::Lifo);
    static RANKED: Limiter = Limiter::adaptive("adapting-ranked", 1..=400);
    let backend = Backend::new(10, Duration::from_millis(20));
    load(&NEWEST, &backend, 100, 90 * SECOND).await;
    load_with(&backend, 100, 90 * SECOND, |task| async move {
        let priority = u8::try_from(task % 3).expect("it is small");
        Some(RANKED.acquire().priority(priority).await)
    })
    .await;
    for limiter in [&NEWEST, &RANKED] {
        let limit = settled(limiter).await;
        assert!((10..=20).contains(&limit), "{} {limit}", limiter.name());
        assert_eq!(busy(limiter), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_refuses_nobody() {
    static API: Limiter<Rejected> =
        Limiter::adaptive("adapting-max-waiting", 1..=400).start(20).max_waiting(30);
    let backend = Backend::new(15, Duration::from_millis(20));
    // 48 calls: at a limit of 18 or more all find room, unless a question takes half of it.
    load_with(&backend, 48, 30 * SECOND, |_| async { API.acquire().await.ok() }).await;
    let before = API.snapshot().total;
    load_with(&backend, 48, 60 * SECOND, |_| async { API.acquire().await.ok() }).await;
    let after = API.snapshot().total;
    assert!(after.adapted.question > before.adapted.question + 2, "{after:?}");
    assert_eq!(after.rejected, before.rejected);
}

#[tokio::test(start_paused = true)]
async fn a_process_adapts_as_one() {
    static DB: Limiter = Limiter::adaptive("adapting-process", 1..=400).scope(Scope::Process);
    let backend = Backend::new(10, Duration::from_millis(20));
    load(&DB, &backend, 100, 90 * SECOND).await;
    let limit = settled(&DB).await;
    assert!((10..=20).contains(&limit), "{limit}");
}
