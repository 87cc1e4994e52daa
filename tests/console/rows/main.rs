//! The figures by which a reader of rows tells the worst limiter: since when calls wait, which key is worst, who holds.
//!
//! A reading notes when it first saw a waiter, and all readers of a process share that. So these tests have a process
//! of their own, with one paused clock at a time.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use futures::poll;
use limit_console::{Options, router};
use limit_runtime::{Limiter, Order, diagnostics};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};
use tower::ServiceExt;

/// A console that is the only one.
struct Console {
    router: Router,
    _only: MutexGuard<'static, ()>,
}

impl Console {
    async fn new() -> Self {
        static ONE: Mutex<()> = Mutex::const_new(());
        // First, because a router reads from the start.
        let only = ONE.lock().await;
        Self { router: router(Options::new()), _only: only }
    }

    async fn get(&self, path: &str) -> Value {
        let request = Request::builder().uri(path).header("host", "127.0.0.1:9999");
        let request = request.body(Body::empty()).expect("a request");
        let answer = self.router.clone().oneshot(request).await.expect("a router always answers");
        let body = to_bytes(answer.into_body(), 1 << 20).await.expect("the whole body");
        serde_json::from_slice(&body).expect("JSON")
    }

    async fn row(&self, name: &str) -> Value {
        let all = self.get("/api/limiters").await;
        let rows = all["limiters"].as_array().expect("a list");
        rows.iter().find(|row| row["name"] == name).cloned().unwrap_or_default()
    }

    /// Returns the row of a limiter after so many more readings, one a second.
    async fn row_after(&self, readings: u64, name: &str) -> Value {
        self.row(name).await;
        tokio::time::sleep(Duration::from_secs(readings) + Duration::from_millis(500)).await;
        self.row(name).await
    }
}

/// Returns a time in seconds. A reading may be a little late.
fn seconds(time: &Value) -> Option<f64> {
    Some((time.as_f64()? * 2.0).round() / 2.0)
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_no_call_leaves_is_stalled_and_has_an_oldest_wait_and_percentiles() {
    let name = "figures::stuck";
    let (console, limiter) = (Console::new().await, Limiter::new(name, 1));
    let held = limiter.acquire().await;
    let row = console.row_after(1, name).await;
    let none = json!(null);
    assert_eq!([&row["stalled"], &row["oldest_wait"], &row["p50"], &row["p99"]], [&none; 4]);
    let mut first = Box::pin(limiter.acquire());
    assert!(poll!(&mut first).is_pending());
    // One reading sees it, and thirty are a second apart from each other.
    let row = console.row_after(31, name).await;
    let times = ["stalled", "oldest_wait", "p50", "p99"].map(|field| seconds(&row[field]));
    assert_eq!(times, [Some(30.0); 4], "there is one that waits: {row}");

    // A call that is admitted ends the stall, and the next that waits is younger.
    drop(held);
    let held = first.await;
    let mut second = Box::pin(limiter.acquire());
    assert!(poll!(&mut second).is_pending());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let row = console.row(name).await;
    assert_eq!((&row["stalled"], &row["oldest_wait"]), (&json!(0.0), &json!(0.0)), "{row}");
    drop(second);
    let row = console.row_after(1, name).await;
    assert_eq!((&row["stalled"], &row["oldest_wait"]), (&none, &none));
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_is_paused_or_within_the_window_of_a_rate_is_not_stalled() {
    let console = Console::new().await;
    let (paused, rate) = ("figures::paused", "figures::rate");
    let at_rest = Limiter::new(paused, 1);
    at_rest.set_limit(0);
    let in_a_minute = Limiter::new(rate, 1).per(Duration::from_secs(60));
    let started = in_a_minute.acquire().await;
    let mut waiters = [Box::pin(at_rest.acquire()), Box::pin(in_a_minute.acquire())];
    for waiter in &mut waiters {
        assert!(poll!(waiter).is_pending());
    }
    let row = console.row_after(30, paused).await;
    assert_eq!((&row["stalled"], &row["paused"]), (&json!(null), &json!(true)));
    assert_eq!(seconds(&row["oldest_wait"]), Some(30.0), "its callers wait nevertheless");
    let row = console.row(rate).await;
    assert_eq!((&row["stalled"], &row["per"]), (&json!(0.0), &json!(60.0)));
    drop(started);
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_warms_up_says_how_many_permits_are_withheld_and_is_not_stalled() {
    let (console, name) = (Console::new().await, "figures::ramp");
    let limiter = Limiter::new(name, 5).ramp(Duration::from_secs(40));
    let held = limiter.acquire().await;
    let mut waiter = Box::pin(limiter.acquire());
    assert!(poll!(&mut waiter).is_pending());
    let row = console.row_after(5, name).await;
    assert_eq!((&row["ramp"], &row["withheld"]), (&json!(40.0), &json!(4)));
    assert_eq!(
        (&row["limit"], &row["in_use"], &row["stalled"]),
        (&json!(5), &json!(1), &json!(0.0))
    );
    drop(waiter.await);
    let row = console.row_after(35, name).await;
    assert_eq!((&row["withheld"], &row["in_use"]), (&json!(0), &json!(1)));
    let detail = console.get(&format!("/api/limiter?name={name}")).await;
    assert_eq!(detail["snapshot"]["total"]["withheld"], json!(0));
    assert_eq!(detail["snapshot"]["ramp"]["secs"], json!(40));
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_limiter_with_keys_says_which_one_is_worst_and_its_total() {
    let (console, name) = (Console::new().await, "figures::keys");
    let limiter = Limiter::new(name, 3).order(Order::Lifo).keyed().total(10);
    let mut held = Vec::new();
    for key in ["acme", "acme", "acme", "beta"] {
        held.push(limiter.key(key).acquire().await);
    }
    let mut waiter = Box::pin(limiter.key("acme").acquire());
    assert!(poll!(&mut waiter).is_pending());
    let row = console.row_after(1, name).await;
    let worst = json!({"key": "acme", "in_use": 3, "limit": 3, "waiting": 1});
    assert_eq!((&row["worst_key"], &row["full_keys"]), (&worst, &json!(1)));
    assert_eq!(
        (&row["total"], &row["order"], &row["per"]),
        (&json!(10), &json!("lifo"), &json!(null))
    );
    let detail = console.get(&format!("/api/limiter?name={name}")).await;
    assert_eq!(detail["keys"][0], json!({"key": "acme", "in_use": 3, "limit": 3, "waiting": 1}));
    let runtime = &detail["snapshot"]["runtimes"][0]["figures"];
    assert_eq!((&runtime["capacity"], &runtime["total"]), (&json!(10), &json!(10)));

    let plain = Limiter::new("figures::no-keys", 3);
    let held = plain.acquire().await;
    let row = console.row_after(1, "figures::no-keys").await;
    for field in ["total", "worst_key", "full_keys", "keys"] {
        assert_eq!(row[field], json!(null), "{field}");
    }
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_holder_is_told_with_its_place_while_calls_are_recorded() {
    let (console, name) = (Console::new().await, "figures::holder");
    diagnostics::record(true);
    let limiter = Limiter::new(name, 2);
    let held = (limiter.acquire().await, limiter.acquire().await);
    let line = line!() - 1;
    let row = console.row_after(1, name).await;
    let place = row["oldest_holder"]["place"].as_str().expect("a place");
    assert!(place.starts_with(&format!("{}:{line}:", file!())), "{place}");
    assert!(row["oldest_holder"]["age"].is_number());
    drop(held);
    let row = console.row_after(1, name).await;
    assert_eq!(row["oldest_holder"], json!(null));
}
