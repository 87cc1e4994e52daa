//! The list of all limiters, in parts and compressed.

use crate::support::{Console, get, request};
use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use limit_runtime::Limiter;
use serde_json::{Value, json};
use std::io::Read;

fn used(name: String) -> Limiter {
    let limiter = Limiter::named(name, 1);
    assert_eq!(limiter.snapshot().total.limit, 1);
    limiter
}

fn names(part: &Value) -> Vec<&str> {
    let rows = part["limiters"].as_array().expect("a list");
    rows.iter().map(|row| row["name"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn limiters_come_in_parts_in_the_order_of_their_names() {
    let _limiters: Vec<_> = "edcba".chars().map(|name| used(format!("parts::{name}"))).collect();
    let console = Console::read_only();
    let all = console.get("/api/limiters").await.json();
    assert!(names(&all).is_sorted());
    assert_eq!(
        (&all["next"], all["total"].as_u64()),
        (&json!(null), Some(names(&all).len() as u64))
    );

    let mut after = "parts::".to_owned();
    for expected in [["parts::a", "parts::b"], ["parts::c", "parts::d"]] {
        let part = console.get(&format!("/api/limiters?after={after}&count=2")).await.json();
        assert_eq!(names(&part), expected);
        assert!(part["total"].as_u64().is_some_and(|total| total >= 5));
        after = part["next"].as_str().expect("there are more").to_owned();
    }
    // Without a count, all that come.
    let rest = console.get(&format!("/api/limiters?after={after}")).await.json();
    assert_eq!((names(&rest)[0], &rest["next"]), ("parts::e", &json!(null)));
    let none = console.get("/api/limiters?after=~~&count=2").await.json();
    assert_eq!((names(&none).len(), &none["next"]), (0, &json!(null)));
}

#[tokio::test]
async fn part_of_no_limiters_is_refused() {
    for count in ["0", "-1", "many"] {
        let refused = Console::read_only().get(&format!("/api/limiters?count={count}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{count}");
        assert!(refused.error().contains("count"), "{}", refused.error());
    }
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_accept_it() {
    let _limiters: Vec<_> = (0..100).map(|n| used(format!("packed::{n}"))).collect();
    let console = Console::read_only();
    let accepting = |path: &str| {
        let request = request("GET", path).header("accept-encoding", "gzip, br");
        request.body(Body::empty()).expect("a request")
    };
    let path = "/api/limiters?after=packed::&count=100";
    let plain = console.ask(get(path)).await;
    assert!(!plain.headers.contains_key("content-encoding"));
    let answer = console.send(accepting(path)).await;
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert_eq!(answer.headers()["vary"], "accept-encoding");
    let compressed = to_bytes(answer.into_body(), 1 << 20).await.expect("the whole body");
    let mut text = String::new();
    let mut decoder = flate2::read::GzDecoder::new(&compressed[..]);
    decoder.read_to_string(&mut text).expect("it is gzip");
    let part: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(names(&part), names(&plain.json()));
    assert!(compressed.len() * 5 < text.len(), "{} of {}", compressed.len(), text.len());
}
