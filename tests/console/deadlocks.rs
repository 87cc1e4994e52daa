//! Deadlocks, in the list and in detail.

use crate::api::assert_is;
use crate::stream::Stream;
use crate::support::Console;
use limit_runtime::Limiter;
use limit_tests::deadlock::{Deadlock, NAMES};
use limit_tests::watchdog::in_time;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Barrier;
use tokio::task::{JoinHandle, block_in_place};

fn deadlock_of(event: &Value, name: &str) -> Option<bool> {
    let mut rows = event["limiters"].as_array()?.iter();
    rows.find(|row| row["name"] == name)?["deadlock"].as_bool()
}

#[tokio::test(flavor = "multi_thread")]
async fn limiters_of_a_deadlock_have_all_its_calls_until_it_is_gone() {
    let console = Console::read_only();
    let other = Limiter::new("deadlocks::other", 1);
    drop(other.acquire().await);
    let mut stream = Stream::open(&console, "/api/stream").await;
    stream.next().await;
    let deadlock = block_in_place(Deadlock::begin);
    for name in NAMES {
        in_time(stream.until(|event| deadlock_of(event, name) == Some(true))).await;
        stream = Stream::open(&console, "/api/stream").await;
        let detail = console.get(&format!("/api/limiter?name={name}")).await.json();
        assert_is("Detail", &detail);
        assert_eq!(detail["limiter"]["deadlock"], true);
        let [found] = &detail["deadlocks"].as_array().expect("recorded")[..] else {
            panic!("one: {detail:#}")
        };
        assert_eq!((&found["reentry"], &found["victims"]), (&json!(false), &json!(0)));
        assert!(found["age"].as_f64().is_some_and(|age| age >= 1.0), "{found:#}");
        let calls = found["calls"].as_array().expect("a list");
        let limiters: Vec<_> = calls.iter().map(|call| call["limiter"].as_str()).collect();
        assert!(limiters.len() == 2 && NAMES.iter().all(|name| limiters.contains(&Some(name))));
        // Each waits for what the other one's task holds.
        for (call, next) in [(&calls[0], &calls[1]), (&calls[1], &calls[0])] {
            let [holder] = &call["holders"].as_array().expect("a list")[..] else {
                panic!("one holds it: {call:#}")
            };
            assert_eq!(holder["task"], next["task"]);
            for place in [&call["place"], &holder["place"]] {
                assert!(place.as_str().is_some_and(|place| place.contains("deadlock.rs:")));
            }
            assert_eq!((&call["key"], &call["behind"]), (&Value::Null, &Value::Null));
        }
    }
    let late = Console::read_only();
    assert_eq!(late.row(NAMES[0]).await["deadlock"], true, "at its first reading");
    let detail = console.get("/api/limiter?name=deadlocks::other").await.json();
    assert_is("Detail", &detail);
    assert_eq!((&detail["limiter"]["deadlock"], &detail["deadlocks"]), (&json!(false), &json!([])));

    block_in_place(|| deadlock.end());
    in_time(stream.until(|event| deadlock_of(event, NAMES[0]) == Some(false))).await;
    let detail = console.get(&format!("/api/limiter?name={}", NAMES[0])).await.json();
    assert_eq!((&detail["limiter"]["deadlock"], &detail["deadlocks"]), (&json!(false), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_large_deadlock_the_first_calls_and_holders_are_listed() {
    static LEFT: Limiter = Limiter::new("deadlocks::left", 60);
    static RIGHT: Limiter = Limiter::new("deadlocks::right", 60);
    limit_runtime::diagnostics::record(true);
    let all = Arc::new(Barrier::new(120));
    let tasks: Vec<_> = (0..120)
        .map(|number| {
            let (outer, inner) = if number % 2 == 0 { (&LEFT, &RIGHT) } else { (&RIGHT, &LEFT) };
            let all = Arc::clone(&all);
            tokio::spawn(async move {
                let _outer = outer.acquire().await;
                all.wait().await;
                let _inner = inner.acquire().await;
            })
        })
        .collect();
    let console = Console::read_only();
    let mut stream = Stream::open(&console, "/api/stream").await;
    in_time(stream.until(|event| deadlock_of(event, "deadlocks::left") == Some(true))).await;
    let detail = console.get("/api/limiter?name=deadlocks::left").await.json();
    assert_is("Detail", &detail);
    let deadlock = &detail["deadlocks"][0];
    let calls = deadlock["calls"].as_array().expect("a list");
    assert_eq!((calls.len(), &deadlock["more_calls"]), (50, &json!(70)));
    // The first call of a queue waits for all holders, the others are behind it.
    let first = calls.iter().find(|call| call["behind"].is_null()).expect("it is listed");
    assert_eq!(first["holders"].as_array().map(Vec::len), Some(8));
    assert_eq!(first["more_holders"], 52);
    tasks.iter().for_each(JoinHandle::abort);
}
