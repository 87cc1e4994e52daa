//! The figures by which a reader of rows tells the worst limiter: since when calls wait, which key is worst, who holds.

use crate::stream::Stream;
use crate::support::Console;
use futures::poll;
use limit_runtime::{Limiter, Order};
use serde_json::{Value, json};
use std::time::Duration;

/// Returns the row of a limiter after so many more readings.
async fn row_after(console: &Console, readings: usize, name: &str) -> Value {
    let mut stream = Stream::open(console, "/api/stream").await;
    for _ in 0..=readings {
        stream.next().await;
    }
    console.row(name).await
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_no_call_leaves_is_stalled_and_has_an_oldest_wait_and_percentiles() {
    let name = "figures::stuck";
    let (console, limiter) = (Console::read_only(), Limiter::new(name, 1));
    let held = limiter.acquire().await;
    let row = row_after(&console, 1, name).await;
    let none = json!(null);
    assert_eq!([&row["stalled"], &row["oldest_wait"], &row["p50"], &row["p99"]], [&none; 4]);
    let mut first = Box::pin(limiter.acquire());
    assert!(poll!(&mut first).is_pending());
    // One reading sees it, and thirty are a second apart from each other.
    let row = row_after(&console, 31, name).await;
    assert_eq!((&row["stalled"], &row["oldest_wait"]), (&json!(30.0), &json!(30.0)), "{row}");
    let [p50, p99] = [&row["p50"], &row["p99"]].map(|wait| wait.as_f64().expect("a time"));
    assert_eq!((p50, p99), (30.0, 30.0), "of the one that waits");

    // A call that is admitted ends the stall, and the next that waits is younger.
    drop(held);
    let held = first.await;
    let mut second = Box::pin(limiter.acquire());
    assert!(poll!(&mut second).is_pending());
    let row = row_after(&console, 1, name).await;
    assert_eq!((&row["stalled"], &row["oldest_wait"]), (&json!(0.0), &json!(0.0)), "{row}");
    drop(second);
    let row = row_after(&console, 1, name).await;
    assert_eq!((&row["stalled"], &row["oldest_wait"]), (&none, &none));
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_is_paused_or_within_the_window_of_a_rate_is_not_stalled() {
    let console = Console::read_only();
    let (paused, rate) = ("figures::paused", "figures::rate");
    let at_rest = Limiter::new(paused, 1);
    at_rest.set_limit(0);
    let in_a_minute = Limiter::new(rate, 1).per(Duration::from_secs(60));
    let started = in_a_minute.acquire().await;
    let mut waiters = [Box::pin(at_rest.acquire()), Box::pin(in_a_minute.acquire())];
    for waiter in &mut waiters {
        assert!(poll!(waiter).is_pending());
    }
    let row = row_after(&console, 30, paused).await;
    assert_eq!((&row["stalled"], &row["paused"]), (&json!(null), &json!(true)));
    assert_eq!(row["oldest_wait"], json!(30.0), "its callers wait nevertheless");
    let row = console.row(rate).await;
    assert_eq!((&row["stalled"], &row["per"]), (&json!(0.0), &json!(60.0)));
    drop(started);
}

#[tokio::test(start_paused = true)]
async fn a_limiter_with_keys_says_which_one_is_worst_and_its_total() {
    let (console, name) = (Console::read_only(), "figures::keys");
    let limiter = Limiter::new(name, 3).order(Order::Lifo).keyed().total(10);
    let mut held = Vec::new();
    for key in ["acme", "acme", "acme", "beta"] {
        held.push(limiter.key(key).acquire().await);
    }
    let mut waiter = Box::pin(limiter.key("acme").acquire());
    assert!(poll!(&mut waiter).is_pending());
    let row = row_after(&console, 1, name).await;
    let worst = json!({"key": "acme", "in_use": 3, "limit": 3, "waiting": 1});
    assert_eq!((&row["worst_key"], &row["full_keys"]), (&worst, &json!(1)));
    assert_eq!(
        (&row["total"], &row["order"], &row["per"]),
        (&json!(10), &json!("lifo"), &json!(null))
    );
    let detail = console.get(&format!("/api/limiter?name={name}")).await.json();
    assert_eq!(detail["keys"][0], json!({"key": "acme", "in_use": 3, "limit": 3, "waiting": 1}));
    let runtime = &detail["snapshot"]["runtimes"][0]["figures"];
    assert_eq!((&runtime["capacity"], &runtime["total"]), (&json!(10), &json!(10)));

    let plain = Limiter::new("figures::no-keys", 3);
    let held = plain.acquire().await;
    let row = row_after(&console, 1, "figures::no-keys").await;
    for field in ["total", "worst_key", "full_keys", "keys"] {
        assert_eq!(row[field], json!(null), "{field}");
    }
    drop(held);
}

#[cfg(feature = "diagnostics")]
#[tokio::test(start_paused = true)]
async fn the_oldest_holder_is_told_with_its_place_while_calls_are_recorded() {
    let (console, name) = (Console::read_only(), "figures::holder");
    limit_runtime::diagnostics::record(true);
    let limiter = Limiter::new(name, 2);
    let held = (limiter.acquire().await, limiter.acquire().await);
    let line = line!() - 1;
    let row = row_after(&console, 1, name).await;
    let place = row["oldest_holder"]["place"].as_str().expect("a place");
    assert!(place.starts_with(&format!("{}:{line}:", file!())), "{place}");
    assert!(row["oldest_holder"]["age"].is_number());
    drop(held);
    let row = row_after(&console, 1, name).await;
    assert_eq!(row["oldest_holder"], json!(null));
}
