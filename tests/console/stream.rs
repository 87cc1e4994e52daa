//! Server-sent events.

use crate::support::{Console, get, request};
use axum::body::{Body, BodyDataStream};
use axum::http::StatusCode;
use axum::response::Response;
use flate2::write::GzDecoder;
use futures::StreamExt;
use limit_console::Options;
use limit_runtime::Limiter;
use serde_json::Value;
use std::io::Write;
use std::time::Duration;

/// A stream of events.
pub(crate) struct Stream {
    body: BodyDataStream,
    text: String,
    /// The decoder of a compressed stream.
    decoder: Option<GzDecoder<Vec<u8>>>,
    /// The bytes that have arrived.
    pub(crate) arrived: usize,
}

impl Stream {
    pub(crate) async fn open(console: &Console, path: &str) -> Self {
        let stream = Self::of(console.send(get(path)).await);
        assert!(stream.decoder.is_none(), "nobody has asked for that");
        stream
    }

    /// Opens a stream as a browser does, which accepts gzip.
    pub(crate) async fn open_compressed(console: &Console, path: &str) -> Self {
        let request = request("GET", path).header("accept-encoding", "gzip, br");
        let request = request.body(Body::empty()).expect("a request");
        let stream = Self::of(console.send(request).await);
        assert!(stream.decoder.is_some(), "it is compressed");
        stream
    }

    fn of(response: Response) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let decoder = response.headers().get("content-encoding").map(|encoding| {
            assert_eq!(encoding, "gzip");
            GzDecoder::new(Vec::new())
        });
        let body = response.into_body().into_data_stream();
        Self { body, text: String::new(), decoder, arrived: 0 }
    }

    /// Waits for the next event. Returns its kind and its data.
    pub(crate) async fn next(&mut self) -> (String, Value) {
        self.try_next().await.expect("another event")
    }

    pub(crate) async fn try_next(&mut self) -> Option<(String, Value)> {
        let event = loop {
            let Some((event, rest)) = self.text.split_once("\n\n") else {
                let more = self.body.next().await?.expect("no error");
                self.arrived += more.len();
                let more = match &mut self.decoder {
                    None => more.into(),
                    Some(decoder) => {
                        decoder.write_all(&more).expect("it is gzip");
                        std::mem::take(decoder.get_mut())
                    }
                };
                self.text.push_str(std::str::from_utf8(&more).expect("text"));
                continue;
            };
            let (event, rest) = (event.to_owned(), rest.to_owned());
            self.text = rest;
            // A line that begins with a colon is a comment.
            if !event.starts_with(':') {
                break event;
            }
        };
        let field = |name: &str| {
            let lines =
                event.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            lines.collect::<String>()
        };
        Some((field("event"), serde_json::from_str(&field("data")).expect("JSON")))
    }

    /// Waits for an event for which `is_it` returns `true`. Returns its data.
    pub(crate) async fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let (_, data) = self.next().await;
            if is_it(&data) {
                return data;
            }
        }
    }
}

fn row<'a>(event: &'a Value, name: &str) -> Option<&'a Value> {
    event["limiters"].as_array()?.iter().find(|row| row["name"] == name)
}

#[tokio::test(start_paused = true)]
async fn what_has_changed_is_told_once_and_what_is_gone() {
    let console = Console::read_only();
    let limiter = Limiter::new("stream::changes", 2);
    drop(limiter.acquire().await);
    let mut stream = Stream::open(&console, "/api/stream").await;
    let (kind, all) = stream.next().await;
    assert_eq!(kind, "all");
    assert_eq!(row(&all, "stream::changes").expect("it is there")["spark"], serde_json::json!([0]));

    let permit = limiter.acquire().await;
    let changed = stream.until(|event| row(event, "stream::changes").is_some()).await;
    assert_eq!(row(&changed, "stream::changes").expect("it is there")["in_use"], 1);
    // The rate goes back to 0, which is told, and then nothing changes any more.
    stream.until(|event| row(event, "stream::changes").is_some()).await;
    for _ in 0..3 {
        let (kind, event) = stream.next().await;
        assert_eq!((kind.as_str(), row(&event, "stream::changes")), ("changes", None));
    }
    drop(permit);
    drop(limiter);
    let is_gone = |event: &Value| {
        event["removed"]
            .as_array()
            .is_some_and(|removed| removed.iter().any(|name| name == "stream::changes"))
    };
    let gone = stream.until(is_gone).await;
    assert_eq!(row(&gone, "stream::changes"), None);
    assert_eq!(console.row("stream::changes").await, Value::Null);
}

#[tokio::test(start_paused = true)]
async fn each_message_of_a_compressed_stream_arrives_at_once() {
    let console = Console::read_only();
    let limiter = Limiter::new("stream::compressed", 2);
    drop(limiter.acquire().await);
    let mut stream = Stream::open_compressed(&console, "/api/stream").await;
    for kind in ["all", "changes", "changes", "changes"] {
        let (told_kind, told) = stream.next().await;
        let now = console.get("/api/limiters").await.json();
        let tick = |message: &Value| message["tick"].as_u64().expect("a number");
        assert_eq!(told_kind, kind);
        assert!(tick(&now) <= tick(&told) + 1, "{now} after {told}");
    }
    let mut events = Stream::open_compressed(&console, "/api/events?name=stream::compressed").await;
    drop(limiter.acquire().await);
    let (_, told) = events.next().await;
    assert_eq!(told["events"].as_array().map(Vec::len), Some(2), "{told}");
}

#[tokio::test(start_paused = true)]
async fn who_was_away_for_long_is_told_all_again() {
    let console = Console::read_only();
    let limiter = Limiter::new("stream::away", 1);
    assert_eq!(limiter.snapshot().total.limit, 1);
    let mut slow = Stream::open(&console, "/api/stream").await;
    let mut steady = Stream::open(&console, "/api/stream").await;
    assert_eq!(slow.next().await.0, "all");
    for _ in 0..100 {
        steady.next().await;
    }
    let (kind, all) = slow.next().await;
    assert_eq!(kind, "all");
    let spark = row(&all, "stream::away").expect("it is there")["spark"].as_array();
    assert_eq!(spark.map(Vec::len), Some(60), "the last minute");
    assert_eq!(slow.next().await.0, "changes");
}

#[tokio::test(start_paused = true)]
async fn limiter_that_is_dropped_and_made_again_is_another() {
    let console = Console::read_only();
    for limit in [1, 2] {
        let limiter = Limiter::new("stream::again", limit);
        drop(limiter.acquire().await);
        let mut stream = Stream::open(&console, "/api/stream").await;
        stream
            .until(|event| row(event, "stream::again").is_some_and(|row| row["limit"] == limit))
            .await;
        let detail = console.get("/api/limiter?name=stream::again").await.json();
        assert_eq!(detail["changes"], serde_json::json!([]), "another one's limit is no change");
    }
}

#[tokio::test(start_paused = true)]
async fn limiter_that_is_made_again_is_not_told_to_be_gone() {
    let console = Console::read_only();
    let limiter = |limit| {
        let limiter = Limiter::new("stream::back", limit);
        assert_eq!(limiter.snapshot().total.limit, limit);
        limiter
    };
    let first = limiter(1);
    let mut slow = Stream::open(&console, "/api/stream").await;
    let mut steady = Stream::open(&console, "/api/stream").await;
    assert!(row(&slow.next().await.1, "stream::back").is_some());
    drop(first);
    for _ in 0..3 {
        steady.next().await;
    }
    let _second = limiter(2);
    for _ in 0..3 {
        steady.next().await;
    }
    let (_, event) = slow.next().await;
    assert_eq!(row(&event, "stream::back").expect("it is there")["limit"], 2);
    let removed = event["removed"].as_array().expect("a list");
    assert!(!removed.iter().any(|name| name == "stream::back"), "{removed:?}");
}

#[tokio::test]
async fn streams_end_when_the_server_is_to_shut_down() {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let console = Console::new(Options::new().until(async move { drop(stopped.await) }));
    let limiter = Limiter::new("stream::until", 1);
    drop(limiter.acquire().await);
    let mut stream = Stream::open(&console, "/api/stream").await;
    let mut events = Stream::open(&console, "/api/events?name=stream::until").await;
    stream.next().await;
    stop.send(()).expect("somebody waits for it");
    while stream.try_next().await.is_some() {}
    assert_eq!(events.try_next().await, None);
    assert_eq!(console.get("/api/limiters").await.status, StatusCode::OK, "figures are still told");
}

#[tokio::test]
async fn only_so_many_may_follow() {
    let console = Console::read_only();
    let mut streams = Vec::new();
    for _ in 0..64 {
        streams.push(Stream::open(&console, "/api/stream").await);
    }
    let refused = console.get("/api/stream").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.error().contains("close a page"), "{}", refused.body);
    streams.pop();
    Stream::open(&console, "/api/stream").await.next().await;
}

#[tokio::test]
async fn limiter_is_listened_to_only_while_somebody_follows_its_events() {
    let console = Console::read_only();
    let limiter = Limiter::new("stream::events", 1);
    drop(limiter.acquire().await);
    let mut events = Stream::open(&console, "/api/events?name=stream::events").await;
    for _ in 0..200 {
        drop(limiter.acquire().await);
    }
    let (_, told) = events.next().await;
    let (shown, missed) =
        (told["events"].as_array().expect("a list").len(), told["missed"].as_u64());
    assert_eq!((shown, missed), (50, Some(350)), "the newest, and how many more");
    drop(events);
    drop(limiter.acquire().await);
}

#[test]
fn console_made_outside_any_runtime_begins_with_the_first_request_and_outlives_that_runtime() {
    let console = Console::read_only();
    for _ in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let limiter = Limiter::new("stream::late", 1);
        runtime.expect("a runtime").block_on(async {
            drop(limiter.acquire().await);
            let mut stream = Stream::open(&console, "/api/stream").await;
            let told = stream.until(|event| row(event, "stream::late").is_some());
            tokio::time::timeout(Duration::from_secs(60), told).await.expect("it reads");
        });
    }
}

#[tokio::test(start_paused = true)]
async fn limiter_that_somebody_asks_for_before_the_next_reading_is_told_to_who_follows() {
    let console = Console::read_only();
    let mut stream = Stream::open(&console, "/api/stream").await;
    stream.next().await;
    let limiter = Limiter::new("stream::asked", 1);
    assert_eq!(limiter.snapshot().total.limit, 1);
    let detail = console.get("/api/limiter?name=stream::asked").await.json();
    assert_eq!(detail["history"]["time"], serde_json::json!([]), "there was no reading of it");
    let (_, event) = stream.next().await;
    assert!(row(&event, "stream::asked").is_some(), "{event:#}");
    let detail = console.get("/api/limiter?name=stream::asked").await.json();
    assert_eq!(detail["history"]["time"].as_array().map(Vec::len), Some(1));
    let all = console.row("stream::asked").await;
    assert_eq!(all["spark"], serde_json::json!([0]));
}

#[test]
fn runtime_that_nobody_drives_any_more_does_not_keep_others_from_reading() {
    let runtime = || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().start_paused(true).build().expect("a runtime")
    };
    let (first, second) = (runtime(), runtime());
    let console = first.block_on(async { Console::read_only() });
    // The first runtime is alive, and idle.
    second.block_on(async {
        let patience = Duration::from_secs(60);
        let mut stream = Stream::open(&console, "/api/stream").await;
        for _ in 0..3 {
            tokio::time::timeout(patience, stream.next()).await.expect("it reads");
        }
    });
    first.block_on(async {
        let patience = Duration::from_secs(60);
        let mut stream = Stream::open(&console, "/api/stream").await;
        for _ in 0..30 {
            tokio::time::timeout(patience, stream.next()).await.expect("it reads");
        }
    });
    // The same holds for a runtime that ended while somebody followed on another.
    let third = runtime();
    let mut stream = third.block_on(Stream::open(&console, "/api/stream"));
    drop((first, second));
    third.block_on(async {
        for _ in 0..3 {
            let next = tokio::time::timeout(Duration::from_secs(60), stream.next());
            next.await.expect("it reads");
        }
    });
}

#[test]
fn shutdown_is_known_although_the_runtime_of_the_router_is_gone() {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    let console = runtime().expect("a runtime").block_on(async {
        let console = Console::new(Options::new().until(async move { drop(stopped.await) }));
        console.get("/api/limiters").await.json();
        console
    });
    runtime().expect("a runtime").block_on(async {
        let mut streams = Vec::new();
        for _ in 0..3 {
            streams.push(Stream::open(&console, "/api/stream").await);
        }
        for stream in &mut streams {
            stream.next().await;
        }
        stop.send(()).expect("somebody waits for it");
        for mut stream in streams {
            while stream.try_next().await.is_some() {}
        }
    });
}

#[tokio::test(start_paused = true)]
async fn peer_that_is_gone_without_a_word_is_found_out_although_nothing_happens() {
    let console = Console::read_only();
    let limiter = Limiter::new("stream::quiet", 1);
    drop(limiter.acquire().await);
    let response = console.send(get("/api/events?name=stream::quiet")).await;
    let mut body = response.into_body().into_data_stream();
    let sent = tokio::time::timeout(Duration::from_secs(60), body.next()).await;
    let sent = sent.expect("something is sent").expect("it goes on").expect("no error");
    assert!(sent.starts_with(b":"), "a comment: {sent:?}");
}

#[tokio::test]
async fn events_end_with_the_limiter() {
    let console = Console::read_only();
    let limiter = Limiter::new("stream::ends", 1);
    drop(limiter.acquire().await);
    console.get("/api/limiters").await.json();
    let mut events = Stream::open(&console, "/api/events?name=stream::ends").await;
    drop(limiter);
    assert_eq!(events.try_next().await, None);
}

#[test]
fn figures_are_of_now_although_the_runtime_that_has_read_stands_still() {
    let runtime = || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().start_paused(true).build().expect("a runtime")
    };
    let (first, second) = (runtime(), runtime());
    let limiter = Limiter::new("stream::still", 1);
    let console = first.block_on(async {
        drop(limiter.acquire().await);
        let console = Console::read_only();
        assert_eq!(console.row("stream::still").await["in_use"], 0);
        console
    });
    second.block_on(async {
        for in_use in [1, 0] {
            let permit = if in_use == 1 { Some(limiter.acquire().await) } else { None };
            tokio::time::sleep(Duration::from_secs(10)).await;
            assert_eq!(console.row("stream::still").await["in_use"], in_use);
            drop(permit);
        }
    });
    drop(second);
    runtime().block_on(async {
        let permit = limiter.acquire().await;
        // Each runtime has a clock of its own. This one is later.
        tokio::time::sleep(Duration::from_secs(100)).await;
        let detail = console.get("/api/limiter?name=stream::still").await.json();
        assert_eq!(detail["limiter"]["in_use"], 1);
        drop(permit);
    });
}
