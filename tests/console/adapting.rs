//! Limits that adapt: what the API tells of them, and changes of them.

use crate::support::Console;
use limit_runtime::{KeyedLimiter, Limiter};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

/// Calls a backend that works on 4 calls at a time, from 40 tasks, until something holds.
async fn load_until(limiter: &Limiter, holds: impl Fn(&Limiter) -> bool) {
    let workers = Semaphore::new(4);
    let task = |_| async {
        while !holds(limiter) {
            let _permit = limiter.acquire().await;
            let _worker = workers.acquire().await.expect("it is not closed");
            sleep(Duration::from_millis(1)).await;
        }
    };
    let load = futures::future::join_all((0..40).map(task));
    timeout(Duration::from_secs(60), load).await.expect("it learns");
}

/// Asks until a row is as wanted.
async fn row_until(console: &Console, name: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let row = console.row(name).await;
        if is_wanted(&row) {
            return row;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{row:#}");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn logged(console: &Console, name: &str) -> Value {
    console.get(&format!("/api/limiter?name={name}")).await.json()["changes"].clone()
}

#[tokio::test]
async fn a_row_has_the_range_the_chosen_limit_and_why_it_changed() {
    let limiter = Limiter::adaptive("adapting::row", 1..=100);
    drop(limiter.acquire().await);
    let console = Console::read_only();
    let row = console.row("adapting::row").await;
    let adaptive = &row["adaptive"];
    assert_eq!((&adaptive["low"], &adaptive["high"]), (&json!(1), &json!(100)));
    assert_eq!((&adaptive["limit"], &adaptive["last_change"]), (&row["limit"], &Value::Null));
    assert_eq!((&adaptive["frozen"], &adaptive["advises"]), (&json!(false), &json!(false)));

    load_until(&limiter, |limiter| limiter.snapshot().total.adapted.grow > 1).await;
    let grown = |row: &Value| {
        row["limit"].as_u64() > Some(4) && row["adaptive"]["last_change"]["time"].is_u64()
    };
    let row = row_until(&console, "adapting::row", grown).await;
    let adaptive = &row["adaptive"];
    assert!(adaptive["time"].as_f64() > Some(0.0), "{adaptive:#}");
    assert!(adaptive["changes"]["grow"].as_u64() > Some(1), "{adaptive:#}");
    let reason = adaptive["last_change"]["reason"].as_str();
    assert!(reason.is_some_and(|reason| adaptive["changes"][reason].as_u64() > Some(0)));
    assert_eq!(adaptive["limit"], row["capacity"]);
}

#[tokio::test]
async fn the_history_has_each_chosen_limit_and_the_log_has_none() {
    let limiter = Limiter::adaptive("adapting::history", 1..=100);
    drop(limiter.acquire().await);
    let console = Console::read_only();
    let path = "/api/limiter?name=adapting::history";
    let first = console.get(path).await.json()["tick"].as_u64().expect("a number");
    load_until(&limiter, |limiter| limiter.limit() > Some(4)).await;
    let begun = Instant::now();
    loop {
        let detail = console.get(path).await.json();
        let limits = detail["history"]["capacity"].as_array().cloned().expect("a list");
        if limits.last().and_then(Value::as_u64) > Some(4) {
            assert_eq!(limits[0], 2, "{limits:?}");
            assert_eq!(detail["changes"], json!([]));
            assert!(detail["tick"].as_u64() > Some(first));
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{limits:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_number_holds_the_limit_and_undo_lets_it_adapt_again() {
    let limiter = Limiter::adaptive("adapting::held", 4..=200);
    drop(limiter.acquire().await);
    let console = Console::writable();
    let answer = console.set(json!({"name": "adapting::held", "limit": 9})).await.json();
    assert_eq!(answer["limiter"]["adaptive"]["frozen"], true);
    assert_eq!(answer["limiter"]["limit"], 9);
    let change = &answer["changes"][0];
    assert_eq!((&change["from"], &change["to"]), (&json!("4..=200"), &json!("9")));
    assert_eq!(answer["undo"], json!({"name": "adapting::held", "unset": ["limit"]}));
    let answer = console.set(answer["undo"].clone()).await.json();
    assert_eq!(answer["limiter"]["adaptive"]["frozen"], false);
    assert_eq!(answer["limiter"]["limit"], 9, "it goes on from there");
    let logged = logged(&console, "adapting::held").await;
    assert_eq!(logged.as_array().map(Vec::len), Some(2), "{logged:#}");
}

#[tokio::test]
async fn a_range_lets_a_limit_adapt_and_undo_leads_back_to_the_range_before() {
    let limiter = Limiter::new("adapting::range", 7);
    drop(limiter.acquire().await);
    let console = Console::writable();
    let set = async |limit: Value| {
        console.set(json!({"name": "adapting::range", "limit": limit})).await.json()
    };
    let answer = set(json!("3..=200")).await;
    let adaptive = &answer["limiter"]["adaptive"];
    assert_eq!((&adaptive["low"], &adaptive["high"]), (&json!(3), &json!(200)));
    assert_eq!(answer["limiter"]["limit"], 7, "it goes on from there");
    let answer = set(json!("2 ..= 90")).await;
    assert_eq!(answer["changes"][0]["to"], "2..=90");
    assert_eq!(answer["undo"], json!({"name": "adapting::range", "limit": "3..=200"}));
    console.set(answer["undo"].clone()).await.json();
    let range = limiter.snapshot().settings.range.expect("it adapts");
    assert_eq!((range.low, range.high), (3, 200));
    console.set(json!({"name": "adapting::range", "reset": true})).await.json();
    assert_eq!((limiter.limit(), limiter.snapshot().settings.range), (Some(7), None));
}

#[tokio::test]
async fn wrong_ranges_are_refused_in_our_words() {
    let limiter = Limiter::new("adapting::wrong", 7);
    drop(limiter.acquire().await);
    let console = Console::writable();
    let refused = [
        ("4..200", "`limit`: `\"4..200\"` is no range: write `..=` between the ends"),
        ("0..=9", "is no range: the lower end is at least 1"),
        ("9..=4", "is no range: write the lower end first"),
        ("4..=2147483648", "`limit`: at most 2147483647"),
        ("4..=99999999999999999999", "`limit`: at most 2147483647"),
        ("4..=", "`limit`: `\"4..=\"`, expected a whole number from 0"),
        (
            "+4..=9",
            "expected a whole number from 0 (which pauses) to 2147483647, or a range such as",
        ),
        ("many", "`limit`: `\"many\"`, expected a whole number"),
        ("", "`limit`: `\"\"`, expected a whole number"),
    ];
    for (limit, words) in refused {
        let answer = console.set(json!({"name": "adapting::wrong", "limit": limit})).await;
        assert_eq!(answer.status, 422, "{limit}: {}", answer.body);
        assert!(answer.error().contains(words), "{limit}: {}", answer.body);
    }
    assert_eq!(limiter.limit(), Some(7));
}

#[tokio::test]
async fn a_limit_that_cannot_adapt_says_why() {
    let limiter = Limiter::new("adapting::rate", 7).per(Duration::from_secs(1));
    drop(limiter.acquire().await);
    let console = Console::writable();
    let answer = console.set(json!({"name": "adapting::rate", "limit": "4..=200"})).await;
    assert_eq!(answer.status, 409);
    assert!(answer.error().contains("write a number"), "{}", answer.body);
}

#[tokio::test]
async fn a_pause_ends_with_the_range_that_there_was() {
    let limiter = Limiter::adaptive("adapting::pause", 4..=200);
    drop(limiter.acquire().await);
    let console = Console::writable();
    let pause = async |paused: bool| {
        console.set(json!({"name": "adapting::pause", "paused": paused})).await.json()["limiter"]
            .clone()
    };
    for live in [None, Some("2..=90")] {
        if let Some(live) = live {
            console.set(json!({"name": "adapting::pause", "limit": live})).await.json();
        }
        let row = pause(true).await;
        assert_eq!((&row["paused"], &row["adaptive"]["frozen"]), (&json!(true), &json!(true)));
        let row = pause(false).await;
        assert_eq!((&row["paused"], &row["adaptive"]["frozen"]), (&json!(false), &json!(false)));
        assert_eq!(
            limiter.snapshot().settings.range.map(|range| range.high),
            Some(if live.is_some() { 90 } else { 200 })
        );
    }
}

#[tokio::test]
async fn a_limiter_that_is_held_off_is_neither_paused_nor_stuck() {
    let limiter = Limiter::adaptive("adapting::held-off", 4..=200);
    let permit = limiter.acquire().await;
    permit.overloaded_for(Duration::from_secs(3600));
    let mut waiter = Box::pin(limiter.acquire());
    assert!(futures::poll!(&mut waiter).is_pending());
    let console = Console::writable();
    let row = console.row("adapting::held-off").await;
    assert_eq!((&row["adaptive"]["held_off"], &row["paused"]), (&json!(true), &json!(false)));
    assert_eq!((&row["waiting"], &row["stalled"]), (&json!(1), &Value::Null));
}

#[tokio::test]
async fn advice_is_told_beside_the_limit() {
    let limiter = Limiter::adaptive("adapting::advice", 1..=100).start(12).advise();
    load_until(&limiter, |limiter| {
        limiter.snapshot().adaptive.is_some_and(|known| known.time.is_some())
    })
    .await;
    let row = Console::read_only().row("adapting::advice").await;
    assert_eq!((&row["limit"], &row["adaptive"]["advises"]), (&json!(12), &json!(true)));
}

#[tokio::test]
async fn with_keys_the_total_adapts() {
    let limiter: KeyedLimiter = Limiter::new("adapting::keys", 3).keyed().adaptive_total(4..=200);
    let _permit = limiter.key(1).acquire().await;
    let row = Console::read_only().row("adapting::keys").await;
    assert_eq!(row["adaptive"]["limit"], row["total"]);
    assert_eq!(row["limit"], 3);
}
