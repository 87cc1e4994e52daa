//! Streams under a limiter that other calls use too.

use super::{Work, ms, settle};
use futures::FutureExt;
use futures::stream;
use limit_runtime::task::{LimitStreamExt, StreamExt};
use limit_runtime::{Limiter, RejectedKind};
use limit_tests::figures::{assert_all_free, assert_figures};
use limit_tests::polling::permit;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn outputs_come_in_the_order_that_was_asked_for() {
    static LIMITER: Limiter = Limiter::new("map-limited-order", 3);
    let nap = |time: u64| async move {
        sleep(ms(time)).await;
        time
    };
    let times = [30, 10, 20, 5];
    let ordered = stream::iter(times).map_limited(&LIMITER, nap).ordered();
    assert_eq!(ordered.collect::<Vec<_>>().await, times);
    let unordered = stream::iter(times).map_limited(&LIMITER, nap).unordered();
    assert_eq!(unordered.collect::<Vec<_>>().await, [10, 5, 20, 30]);
    assert_all_free(&LIMITER);
}

#[tokio::test(start_paused = true)]
async fn permits_are_shared_with_other_users_of_the_limiter() {
    let limiter = Arc::new(Limiter::new("map-limited-shared", 3));
    let work = Work::default();
    let held = (permit(&limiter), permit(&limiter));
    let both = [(); 2].map(|()| {
        let (work, items) = (work.clone(), stream::iter(0..20));
        items.map_limited(&limiter, move |_| work.clone().take(ms(10))).unordered().count()
    });
    let both = tokio::spawn(futures::future::join_all(both));
    sleep(ms(55)).await;
    assert_eq!((work.most(), work.ended()), (1, 5));
    drop(held);
    assert_eq!(both.await.expect("it does not panic"), [20, 20]);
    assert_eq!((work.most(), work.ended()), (3, 40));
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn no_more_items_are_pulled_ahead_than_the_limit_says() {
    let limiter = Arc::new(Limiter::new("map-limited-lazy", 4));
    let pulled = Arc::new(AtomicUsize::new(0));
    let items = stream::iter(0..).inspect({
        let pulled = Arc::clone(&pulled);
        move |_| {
            pulled.fetch_add(1, Ordering::SeqCst);
        }
    });
    // Other calls hold all permits, so that the item that was pulled waits.
    let held = [permit(&limiter), permit(&limiter), permit(&limiter), permit(&limiter)];
    let mut results = pin!(items.map_limited(&limiter, async |n: usize| n).ordered());
    assert!(results.next().now_or_never().is_none());
    settle().await;
    assert_eq!(pulled.load(Ordering::SeqCst), 4);
    assert_figures(&limiter, 4, 4);
    drop(held);
    for n in 0..100 {
        assert_eq!(results.next().await, Some(n));
        assert!(pulled.load(Ordering::SeqCst) <= n + 4);
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_limit_is_followed() {
    let limiter = Arc::new(Limiter::new("map-limited-change", 2));
    let work = Work::default();
    let results = {
        let work = work.clone();
        stream::iter(0..).map_limited(&limiter, move |_| work.clone().take(ms(10))).unordered()
    };
    let consumer = tokio::spawn(results.for_each(async |()| ()));
    sleep(ms(55)).await;
    assert_eq!(work.now(), 2);
    limiter.set_limit(6);
    sleep(ms(20)).await;
    assert_eq!(work.now(), 6);
    limiter.set_limit(1);
    sleep(ms(20)).await;
    assert_eq!(work.now(), 1);
    limiter.set_limit(0);
    sleep(ms(20)).await;
    assert_eq!(work.now(), 0);
    limiter.set_limit(3);
    sleep(ms(25)).await;
    assert_eq!(work.now(), 3);
    consumer.abort();
    assert!(consumer.await.unwrap_err().is_cancelled());
    settle().await;
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_is_served_also_while_the_consumer_works() {
    let limiter = Arc::new(Limiter::new("map-limited-consumer", 1));
    let work = Work::default();
    let mut results = {
        let work = work.clone();
        pin!(stream::iter(0..3).map_limited(&limiter, move |_| work.clone().take(ms(10))).ordered())
    };
    let held = permit(&limiter);
    assert!(results.next().now_or_never().is_none());
    settle().await;
    drop(held);
    sleep(ms(50)).await;
    assert_eq!(work.ended(), 1);
    // The stream does not keep the permit from other calls either.
    drop(permit(&limiter));
    assert_eq!(results.count().await, 3);
}

#[tokio::test(start_paused = true)]
async fn of_a_limiter_that_can_refuse_each_output_is_a_result() {
    let limiter = Arc::new(Limiter::new("map-limited-refusing", 2).max_waiting(0));
    let held = limiter.try_acquire().expect("a permit is free");
    let nap = |n: u64| async move {
        sleep(ms(10)).await;
        n
    };
    let results = stream::iter(0..2).map_limited(&limiter, nap).ordered();
    let results: Vec<_> = results.collect().await;
    assert_eq!(results[0].as_ref().expect("it had the free one"), &0);
    assert_eq!(results[1].as_ref().unwrap_err().kind(), RejectedKind::QueueFull);
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_gives_permits_and_places_back() {
    let limiter = Arc::new(Limiter::new("map-limited-dropped", 2));
    let held = permit(&limiter);
    let mut results =
        Box::pin(stream::iter(0..).map_limited(&limiter, |_| sleep(ms(1_000))).unordered());
    assert!(results.next().now_or_never().is_none());
    settle().await;
    assert_figures(&limiter, 2, 1);
    drop(results);
    settle().await;
    assert_figures(&limiter, 1, 0);
    drop(held);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_raised_is_followed_also_while_nothing_else_happens() {
    let limiter = Arc::new(Limiter::new("map-limited-raised", 1));
    let work = Work::default();
    let results = {
        let work = work.clone();
        stream::iter(0..).map_limited(&limiter, move |_| work.clone().take(ms(3_600_000))).ordered()
    };
    let consumer = tokio::spawn(results.count());
    settle().await;
    for limit in [4, 2, 7, 9] {
        limiter.set_limit(limit);
        settle().await;
        assert_eq!(work.now(), limit.max(4));
    }
    consumer.abort();
}
