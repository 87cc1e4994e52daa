//! Limiters that come and go under one name, as with one for each request.

use crate::stream::Stream;
use crate::support::Console;
use limit_runtime::Limiter;
use serde_json::{Value, json};
use std::time::Duration;

const NAME: &str = "come-and-go::each-request";

/// Serves a request: with a limiter of its own, a call that is admitted at once, and one that waits.
async fn request() -> Limiter {
    let limiter = Limiter::new(NAME, 1);
    let permit = limiter.acquire().await;
    let mut waiter = Box::pin(limiter.acquire());
    assert!(futures::poll!(&mut waiter).is_pending());
    tokio::time::advance(Duration::from_millis(50)).await;
    drop(permit);
    drop(waiter.await);
    limiter
}

#[tokio::test(start_paused = true)]
async fn a_row_is_that_of_all_that_have_its_name_one_after_another() {
    let console = Console::read_only();
    let mut limiter = request().await;
    let mut stream = Stream::open(&console, "/api/stream").await;
    stream.next().await;
    for _ in 0..5 {
        // Ten requests in a second: the reading sees the limiter of the last one.
        for _ in 0..10 {
            drop(limiter);
            limiter = request().await;
        }
        let (kind, changes) = stream.next().await;
        assert_eq!(kind, "changes");
        // Limiters of other tests come and go, too.
        let removed = changes["removed"].as_array().expect("a list");
        assert!(!removed.contains(&json!(NAME)), "there is one of that name");
    }
    let row = console.row(NAME).await;
    let admitted = row["admitted"].as_f64().expect("a rate");
    assert!((19.0..21.0).contains(&admitted), "{admitted} a second of those two in each");
    let p50 = row["p50"].as_f64().expect("some have waited");
    assert!((0.05..0.06).contains(&p50), "{p50}");
    assert_eq!((&row["oldest_wait"], &row["stalled"]), (&Value::Null, &Value::Null));
    assert_eq!(row["spark"].as_array().map(Vec::len), Some(6), "from the first on");
    let detail = console.get(&format!("/api/limiter?name={NAME}")).await.json();
    assert_eq!(detail["history"]["admitted"].as_array().map(Vec::len), Some(6));
    assert_eq!(detail["changes"], json!([]));
    assert_eq!(detail["snapshot"]["total"]["admitted_at_once"], 1, "of the one that there is");

    // Waits of long ago, at a former limiter of the name, do not count.
    drop(limiter);
    for _ in 0..30 {
        stream.next().await;
    }
    assert_eq!(console.row(NAME).await, Value::Null);
    let limiter = Limiter::new(NAME, 1);
    drop(limiter.acquire().await);
    stream.next().await;
    let row = console.row(NAME).await;
    assert_eq!((&row["p50"], &row["spark"]), (&Value::Null, &json!([0])));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_was_dropped_often_is_told_to_be_gone_once() {
    let console = Console::read_only();
    let mut slow = Stream::open(&console, "/api/stream").await;
    let mut steady = Stream::open(&console, "/api/stream").await;
    slow.next().await;
    for _ in 0..3 {
        let limiter = Limiter::new("come-and-go::often", 1);
        assert_eq!(limiter.snapshot().total.limit, 1);
        steady.next().await;
        drop(limiter);
        steady.next().await;
    }
    steady.next().await;
    let (_, changes) = slow.next().await;
    let removed = changes["removed"].as_array().expect("a list");
    assert_eq!(removed.iter().filter(|name| *name == "come-and-go::often").count(), 1);
}
