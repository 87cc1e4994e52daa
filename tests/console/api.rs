//! The answers of the API match its description and the figures of the limiters.

use crate::stream::Stream;
use crate::support::{Console, TOKEN, request};
use axum::body::Body;
use axum::http::StatusCode;
use limit_console::Options;
use limit_runtime::Limiter;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

fn description() -> Value {
    let file =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../integrations/limit-console/src/openapi.json");
    let text = std::fs::read_to_string(file).expect("it is there");
    serde_json::from_str(&text).expect("JSON")
}

/// Checks a value against a schema of the description.
pub(crate) fn assert_is(schema: &str, value: &Value) {
    let schemas = &description()["components"]["schemas"];
    assert!(schemas.get(schema).is_some(), "{schema}");
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{schema}"),
        "components": {"schemas": schemas},
    });
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<_> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
}

/// Returns the name of the schema that the description has for an answer.
fn schema_of(path: &str, method: &str, status: StatusCode) -> String {
    let answer = &description()["paths"][path][method]["responses"][status.as_str()];
    let schema = &answer["content"]["application/json"]["schema"]["$ref"];
    let schema =
        schema.as_str().unwrap_or_else(|| panic!("{method} {path}: {status} is not described"));
    schema.trim_start_matches("#/components/schemas/").to_owned()
}

/// Makes a limiter with everything in it: holders, waiters, refusals, keys of several types.
async fn everything(name: &'static str) -> impl Drop {
    let limiter = Limiter::new(name, 1).max_waiting(1).keyed();
    let limiter: &'static _ = Box::leak(Box::new(limiter));
    let mut permits = vec![
        limiter.key("tenant-1").acquire().await.expect("free"),
        limiter.key(7_u32).acquire().await.expect("free"),
        limiter.key((1, 2)).acquire().await.expect("free"),
    ];
    let mut waiter = Box::pin(limiter.key("tenant-1").acquire());
    assert!(futures::poll!(&mut waiter).is_pending());
    limiter.key("tenant-1").acquire().await.expect_err("one waits already");
    permits.extend(limiter.key(String::from("owned")).acquire().await);
    scopeguard(move || drop((permits, waiter)))
}

fn scopeguard(end: impl FnOnce()) -> impl Drop {
    struct Guard<F: FnOnce()>(Option<F>);
    impl<F: FnOnce()> Drop for Guard<F> {
        fn drop(&mut self) {
            if let Some(end) = self.0.take() {
                end();
            }
        }
    }
    Guard(Some(end))
}

#[tokio::test]
async fn answers_are_as_described() {
    let console = Console::writable();
    let _everything = everything("api::described").await;
    assert_is("All", &console.get("/api/limiters").await.json());
    let detail = console.get("/api/limiter?name=api::described").await.json();
    assert_is("Detail", &detail);
    assert_eq!(detail["keys"].as_array().map(Vec::len), Some(4));
    let answer =
        console.set(json!({"name": "api::described", "max_wait": 1.5, "by": "a test"})).await;
    assert_is("Changed", &answer.json());
    let detail = console.get("/api/limiter?name=api::described").await.json();
    assert_is("Detail", &detail);
    assert_eq!(detail["changes"][0]["to"], "1.5s");

    let mut stream = Stream::open(&console, "/api/stream").await;
    let (kind, all) = stream.next().await;
    assert_eq!(kind, "all");
    assert_is("All", &all);
    let (kind, news) = stream.next().await;
    assert_eq!(kind, "changes");
    assert_is("Changes", &news);

    let limiter = Limiter::new("api::events", 2);
    drop(limiter.acquire().await);
    let mut events = Stream::open(&console, "/api/events?name=api::events").await;
    drop(limiter.acquire().await);
    let (kind, events) = events.next().await;
    assert_eq!(kind, "events");
    assert_is("Events", &events);
    let kinds: Vec<_> =
        events["events"].as_array().expect("a list").iter().map(|e| &e["kind"]).collect();
    assert_eq!(kinds, ["admitted", "released"]);
}

#[tokio::test]
async fn refusals_are_as_described() {
    let console = Console::writable();
    let limiter = Limiter::new("api::refusals", 2);
    drop(limiter.acquire().await);
    let post = |body: &str| {
        request("POST", "/api/settings")
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .expect("a request")
    };
    let get = |path: &str| request("GET", path).body(Body::empty()).expect("a request");
    let foreign = request("GET", "/api/limiters").header("origin", "http://evil.example");
    let too_large = format!("{{\"name\": \"{}\"}}", "x".repeat(20_000));
    let no_json =
        request("POST", "/api/settings").header("authorization", format!("Bearer {TOKEN}"));
    let no_token = request("POST", "/api/settings").header("content-type", "application/json");
    let all = [
        ("/api/limiter", get("/api/limiter"), 400),
        ("/api/limiter", get("/api/limiter?name=x&since=soon"), 400),
        ("/api/limiter", get("/api/limiter?name=nobody"), 404),
        ("/api/events", get("/api/events"), 400),
        ("/api/events", get("/api/events?name=nobody"), 404),
        ("/api/limiters", foreign.body(Body::empty()).expect("a request"), 403),
        ("/api/settings", post("{"), 400),
        ("/api/settings", no_token.body(Body::from("{}")).expect("a request"), 401),
        ("/api/settings", post(r#"{"name": "nobody", "limit": 1}"#), 404),
        ("/api/settings", post(r#"{"name": "api::refusals", "max_waiting": 1}"#), 409),
        ("/api/settings", post(&too_large), 413),
        ("/api/settings", no_json.body(Body::from("{}")).expect("a request"), 415),
        ("/api/settings", post(r#"{"name": "api::refusals"}"#), 422),
    ];
    for (path, request, status) in all {
        let method = request.method().as_str().to_lowercase();
        let answer = console.ask(request).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.body);
        let schema = schema_of(path, &method, answer.status);
        assert_is(&schema, &serde_json::from_str(&answer.body).expect("JSON"));
    }
}

#[tokio::test]
async fn everything_that_is_described_is_served_and_nothing_else() {
    let console = Console::read_only();
    let description = description();
    assert_eq!(console.get("/openapi.json").await.json(), description);
    let paths = description["paths"].as_object().expect("paths");
    for (path, methods) in paths {
        let methods: BTreeSet<_> = methods.as_object().expect("methods").keys().collect();
        for method in ["get", "post", "put", "delete", "patch", "options"] {
            let request = request(&method.to_uppercase(), path).body(Body::empty());
            let answer = console.send(request.expect("a request")).await;
            let is_served = answer.status() != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(is_served, methods.contains(&method.to_owned()), "{method} {path}");
            assert_ne!(answer.status(), StatusCode::NOT_FOUND, "{method} {path}");
        }
    }
    // The page's own files are served.
    let page = console.get("/").await.body;
    for file in ["console.css", "console.js"] {
        assert!(page.contains(&format!("\"{file}\"")), "{file}");
        assert!(paths.contains_key(&format!("/{file}")), "{file}");
    }
    for path in ["/api", "/console", "/api/limiters/", "/../etc/passwd", "/page/index.html"] {
        assert_eq!(console.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn process_is_named_and_each_run_has_its_own_number() {
    let process = async |console: &Console| {
        let all = console.get("/api/limiters").await.json();
        assert_is("All", &all);
        all["process"].clone()
    };
    let console = Console::new(Options::new().service("shop"));
    let first = process(&console).await;
    assert_eq!((&first["service"], &first["pid"]), (&json!("shop"), &json!(std::process::id())));
    assert!(first["host"].as_str().is_some_and(|host| !host.is_empty()), "{first}");
    assert_eq!(process(&console).await, first);
    // By default it has the name of its executable, which has a hash after it here.
    let other = process(&Console::read_only()).await;
    assert!(other["service"].as_str().is_some_and(|name| name.starts_with("console-")), "{other}");
    assert_ne!(other["run"], first["run"]);
}

#[tokio::test(start_paused = true)]
async fn rates_waits_and_history_are_those_of_the_limiter() {
    let console = Console::read_only();
    let limiter = Limiter::new("api::figures", 1).max_waiting(2);
    let mut stream = Stream::open(&console, "/api/stream").await;
    drop(limiter.acquire().await);
    let is_there = |event: &Value| {
        event["limiters"]
            .as_array()
            .is_some_and(|rows| rows.iter().any(|row| row["name"] == "api::figures"))
    };
    stream.until(is_there).await;

    // In one second: 10 at once, one that waits for half a second, 3 refused.
    tokio::time::sleep(Duration::from_millis(100)).await;
    for _ in 0..9 {
        drop(limiter.acquire().await);
    }
    let permit = limiter.acquire().await.expect("it is free");
    let mut waiters = [Box::pin(limiter.acquire()), Box::pin(limiter.acquire())];
    for waiter in &mut waiters {
        assert!(futures::poll!(waiter).is_pending());
    }
    for _ in 0..3 {
        limiter.acquire().await.expect_err("two wait already");
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(permit);
    let [first, second] = waiters;
    let permit = first.await.expect("its turn");
    stream.next().await;
    let row = console.row("api::figures").await;
    assert_eq!(row["admitted"], 11.0, "{row:#}");
    assert_eq!(row["rejected"]["queue_full"], 3.0);
    assert_eq!((&row["in_use"], &row["waiting"], &row["limit"]), (&json!(1), &json!(1), &json!(1)));
    let p50 = row["p50"].as_f64().expect("one has waited");
    assert!((0.5..0.57).contains(&p50), "{p50}");
    assert!(row["oldest_wait"].is_number(), "one waits");

    // Nothing more happens: rates are 0, and one call still waits.
    stream.next().await;
    let row = console.row("api::figures").await;
    assert_eq!((&row["admitted"], &row["rejected"]["queue_full"]), (&json!(0.0), &json!(0.0)));
    assert_eq!(row["waiting"], 1);
    let detail = console.get("/api/limiter?name=api::figures").await.json();
    let history = &detail["history"];
    let last = |name: &str| {
        let all = history[name].as_array().expect("a list");
        all[all.len() - 2..].to_vec()
    };
    assert_eq!(last("admitted"), [11.0, 0.0]);
    assert_eq!(last("waiting"), [1, 1]);
    assert_eq!(last("in_use"), [1, 1]);
    assert_eq!(last("capacity"), [1, 1]);
    let refused = history["rejected"]["queue_full"].as_array().expect("a list");
    assert_eq!(refused[refused.len() - 2..], [3.0, 0.0]);
    let since = format!("/api/limiter?name=api::figures&since={}", detail["tick"]);
    let later = console.get(&since).await.json();
    assert_eq!(later["history"]["time"], json!([]), "no tick since");

    // Waits are forgotten after 20 seconds at most.
    drop(permit);
    drop(second.await);
    for _ in 0..30 {
        stream.next().await;
    }
    let row = console.row("api::figures").await;
    assert_eq!((&row["p50"], &row["oldest_wait"]), (&Value::Null, &Value::Null), "{row:#}");
}

#[tokio::test]
async fn capacity_is_that_of_all_runtimes_and_there_is_none_with_keys() {
    static LIMITER: Limiter = Limiter::new("api::runtimes", 3);
    let console = Console::read_only();
    drop(LIMITER.acquire().await);
    let other = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let permit = runtime.block_on(LIMITER.acquire());
        (runtime, permit)
    });
    let (runtime, permit) = other.join().expect("no panic");
    let keyed = Limiter::new("api::keyed", 3).keyed();
    drop(keyed.key(1).acquire().await);
    let row = console.row("api::runtimes").await;
    assert_eq!(
        (&row["runtimes"], &row["capacity"], &row["in_use"]),
        (&json!(2), &json!(6), &json!(1))
    );
    assert_eq!(row["keys"], Value::Null);
    let row = console.row("api::keyed").await;
    assert_eq!((&row["capacity"], &row["keys"]), (&Value::Null, &json!(0)));
    drop(permit);
    std::thread::spawn(move || drop(runtime)).join().expect("no panic");
}

#[tokio::test]
async fn busiest_keys_come_first_and_are_shown_as_far_as_they_can_be() {
    let console = Console::read_only();
    let limiter = Limiter::new("api::keys", 1).keyed();
    let mut calls = Vec::new();
    let (noisy, quiet) =
        (limiter.key("noisy").acquire().await, limiter.key(12_u64).acquire().await);
    for _ in 0..5 {
        let mut waiter = Box::pin(limiter.key("noisy").acquire());
        assert!(futures::poll!(&mut waiter).is_pending());
        calls.push(waiter);
    }
    let pair = limiter.key(("a", 1)).acquire().await;
    let detail = console.get("/api/limiter?name=api::keys").await.json();
    let keys = detail["keys"].as_array().expect("a list");
    assert_eq!(keys[0], json!({"key": "noisy", "in_use": 1, "limit": 1, "waiting": 5}));
    let names: Vec<_> = keys.iter().filter_map(|key| key["key"].as_str()).collect();
    assert!(names.contains(&"12"), "{names:?}");
    assert!(names.iter().any(|name| name.starts_with("(&str, i32) #")), "{names:?}");
    drop((calls, noisy, quiet, pair));
}

#[test]
fn rates_are_by_second_also_after_nobody_has_read_for_long() {
    let runtime = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime")
    };
    let console = Console::read_only();
    let limiter = Limiter::new("api::gap", 1);
    let admit = |calls: usize| {
        runtime().block_on(async {
            for _ in 0..calls {
                drop(limiter.acquire().await);
            }
        });
    };
    admit(1);
    // The first request sees the limiter, and the first tick follows at once.
    runtime().block_on(async {
        console.get("/api/limiter?name=api::gap").await.json();
        for _ in 0..10 {
            drop(limiter.acquire().await);
        }
        let row = console.row("api::gap").await;
        assert!(row["admitted"].as_f64().is_some_and(|rate| rate <= 10.0), "{row:#}");
    });
    std::thread::sleep(Duration::from_millis(300));
    admit(100);
    runtime().block_on(async {
        let mut stream = Stream::open(&console, "/api/stream").await;
        stream.next().await;
        stream.next().await;
        let detail = console.get("/api/limiter?name=api::gap").await.json();
        let rates: Vec<_> = detail["history"]["admitted"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(Value::as_f64)
            .collect();
        assert!(rates.iter().all(|rate| *rate < 400.0), "{rates:?}");
        assert!(rates.iter().any(|rate| *rate > 1.0), "{rates:?}");
    });
}

#[cfg(feature = "diagnostics")]
#[tokio::test]
async fn of_many_holders_the_oldest_are_shown() {
    limit_runtime::diagnostics::record(true);
    let limiter = Limiter::new("api::holders", 10_000);
    let mut permits = Vec::new();
    for weight in 1..=60 {
        permits.push(limiter.acquire_many(weight).await.expect("they are free"));
    }
    let console = Console::read_only();
    let detail = console.get("/api/limiter?name=api::holders").await.json();
    let holders = detail["holders"].as_array().expect("a list").iter();
    let weights: Vec<_> = holders.map(|holder| holder["weight"].as_u64()).collect();
    assert_eq!(weights, (1..=50).map(Some).collect::<Vec<_>>());
}

/// Makes a call that waits a tenth of a second.
async fn wait(limiter: &Limiter) {
    let permit = limiter.acquire().await;
    let mut waiter = Box::pin(limiter.acquire());
    assert!(futures::poll!(&mut waiter).is_pending());
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(permit);
    drop(waiter.await);
}

#[tokio::test(start_paused = true)]
async fn waits_from_before_the_console_are_not_those_of_the_last_seconds() {
    let limiter = Limiter::new("api::before", 1);
    wait(&limiter).await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let console = Console::read_only();
    let row = console.row("api::before").await;
    assert_eq!((&row["p50"], &row["p99"]), (&Value::Null, &Value::Null), "{row:#}");
    let mut stream = Stream::open(&console, "/api/stream").await;
    stream.next().await;
    wait(&limiter).await;
    stream.next().await;
    let row = console.row("api::before").await;
    assert!(row["p50"].as_f64().is_some_and(|p50| p50 > 0.09), "{row:#}");
    for seconds in 1..=25 {
        stream.next().await;
        let row = console.row("api::before").await;
        match seconds {
            ..9 => assert!(row["p50"].is_number(), "after {seconds} s"),
            20.. => assert!(row["p50"].is_null(), "after {seconds} s"),
            _ => {}
        }
    }
}

#[test]
fn waits_of_a_time_when_nobody_has_read_are_not_those_of_the_last_seconds() {
    let runtime = || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().start_paused(true).build().expect("a runtime")
    };
    let console = Console::read_only();
    let limiter = Limiter::new("api::unread", 1);
    runtime().block_on(async {
        drop(limiter.acquire().await);
        assert_eq!(console.row("api::unread").await["p50"], Value::Null);
    });
    runtime().block_on(async {
        wait(&limiter).await;
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(console.row("api::unread").await["p50"], Value::Null);
    });
}
