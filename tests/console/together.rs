//! One stream for everything that a page follows, and the headers for proxies.

use crate::stream::Stream;
use crate::support::{Console, get};
use axum::http::StatusCode;
use limit_console::Options;
use limit_runtime::Limiter;
use std::time::Duration;

/// Waits for at most a minute, so that a test fails in place of hanging.
async fn within<T>(comes: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), comes).await.expect("it comes")
}

#[tokio::test]
async fn proxies_are_asked_to_keep_nothing_of_a_stream_back_and_to_pack_nothing() {
    let console = Console::read_only();
    let limiter = Limiter::new("together::proxied", 1);
    drop(limiter.acquire().await);
    for path in ["/api/stream", "/api/events?name=together::proxied"] {
        let headers = console.send(get(path)).await.headers().clone();
        assert_eq!(headers["content-type"], "text/event-stream", "{path}");
        assert_eq!(headers["x-accel-buffering"], "no", "{path}");
        assert_eq!(headers["cache-control"], "no-store, no-transform", "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
    }
    for path in ["/", "/console.js", "/api/limiters", "/api/events?name=nobody"] {
        let headers = console.get(path).await.headers;
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        assert!(!headers.contains_key("x-accel-buffering"), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_stream_has_all_limiters_and_what_happens_at_one_until_that_is_gone() {
    let console = Console::read_only();
    let limiter = Limiter::new("together::followed", 1);
    drop(limiter.acquire().await);
    let mut stream = Stream::open(&console, "/api/stream?events=together::followed").await;
    assert_eq!(stream.next().await.0, "all");
    drop(limiter.acquire().await);
    let mut seen = Vec::new();
    let events = within(async {
        loop {
            let (kind, data) = stream.next().await;
            if kind == "events" {
                break data;
            }
            seen.push(kind);
        }
    });
    let events = events.await;
    assert!(seen.iter().all(|kind| kind == "changes"), "{seen:?}");
    let kinds: Vec<_> =
        events["events"].as_array().expect("a list").iter().map(|e| e["kind"].clone()).collect();
    assert_eq!(kinds, ["admitted", "released"]);

    drop(limiter);
    within(async { while stream.next().await.0 != "gone" {} }).await;
    for _ in 0..3 {
        assert_eq!(stream.next().await.0, "changes", "it goes on all the same");
    }
}

#[tokio::test(start_paused = true)]
async fn events_of_a_limiter_that_there_is_not_are_said_to_be_gone() {
    let console = Console::read_only();
    let mut stream = Stream::open(&console, "/api/stream?events=together::nobody").await;
    let mut kinds = Vec::new();
    for _ in 0..4 {
        kinds.push(stream.next().await.0);
    }
    kinds.sort();
    assert_eq!(kinds, ["all", "changes", "changes", "gone"]);
    let refused = console.get("/api/stream?events=a&events=b").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.error());
}

#[tokio::test]
async fn one_that_has_events_too_takes_one_place_and_ends_with_the_server() {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let console = Console::new(Options::new().until(async move { drop(stopped.await) }));
    let limiter = Limiter::new("together::place", 1);
    drop(limiter.acquire().await);
    let mut streams = Vec::new();
    for _ in 0..64 {
        streams.push(Stream::open(&console, "/api/stream?events=together::place").await);
    }
    let refused = console.get("/api/stream").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    streams.truncate(1);
    let mut stream = streams.pop().expect("there is one");
    assert_eq!(stream.next().await.0, "all");
    stop.send(()).expect("somebody waits for it");
    while let Some((kind, _)) = stream.try_next().await {
        assert_ne!(kind, "gone", "the limiter is there");
    }
}
