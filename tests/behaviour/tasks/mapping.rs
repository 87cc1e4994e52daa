//! `map` and `try_map`.

use super::{Work, ms, settle};
use futures::FutureExt;
use limit_runtime::task::{self, Stream, StreamExt};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

/// An iterator of a billion items that counts how many were pulled.
fn a_billion() -> (Arc<AtomicUsize>, impl Iterator<Item = u64>) {
    let pulled = Arc::new(AtomicUsize::new(0));
    let items = (0..1_000_000_000).inspect({
        let pulled = Arc::clone(&pulled);
        move |_| {
            pulled.fetch_add(1, Ordering::SeqCst);
        }
    });
    (pulled, items)
}

/// Sleeps for a while, and longer for the first of each ten items.
async fn nap(n: u64) -> u64 {
    sleep(ms(if n % 10 == 0 { 25 } else { 10 })).await;
    n
}

async fn never_more_than_five_ahead(
    pulled: &AtomicUsize,
    results: impl Stream<Item = u64>,
) -> Vec<u64> {
    let mut results = pin!(results);
    let mut outputs = Vec::new();
    assert_eq!(pulled.load(Ordering::SeqCst), 0, "nothing before the first poll");
    while outputs.len() < 200 {
        outputs.push(results.next().await.expect("a billion"));
        let ahead = pulled.load(Ordering::SeqCst) - outputs.len();
        assert!(ahead <= 4, "{ahead} ahead of {}", outputs.len());
        if outputs.len() % 7 == 0 {
            // The consumer is slow: the stream pulls no more items meanwhile.
            sleep(ms(100)).await;
            assert_eq!(pulled.load(Ordering::SeqCst) - outputs.len(), ahead);
        }
    }
    outputs
}

#[tokio::test(start_paused = true)]
async fn a_billion_items_are_pulled_five_at_a_time_in_order() {
    let (pulled, items) = a_billion();
    let outputs = never_more_than_five_ahead(&pulled, task::map(5, items, nap).ordered()).await;
    assert_eq!(outputs, (0..200).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_billion_items_are_pulled_five_at_a_time_as_they_are_done() {
    let (pulled, items) = a_billion();
    let mut outputs =
        never_more_than_five_ahead(&pulled, task::map(5, items, nap).unordered()).await;
    assert_ne!(outputs, (0..200).collect::<Vec<_>>());
    outputs.sort_unstable();
    outputs.dedup();
    assert_eq!(outputs.len(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_made_use_of() {
    for limit in [1, 2, 5] {
        let (work, start) = (Work::default(), Instant::now());
        let results = task::map(limit, 0..10, |_| work.clone().take(ms(10)));
        assert_eq!(results.unordered().count().await, 10);
        assert_eq!(work.most(), limit);
        assert_eq!(start.elapsed(), ms(100 / limit as u64));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_goes_on_while_the_consumer_works() {
    let work = Work::default();
    let mut results = task::map(3, 0..6, |_| work.clone().take(ms(10))).unordered();
    results.next().await.expect("six");
    sleep(ms(1_000)).await; // the consumer, which polls nothing meanwhile
    assert_eq!((work.ended(), work.now()), (3, 0));
    results.next().await.expect("six");
    assert_eq!(work.ended(), 3, "it was there already");
    assert_eq!(results.count().await, 4);
    assert_eq!(work.ended(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_cancels_its_tasks() {
    for ordered in [true, false] {
        let work = Work::default();
        let results = task::map(3, 0.., |_| work.clone().take(ms(10)));
        let mut results = if ordered {
            results.ordered().boxed_local()
        } else {
            results.unordered().boxed_local()
        };
        results.next().await.expect("it has no end");
        settle().await;
        drop(results);
        sleep(ms(100)).await;
        assert_eq!((work.now(), work.ended()), (0, 3), "ordered: {ordered}");
    }
}

#[tokio::test(start_paused = true)]
async fn items_come_from_a_stream_as_it_has_them() {
    let (sender, receiver) = mpsc::unbounded_channel();
    let items = futures::stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|item| (item, receiver))
    });
    let mut results = pin!(task::map(2, items, nap).ordered());
    assert!(results.next().now_or_never().is_none());
    sender.send(1).expect("it is listened to");
    assert_eq!(results.next().await, Some(1));
    for item in [2, 3, 4] {
        sender.send(item).expect("it is listened to");
    }
    assert_eq!((results.next().await, results.next().await), (Some(2), Some(3)));
    drop(sender);
    assert_eq!((results.next().await, results.next().await), (Some(4), None));
}

#[tokio::test(start_paused = true)]
async fn an_error_ends_the_stream_in_its_turn_and_cancels_the_rest() {
    let work = Work::default();
    let attempt = |n| work.clone().attempt(n);
    let results: Vec<_> = task::try_map(4, 0.., attempt).ordered().collect().await;
    assert_eq!(results, [Ok(0), Ok(1), Err(2)]);
    settle().await;
    assert_eq!(work.now(), 0);

    let results: Vec<_> = task::try_map(4, 0.., attempt).unordered().collect().await;
    assert_eq!(results, [Ok(3), Err(2)]);
    settle().await;
    assert_eq!(work.now(), 0);
}

#[tokio::test]
async fn a_stream_that_has_ended_stays_ended() {
    let mut results = pin!(task::map(2, [1, 2], async |n: i32| n).ordered());
    assert_eq!((results.next().await, results.next().await), (Some(1), Some(2)));
    assert_eq!((results.next().await, results.next().await), (None, None));

    let mut results = pin!(task::try_map(2, [1, 2], async |n: i32| Err::<(), _>(n)).ordered());
    assert_eq!((results.next().await, results.next().await), (Some(Err(1)), None));
    assert_eq!(results.next().await, None);
}

#[tokio::test]
async fn it_says_how_many_are_left() {
    let mut results = pin!(task::map(2, 0..5, async |n: i32| n).ordered());
    assert_eq!(results.size_hint(), (5, Some(5)));
    results.next().await;
    assert_eq!(results.size_hint(), (4, Some(4)));
    let results = task::try_map(2, 0..5, async |n: i32| Ok::<_, ()>(n)).ordered();
    assert_eq!(results.size_hint(), (0, Some(5)));
}

#[tokio::test]
async fn a_panic_goes_on_in_the_consumer() {
    let results = task::map(2, 0..5, async |n: i32| assert_ne!(n, 1, "it is one"));
    let consumer = tokio::spawn(results.ordered().count());
    let panic = consumer.await.unwrap_err().into_panic();
    let message = panic.downcast_ref::<String>().expect("text");
    assert!(message.contains("it is one"), "{message}");
}

#[tokio::test]
async fn streams_are_send_and_unpin_and_the_closure_need_be_neither_send_nor_static() {
    fn sent<T: Send + Unpin>(value: T) -> T {
        value
    }
    drop(sent(task::map(2, 0..5, async |n: i32| n).ordered()));
    let seen = std::cell::Cell::new(0);
    let results = task::map(2, 0..5, |n: i32| {
        seen.set(seen.get() + 1);
        async move { n }
    });
    assert_eq!(results.unordered().count().await, 5);
    assert_eq!(seen.get(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_panic_cancels_the_others_and_ends_the_stream() {
    for ordered in [true, false] {
        let work = Work::default();
        let attempt = |n: u64| {
            let work = work.clone();
            async move {
                work.take(ms(10 + n)).await;
                assert_ne!(n, 0, "the first");
            }
        };
        let results = task::map(3, 0.., attempt);
        let mut results =
            if ordered { results.ordered().boxed() } else { results.unordered().boxed() };
        let panicked = std::panic::AssertUnwindSafe(results.next()).catch_unwind().await;
        assert!(panicked.is_err());
        assert_eq!(results.next().await, None, "ordered: {ordered}");
        sleep(ms(100)).await;
        assert_eq!((work.begun(), work.ended()), (3, 1), "ordered: {ordered}");
    }
}
