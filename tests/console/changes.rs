//! Changes of settings by the console.

use crate::support::{Console, TOKEN, request};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::StatusCode;
use limit_runtime::{Limiter, Source};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

#[tokio::test]
async fn limit_is_changed_and_the_queue_drains() {
    static LIMITER: Limiter = Limiter::new("changes::limit", 1);
    let console = Console::writable();
    let permit = LIMITER.acquire().await;
    let waiters: Vec<_> =
        (0..3).map(|_| tokio::spawn(async { drop(LIMITER.acquire().await) })).collect();
    while LIMITER.snapshot().total.waiting < 3 {
        tokio::task::yield_now().await;
    }
    let answer =
        console.set(json!({"name": "changes::limit", "limit": 4, "by": " ops "})).await.json();
    let change = &answer["changes"][0];
    assert_eq!(
        (&change["setting"], &change["from"], &change["to"]),
        (&json!("limit"), &json!("1"), &json!("4"))
    );
    assert_eq!((&change["source"], &change["by"]), (&json!("live"), &json!("ops")));
    assert_eq!(
        (&answer["limiter"]["limit"], &answer["limiter"]["source"]),
        (&json!(4), &json!("live"))
    );
    for waiter in waiters {
        waiter.await.expect("it is admitted");
    }
    drop(permit);
    assert_eq!(LIMITER.limit(), Some(4));
    assert_eq!(console.row("changes::limit").await["limit"], 4, "before the next tick");
}

#[tokio::test]
async fn all_settings_can_be_set_and_taken_back() {
    let limiter = Limiter::new("changes::all", 5).max_waiting(9);
    drop(limiter.acquire().await);
    let console = Console::writable();
    let wanted = json!({"name": "changes::all", "limit": 2, "max_waiting": 7, "max_wait": 0.25,
                        "claim_within": "never", "enabled": false, "shadow": true});
    let changes = console.set(wanted).await.json()["changes"].clone();
    let told: Vec<_> = changes
        .as_array()
        .expect("a list")
        .iter()
        .map(|change| {
            ["setting", "from", "to"]
                .map(|field| change[field].as_str().expect("words").to_owned())
                .join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "limit 5 2",
            "max_waiting 9 7",
            "max_wait no bound 250ms",
            "claim_within 1s never",
            "enabled on off",
            "shadow off on"
        ]
    );
    let settings = limiter.snapshot().settings;
    assert_eq!((settings.limit.value, settings.max_waiting.value), (2, Some(7)));
    assert_eq!(settings.max_wait.value, Some(Duration::from_millis(250)));
    assert_eq!((settings.claim_within.value, settings.claim_within.source), (None, Source::Live));
    assert_eq!((settings.enabled.value, settings.shadow.value), (false, true));
    console.set(json!({"name": "changes::all", "reset": true})).await.json();
    let settings = limiter.snapshot().settings;
    assert_eq!((settings.limit.value, settings.limit.source), (5, Source::Attribute));
    assert_eq!((settings.enabled.value, settings.shadow.value), (true, false));
}

#[tokio::test]
async fn pause_has_everybody_wait_and_going_on_gives_the_limit_back_that_there_was() {
    let limiter = Limiter::new("changes::pause", 5);
    drop(limiter.acquire().await);
    let console = Console::writable();
    let pause =
        async |paused: bool| console.set(json!({"name": "changes::pause", "paused": paused})).await;
    for live in [None, Some(3)] {
        if let Some(live) = live {
            limiter.set_limit(live);
        }
        let before = limiter.snapshot().settings.limit;
        for _ in 0..2 {
            // Pausing twice is pausing once.
            assert_eq!(pause(true).await.json()["limiter"]["paused"], true);
            assert_eq!(limiter.limit(), Some(0));
        }
        assert_eq!(pause(false).await.json()["limiter"]["paused"], false);
        assert_eq!(limiter.snapshot().settings.limit, before);
        assert_eq!(pause(false).await.json()["changes"], json!([]), "it goes on already");
    }
    // Another limit ends the pause.
    pause(true).await.json();
    limiter.set_limit(2);
    assert_eq!(pause(false).await.json()["limiter"]["limit"], 2);
}

#[tokio::test]
async fn limit_that_is_0_by_the_code_is_not_gone_on_with() {
    let limiter = Limiter::new("changes::zero", 0);
    assert_eq!(limiter.snapshot().total.limit, 0);
    let console = Console::writable();
    let refused = console.set(json!({"name": "changes::zero", "paused": false})).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.error().contains("set another one"), "{}", refused.body);
}

#[tokio::test]
async fn all_or_nothing_is_changed() {
    // Its calls cannot be refused.
    let limiter = Limiter::new("changes::nothing", 5);
    drop(limiter.acquire().await);
    let before = limiter.snapshot();
    let console = Console::writable();
    let bad = [
        (json!({"limit": 3, "max_waiting": 1}), 409, "cannot be told that they are refused"),
        (json!({"limit": 3, "max_wait": -1.0}), 422, "`max_wait`"),
        (json!({"limit": 3, "max_wait": 1e300}), 422, "`max_wait`"),
        (json!({"limit": 1_u64 << 31}), 422, "at most 2147483647"),
        (json!({"limit": -1}), 422, "`limit`: `-1`, expected a whole number from 0 (which pauses)"),
        (json!({"limit": 2.5}), 422, "`limit`: `2.5`, expected a whole number from 0"),
        (json!({"limit": "3"}), 422, "`limit`: `\"3\"`, expected a whole number from 0"),
        (
            json!({"max_waiting": [1]}),
            422,
            "`max_waiting`: `[1]`, expected a whole number of calls",
        ),
        (json!({"limit": 12.0}), 422, "`limit`: `12.0`, expected a whole number from 0"),
        (json!({"max_wait": "5ms"}), 422, "`max_wait`: `\"5ms\"`, expected a number of seconds"),
        (
            json!({"claim_within": "1s"}),
            422,
            "`claim_within`: `\"1s\"`, expected a number of seconds above 0, such as 0.05, or \"never\"",
        ),
        (
            json!({"claim_within": 0}),
            422,
            "`claim_within`: `0`, expected a number of seconds above 0",
        ),
        (
            json!({"claim_within": 1e-12}),
            422,
            "`claim_within`: `1e-12`, expected a number of seconds",
        ),
        (
            json!({"claim_within": -1.0}),
            422,
            "`claim_within`: `-1.0`, expected a number of seconds",
        ),
        (json!({"enabled": 1}), 422, "`enabled`: `1`, expected `true` or `false`"),
        (json!({"limit": 3, "unset": ["limit"]}), 422, "`limit` cannot be both set and taken back"),
        (
            json!({"unset": ["limt"]}),
            422,
            "`unset`: `[\"limt\"]`, expected a list of some of \"limit\"",
        ),
        (json!({"unset": []}), 422, "`unset`: `[]`, expected a list"),
        (json!({"unset": ["limit"], "paused": true}), 422, "`paused`"),
        (json!({"unset": ["limit"], "reset": true}), 422, "`reset`"),
        (json!({"paused": 1}), 422, "`paused`: `1`, expected `true` or `false`"),
        (json!({"by": 5}), 422, "`by`: `5`, expected a text"),
        (json!({"limit": u64::MAX, "enabled": false}), 422, "at most"),
        (json!({"limt": 3}), 422, "unknown field `limt`"),
        (json!({"limit": 3, "paused": true}), 422, "`paused`"),
        (json!({"limit": 3, "reset": true}), 422, "`reset`"),
        (json!({"paused": true, "reset": true}), 422, "`reset`"),
        (json!({"by": "ops"}), 422, "nothing is to be changed"),
        (json!({"reset": false}), 422, "nothing is to be changed"),
        (json!({"limit": 3, "by": "x".repeat(65)}), 422, "`by`"),
        (json!({"limit": 3, "by": "two\nlines"}), 422, "`by`"),
        (json!({"limit": 3, "by": "\u{1b}[31m"}), 422, "`by`"),
        (json!({"limit": 3, "by": "two\u{2028}lines"}), 422, "`by`"),
        (json!({"limit": 3, "by": "\u{202e}spo"}), 422, "`by`"),
    ];
    for (mut wanted, status, words) in bad {
        wanted["name"] = "changes::nothing".into();
        let refused = console.set(wanted.clone()).await;
        assert_eq!(refused.status.as_u16(), status, "{wanted}: {}", refused.body);
        assert!(refused.error().contains(words), "{wanted}: {}", refused.body);
        assert_eq!(limiter.snapshot(), before, "{wanted}");
    }
}

#[tokio::test]
async fn pause_neither_begins_nor_ends_with_a_setting_that_is_refused() {
    // Its calls cannot be refused.
    let limiter = Limiter::new("changes::refused_pause", 5);
    drop(limiter.acquire().await);
    let console = Console::writable();
    for (is_paused, limit) in [(true, 5), (false, 0)] {
        let wanted = |paused: bool| json!({"name": "changes::refused_pause", "paused": paused});
        let mut bad = wanted(is_paused);
        bad["max_waiting"] = 1.into();
        let before = limiter.snapshot();
        let refused = console.set(bad).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
        assert_eq!((limiter.snapshot(), limiter.limit()), (before, Some(limit)));
        console.set(wanted(true)).await.json();
    }
}

#[tokio::test]
async fn more_calls_than_can_wait_are_any_number() {
    let limiter = Limiter::new("changes::unbounded", 5).max_waiting(9);
    drop(limiter.acquire().await);
    let console = Console::writable();
    for most in [u64::from(u32::MAX), u64::MAX] {
        console.set(json!({"name": "changes::unbounded", "max_waiting": 7})).await.json();
        let wanted = json!({"name": "changes::unbounded", "max_waiting": most});
        let change = console.set(wanted).await.json()["changes"][0].clone();
        assert_eq!((&change["from"], &change["to"]), (&json!("7"), &json!("no bound")));
        let max_waiting = limiter.snapshot().settings.max_waiting;
        assert_eq!((max_waiting.value, max_waiting.source), (None, Source::Live));
    }
}

#[tokio::test(start_paused = true)]
async fn changes_by_others_are_noted_too() {
    let console = Console::read_only();
    let limiter = Limiter::new("changes::others", 5).max_waiting(9);
    drop(limiter.acquire().await);
    console.get("/api/limiter?name=changes::others").await.json();
    limiter.set_limit(6);
    limiter.close();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let changes = console.get("/api/limiter?name=changes::others").await.json()["changes"].clone();
    let told = |index: usize| -> [&Value; 5] {
        ["setting", "from", "to", "source", "by"].map(|field| &changes[index][field])
    };
    assert_eq!(told(1), [&json!("limit"), &json!("5"), &json!("6"), &json!("live"), &Value::Null]);
    assert_eq!(told(0)[..3], [&json!("closed"), &json!("open"), &json!("closed")]);
}

#[tokio::test]
async fn who_has_changed_something_is_known_with_their_address() {
    let limiter = Limiter::new("changes::who", 5);
    drop(limiter.acquire().await);
    let console = Console::writable();
    for (by, known) in [(Some("ops"), "ops (192.0.2.7)"), (None, "console (192.0.2.7)")] {
        let mut wanted = json!({"name": "changes::who", "limit": if by.is_some() { 6 } else { 7 }});
        if let Some(by) = by {
            wanted["by"] = by.into();
        }
        let address: SocketAddr = "192.0.2.7:55".parse().expect("an address");
        let request = request("POST", "/api/settings")
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json; charset=utf-8")
            .extension(ConnectInfo(address))
            .body(Body::from(wanted.to_string()));
        let answer = console.ask(request.expect("a request")).await.json();
        assert_eq!(answer["changes"][0]["by"], known);
    }
}

#[tokio::test]
async fn many_changes_at_once_are_each_by_who_has_made_it() {
    let limiter = Limiter::new("changes::many", 1000);
    drop(limiter.acquire().await);
    let console = Console::writable();
    let all = (0..50).map(|who| {
        let console = &console;
        async move {
            let wanted = json!({"name": "changes::many", "limit": who, "by": format!("ops {who}")});
            let answer = console.set(wanted).await.json();
            assert_eq!(answer["changes"].as_array().map(Vec::len), Some(1));
            assert_eq!(answer["changes"][0]["to"], who.to_string());
            assert_eq!(answer["changes"][0]["by"], format!("ops {who}"));
        }
    });
    futures::future::join_all(all).await;
}

#[tokio::test(start_paused = true)]
async fn what_others_have_changed_since_the_last_reading_is_not_said_to_be_by_who_changes_now() {
    let limiter = Limiter::new("changes::attributed", 5);
    drop(limiter.acquire().await);
    let console = Console::writable();
    console.get("/api/limiter?name=changes::attributed").await.json();
    limiter.set_limit(6);
    let wanted = json!({"name": "changes::attributed", "enabled": false, "by": "ops"});
    let answer = console.set(wanted).await.json();
    assert_eq!(answer["changes"].as_array().map(Vec::len), Some(1), "{answer:#}");
    assert_eq!(answer["changes"][0]["setting"], "enabled");
    let detail = console.get("/api/limiter?name=changes::attributed").await.json();
    let told =
        |index: usize| ["setting", "to", "by"].map(|field| detail["changes"][index][field].clone());
    assert_eq!(told(0), [json!("enabled"), json!("off"), json!("ops")]);
    assert_eq!(told(1), [json!("limit"), json!("6"), Value::Null]);
}

#[tokio::test]
async fn limiter_that_was_made_again_since_the_last_reading_can_be_seen_and_changed() {
    let console = Console::writable();
    let limiter = Limiter::new("changes::again", 5);
    drop(limiter.acquire().await);
    let path = "/api/limiter?name=changes::again";
    assert_eq!(console.get(path).await.json()["limiter"]["limit"], 5);
    drop(limiter);
    assert_eq!(console.get(path).await.status, StatusCode::NOT_FOUND);
    let limiter = Limiter::new("changes::again", 6);
    drop(limiter.acquire().await);
    assert_eq!(console.get(path).await.json()["limiter"]["limit"], 6);
    let answer = console.set(json!({"name": "changes::again", "limit": 7})).await.json();
    assert_eq!(answer["changes"][0]["from"], "6");
    assert_eq!(limiter.limit(), Some(7));
}

#[tokio::test(start_paused = true)]
async fn going_on_gives_the_last_limit_back_whoever_has_changed_it_meanwhile() {
    let limiter = Limiter::new("changes::meanwhile", 5);
    drop(limiter.acquire().await);
    let console = Console::writable();
    let set = async |mut wanted: Value| {
        wanted["name"] = "changes::meanwhile".into();
        console.set(wanted).await.json()["limiter"]["limit"].clone()
    };
    // Between two readings another limit ends a pause, and there is another pause.
    set(json!({"paused": true})).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    limiter.set_limit(2);
    set(json!({"paused": true})).await;
    assert_eq!(set(json!({"paused": false})).await, 2);
    // A limit of 0 is a pause, set by either field.
    set(json!({"limit": 3})).await;
    set(json!({"limit": 0})).await;
    assert_eq!(set(json!({"paused": false})).await, 3);
    // A limit that was taken back is not given back later.
    set(json!({"paused": true})).await;
    set(json!({"reset": true})).await;
    limiter.set_limit(0);
    assert_eq!(set(json!({"paused": false})).await, 5);
    // Another limit ended the pause, and then the program set 0: that is no pause of the console's.
    set(json!({"limit": 3})).await;
    set(json!({"paused": true})).await;
    limiter.set_limit(2);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    limiter.set_limit(0);
    assert_eq!(set(json!({"paused": false})).await, 5);
    // The program set 0 since the last tick: the console does not know the limit before.
    limiter.set_limit(4);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    limiter.set_limit(0);
    set(json!({"paused": true})).await;
    assert_eq!(set(json!({"paused": false})).await, 5);
}

#[tokio::test(start_paused = true)]
async fn pause_of_a_limit_that_is_0_by_the_code_does_not_end_and_nothing_else_is_changed() {
    let limiter = Limiter::new("changes::zero_paused", 0);
    assert_eq!(limiter.snapshot().total.limit, 0);
    let console = Console::writable();
    console.set(json!({"name": "changes::zero_paused", "paused": true})).await.json();
    let before = limiter.snapshot();
    for _ in 0..2 {
        let wanted = json!({"name": "changes::zero_paused", "paused": false, "enabled": false});
        let refused = console.set(wanted).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
        assert_eq!(limiter.snapshot().settings, before.settings);
    }
    // Changes by others are logged from then on as before.
    limiter.set_limit(8);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let detail = console.get("/api/limiter?name=changes::zero_paused").await.json();
    assert_eq!(
        (&detail["changes"][0]["to"], &detail["changes"][0]["by"]),
        (&json!("8"), &Value::Null)
    );
}

#[tokio::test]
async fn limit_from_before_a_pause_is_not_given_back_once_all_is_taken_back() {
    let limiter = Limiter::new("changes::zero_reset", 0);
    assert_eq!(limiter.snapshot().total.limit, 0);
    let console = Console::writable();
    let set = async |mut wanted: Value| {
        wanted["name"] = "changes::zero_reset".into();
        console.set(wanted).await.status.as_u16()
    };
    for wanted in [json!({"limit": 5}), json!({"paused": true}), json!({"reset": true})] {
        assert_eq!(set(wanted).await, 200);
    }
    assert_eq!(set(json!({"paused": true})).await, 200);
    assert_eq!((set(json!({"paused": false})).await, limiter.limit()), (409, Some(0)));
}

#[tokio::test]
async fn token_is_found_in_a_file_that_ends_with_a_line_s_end() {
    let limiter = Limiter::new("changes::token", 5);
    drop(limiter.acquire().await);
    let options = limit_console::Options::new().writable(format!("{TOKEN}\r\n"));
    let console = Console::new(options);
    console.set(json!({"name": "changes::token", "limit": 6})).await.json();
    assert_eq!(limiter.limit(), Some(6));
}

#[tokio::test]
async fn token_that_no_header_can_have_is_none() {
    for token in ["pässword", "one\ntwo", " \u{a0}"] {
        let console = Console::new(limit_console::Options::new().writable(token));
        assert_eq!(console.get("/api/limiters").await.json()["writable"], false, "{token:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn change_that_a_reading_comes_amid_is_by_who_has_made_it() {
    use std::sync::{Mutex, mpsc};
    type Ends = (mpsc::Sender<()>, mpsc::Receiver<()>);
    static ENDS: Mutex<Option<Ends>> = Mutex::new(None);
    static LIMITER: Limiter = Limiter::lazy("changes::amid", || {
        if let Some((asked, go_on)) = ENDS.lock().expect("no panic").take() {
            asked.send(()).expect("the test waits");
            tokio::task::block_in_place(|| go_on.recv()).expect("the test goes on");
        }
        4
    });
    let (asked, is_asked) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel();
    *ENDS.lock().expect("no panic") = Some((asked, goes_on));
    LIMITER.set_limit(9);
    LIMITER.set_enabled(false);
    drop(LIMITER.acquire().await);
    let console = std::sync::Arc::new(Console::writable());
    console.get("/api/limiter?name=changes::amid").await.json();

    // The reset leaves a limit that has to be resolved, and that takes long.
    let change = tokio::spawn({
        let console = std::sync::Arc::clone(&console);
        async move {
            let wanted = json!({"name": "changes::amid", "reset": true, "by": "ops"});
            console.set(wanted).await.json()["changes"].clone()
        }
    });
    let is_asked = tokio::task::spawn_blocking(move || is_asked.recv());
    is_asked.await.expect("no panic").expect("it is found out");
    let mut stream = crate::stream::Stream::open(&console, "/api/stream").await;
    for _ in 0..3 {
        stream.next().await;
    }
    go_on.send(()).expect("it waits");
    let changes = change.await.expect("no panic");
    let told: Vec<_> = changes
        .as_array()
        .expect("a list")
        .iter()
        .map(|change| ["setting", "from", "to", "by"].map(|field| change[field].clone()))
        .collect();
    assert_eq!(
        told,
        [
            [json!("limit"), json!("9"), json!("4"), json!("ops")],
            [json!("enabled"), json!("off"), json!("on"), json!("ops")]
        ]
    );
    let detail = console.get("/api/limiter?name=changes::amid").await.json();
    assert_eq!(detail["changes"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn limits_of_single_keys_are_set_and_taken_back() {
    let limiter = Limiter::new("changes::keys", 1).keyed();
    let plain = Limiter::new("changes::no_keys", 1);
    drop((limiter.key("acme").acquire().await, plain.acquire().await));
    let console = Console::writable();
    let limits = || {
        let limits = limiter.snapshot().key_limits;
        limits.into_iter().map(|known| (known.key, known.limit)).collect::<Vec<_>>()
    };
    let set = |limits: Value| json!({"name": "changes::keys", "key_limits": limits, "by": "ops"});
    let answer = console.set(set(json!({"acme": 10, "late": 0}))).await.json();
    assert_eq!(limits(), [("acme".to_owned(), 10), ("late".to_owned(), 0)]);
    let change = &answer["changes"][0];
    let told = ["setting", "key", "from", "to", "source", "by"].map(|field| change[field].clone());
    assert_eq!(told, ["key_limit", "acme", "none", "10", "live", "ops"].map(|text| json!(text)));
    assert_eq!(answer["undo"]["key_limits"], json!({"acme": null, "late": null}));
    let answer = console.set(set(json!({"acme": 3, "late": null}))).await.json();
    assert_eq!(limits(), [("acme".to_owned(), 3)]);
    console.set(answer["undo"].clone()).await.json();
    assert_eq!(limits(), [("acme".to_owned(), 10), ("late".to_owned(), 0)]);
    let shown = console.get("/api/limiter?name=changes::keys").await.json();
    assert_eq!(shown["snapshot"]["key_limits"][0]["limit"], 10);
    let answer = console.set(json!({"name": "changes::keys", "reset": true})).await.json();
    assert!(limits().is_empty());
    console.set(answer["undo"].clone()).await.json();
    assert_eq!(limits().len(), 2, "a reset can be taken back");

    for (wanted, status) in [
        (json!({"acme": -1}), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({"acme": 1.5}), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({"acme": 2_147_483_648_u32}), StatusCode::UNPROCESSABLE_ENTITY),
        (json!([1]), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let refused = console.set(set(wanted)).await;
        assert_eq!(refused.status, status);
        assert!(refused.error().contains("an object with a limit for each key"));
    }
    let wanted = json!({"name": "changes::no_keys", "limit": 2, "key_limits": {"a": 1}});
    let refused = console.set(wanted).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.error().contains("it has no keys"));
    assert_eq!(plain.limit(), Some(1), "nothing is changed");
}
