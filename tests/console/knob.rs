//! Settings from the side of the page's knob: words about numbers, the way back, and the list of all changes.

use crate::api::assert_is;
use crate::support::{Console, post};
use limit_runtime::{Limiter, Source, find};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn numbers_are_refused_in_the_words_of_the_api() {
    let limiter = Limiter::new("changes::numbers", 5).max_waiting(9);
    drop(limiter.acquire().await);
    let console = Console::writable();
    let whole = "expected a whole number from 0 (which pauses) to 2147483647";
    let no_json = "the body is not JSON: see line 1, column";
    let long = "9".repeat(400);
    let all = [
        ("limit", "1e3", 422, format!("`limit`: `1e3`, {whole}")),
        ("limit", "-1", 422, format!("`limit`: `-1`, {whole}")),
        ("limit", "1e400", 422, format!("`limit`: `1e400`, {whole}")),
        ("limit", "99999999999999999999999", 422, "`limit`: at most 2147483647".to_owned()),
        ("limit", &long, 422, "`limit`: at most 2147483647".to_owned()),
        ("limit", &format!("-{long}"), 422, format!("`limit`: `-{}…`, {whole}", "9".repeat(39))),
        ("limit", "0x10", 400, no_json.to_owned()),
        ("limit", "+1", 400, no_json.to_owned()),
        ("limit", "NaN", 400, no_json.to_owned()),
        ("max_waiting", "1e3", 422, "`max_waiting`: `1e3`, expected a whole number".to_owned()),
        ("max_wait", "1e400", 422, "`max_wait`: `1e400` is more seconds than a time".to_owned()),
        ("max_wait", "-1", 422, "`max_wait`: `-1`, expected a number of seconds from 0".to_owned()),
    ];
    for (setting, number, status, words) in all {
        let body = format!("{{\"name\":\"changes::numbers\",\"{setting}\":{number}}}");
        let refused = console.ask(post(body)).await;
        assert_eq!(refused.status.as_u16(), status, "{number}: {}", refused.body);
        assert!(refused.error().starts_with(&words), "{number}: {}", refused.error());
        // A parser's words say where it was, or what it was about to do.
        let foreign = ["at line", "invalid type", "expected value", "out of range", "float"];
        assert!(!foreign.iter().any(|words| refused.error().contains(words)), "{}", refused.body);
    }
    assert_eq!(limiter.limit(), Some(5));
}

#[tokio::test]
async fn change_comes_with_the_request_that_takes_it_back() {
    let limiter = Limiter::new("changes::undo", 5).max_waiting(9);
    drop(limiter.acquire().await);
    let console = Console::writable();
    let name = json!("changes::undo");
    limiter.set_max_wait(Duration::from_millis(1250));
    let handle = find("changes::undo").expect("it has been used");
    let before = handle.live_values();
    for mut wanted in [
        json!({"limit": 8, "max_waiting": 7, "max_wait": 2, "claim_within": "never", "shadow": true}),
        json!({"paused": true}),
        json!({"reset": true}),
        json!({"unset": ["max_wait"]}),
        json!({"max_waiting": u64::MAX, "claim_within": 3}),
    ] {
        wanted["name"] = name.clone();
        let changed = console.set(wanted.clone()).await.json();
        assert_ne!(handle.live_values(), before, "{wanted}");
        let undone = console.set(changed["undo"].clone()).await.json();
        assert_eq!(handle.live_values(), before, "{wanted}: {}", changed["undo"]);
        // And back again.
        console.set(undone["undo"].clone()).await.json();
        assert_ne!(handle.live_values(), before, "{wanted}");
        console.set(changed["undo"].clone()).await.json();
        assert_eq!(handle.live_values(), before, "{wanted}");
    }
    let settings = limiter.snapshot().settings;
    assert_eq!((settings.limit.value, settings.limit.source), (5, Source::Attribute));
}

#[tokio::test(start_paused = true)]
async fn changes_of_all_limiters_are_listed_together() {
    let console = Console::writable();
    let [one, other] =
        ["changes::together_1", "changes::together_2"].map(|name| Limiter::new(name, 5));
    drop((one.acquire().await, other.acquire().await));
    let before = console.get("/api/limiters").await.json()["logged"].as_u64().expect("a number");
    console.set(json!({"name": "changes::together_1", "limit": 6, "by": "ops"})).await.json();
    other.set_limit(7);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let log = console.get("/api/changes").await.json();
    assert_is("Log", &log);
    assert!(log["logged"].as_u64() >= Some(before + 2), "{log:#}");
    assert_eq!(console.get("/api/limiters").await.json()["logged"], log["logged"]);
    let changes = log["changes"].as_array().expect("a list").iter();
    let ours = changes.filter(|change| {
        change["limiter"].as_str().is_some_and(|name| name.starts_with("changes::together"))
    });
    let told: Vec<_> = ours
        .map(|change| ["limiter", "setting", "from", "to", "by"].map(|field| &change[field]))
        .collect();
    assert_eq!(
        told,
        [
            [
                &json!("changes::together_2"),
                &json!("limit"),
                &json!("5"),
                &json!("7"),
                &Value::Null
            ],
            [
                &json!("changes::together_1"),
                &json!("limit"),
                &json!("5"),
                &json!("6"),
                &json!("ops")
            ]
        ]
    );
    // The log outlives the limiter.
    drop(one);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(console.get("/api/changes").await.json(), log);
}

#[tokio::test]
async fn limiter_says_which_settings_can_be_changed() {
    let console = Console::read_only();
    let strict = Limiter::new("changes::strict", 5).max_waiting(1);
    let patient = Limiter::new("changes::patient", 5);
    drop((strict.acquire().await, patient.acquire().await));
    let settable = async |name: &str| {
        console.get(&format!("/api/limiter?name={name}")).await.json()["settable"].clone()
    };
    let all = ["limit", "max_waiting", "max_wait", "claim_within", "enabled", "shadow"];
    assert_eq!(settable("changes::strict").await, json!(all));
    let some = ["limit", "claim_within", "enabled", "shadow"];
    assert_eq!(settable("changes::patient").await, json!(some));
}
