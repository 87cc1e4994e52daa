//! The crate limit-config: settings from files, beside the environment (feature `config`).
//!
//! A process has one configuration, so the tests that apply one take turns.

mod environment;
mod errors;
mod files;
mod names;
mod watch;

use limit_config::{Applied, Config};
use limit_runtime::settings::{SettingKind, ValueType};
use limit_runtime::{KeyedLimiter, Limiter, Rejected, Scope, Settings, Source};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_test::{assert_ready, task};

/// Keeps other tests from applying a configuration until it is dropped. The drop applies an empty one.
struct Turn {
    _turn: MutexGuard<'static, ()>,
}

fn turn() -> Turn {
    static TURN: Mutex<()> = Mutex::new(());
    Turn { _turn: TURN.lock().unwrap_or_else(PoisonError::into_inner) }
}

impl Drop for Turn {
    fn drop(&mut self) {
        Config::default().apply().expect("nothing fits everybody");
    }
}

#[track_caller]
fn apply(toml: &str) -> Applied {
    Config::from_toml(toml).expect("it is right").apply().expect("it fits")
}

fn changes(applied: &Applied) -> Vec<String> {
    applied.changes().iter().map(ToString::to_string).collect()
}

/// Returns the limit and its source.
fn limit(settings: &Settings) -> (usize, Source) {
    (settings.limit.value, settings.limit.source)
}

#[test]
fn every_setting_takes_effect_and_is_given_up_again() {
    let _turn = turn();
    let limiter = Limiter::new("every", 1).max_waiting(1).max_wait(Duration::from_secs(1));
    let before = limiter.snapshot().settings;
    let applied = apply(
        r#"
        [every]
        limit = 3
        max_waiting = 7
        max_wait = "1m 30s"
        claim_within = "200ms"
        enabled = false
        "#,
    );
    assert_eq!(
        changes(&applied),
        [
            "every: limit 1 -> 3",
            "every: max_waiting 1 -> 7",
            "every: max_wait 1s -> 90s",
            "every: claim_within 1s -> 200ms",
            "every: enabled true -> false",
        ]
    );
    assert!(applied.pending().is_empty());
    let settings = limiter.snapshot().settings;
    assert_eq!(limit(&settings), (3, Source::File));
    assert_eq!(settings.max_waiting.value, Some(7));
    assert_eq!(settings.max_wait.value, Some(Duration::from_secs(90)));
    assert_eq!(settings.claim_within.value, Some(Duration::from_millis(200)));
    assert_eq!((settings.enabled.value, settings.enabled.source), (false, Source::File));
    assert_eq!((settings.shadow.value, settings.shadow.source), (false, Source::Attribute));
    assert_eq!(limiter.limit(), Some(3));

    let applied = apply("[every]\nshadow = true");
    assert_eq!(applied.changes().len(), 6);
    assert!(limiter.snapshot().settings.shadow.value);
    assert_eq!(limiter.limit(), Some(1));

    apply("");
    assert_eq!(limiter.snapshot().settings, before);
    assert_eq!(limiter.snapshot().limit_changes.file, 2);
}

#[test]
fn a_file_can_say_that_no_grant_is_taken_back() {
    let _turn = turn();
    let limiter = Limiter::new("never", 1);
    let claim_within = |limiter: &Limiter| {
        let setting = limiter.snapshot().settings.claim_within;
        (setting.value, setting.source)
    };
    assert_eq!(claim_within(&limiter), (Some(Duration::from_secs(1)), Source::Attribute));
    let applied = apply("[never]\nclaim_within = \"never\"");
    assert_eq!(changes(&applied), ["never: claim_within 1s -> never"]);
    assert_eq!(claim_within(&limiter), (None, Source::File));

    limiter.set_claim_within(Duration::from_secs(2));
    let applied = apply("[never]\nclaim_within = \"never\"");
    let [overridden] = applied.overridden() else { panic!("{applied}") };
    assert!(overridden.to_string().starts_with("never: claim_within never is not in force"));
    let applied = apply("[never]\nclaim_within = \"3s\"");
    let [overridden] = applied.overridden() else { panic!("{applied}") };
    assert!(overridden.to_string().starts_with("never: claim_within 3s is not in force"));
    limiter.reset();
    assert_eq!(claim_within(&limiter), (Some(Duration::from_secs(3)), Source::File));
}

#[test]
fn a_value_that_a_stronger_source_overrides_is_told() {
    let _turn = turn();
    let limiter = Limiter::new("overridden", 1);
    limiter.set_limit(8);
    let applied = apply("[overridden]\nlimit = 5\nenabled = false");
    assert_eq!(changes(&applied), ["overridden: enabled true -> false"]);
    let [overridden] = applied.overridden() else { panic!("{applied}") };
    assert_eq!((overridden.limiter(), overridden.setting()), ("overridden", "limit"));
    assert_eq!(overridden.by(), Source::Live);
    assert_eq!(
        overridden.to_string(),
        "overridden: limit 5 is not in force: it was changed while the program runs; reset it to use \
         the file"
    );
    limiter.reset();
    assert_eq!(limiter.limit(), Some(5));
    assert!(apply("[overridden]\nlimit = 5").overridden().is_empty());
}

#[test]
fn a_range_lets_a_limit_adapt_and_a_number_holds_it() {
    let _turn = turn();
    let (fixed, adapting) = (Limiter::new("a-fixed", 7), Limiter::adaptive("an-adapting", 1..=9));
    let _permits = (fixed.try_acquire().unwrap(), adapting.try_acquire().unwrap());
    let range = |limiter: &Limiter| {
        let figures = limiter.snapshot().adaptive?;
        Some((figures.low, figures.high, figures.is_frozen))
    };
    assert_eq!((range(&fixed), range(&adapting)), (None, Some((1, 9, false))));

    let applied = apply("[a-fixed]\nlimit = \"2..=20\"\n[an-adapting]\nlimit = \"2..=30\"");
    assert_eq!(changes(&applied)[0], "a-fixed: limit 7 -> 2..=20");
    assert_eq!(range(&fixed), Some((2, 20, false)));
    assert_eq!(range(&adapting), Some((2, 30, false)));
    assert_eq!(limit(&fixed.snapshot().settings), (7, Source::File), "it goes on from there");

    apply("[an-adapting]\nlimit = 5");
    assert_eq!((range(&fixed), limit(&fixed.snapshot().settings)), (None, (7, Source::Attribute)));
    assert_eq!(range(&adapting), Some((1, 9, true)));
    assert_eq!(limit(&adapting.snapshot().settings), (5, Source::File));
    apply("");
    assert_eq!(range(&adapting), Some((1, 9, false)));
}

#[test]
fn a_limiter_that_cannot_adapt_says_why() {
    let _turn = turn();
    let rate = Limiter::new("a-rate", 7).per(Duration::from_secs(1));
    let keyed = Limiter::new("a-keyed", 7).keyed();
    let _limits = (rate.limit(), keyed.limit(), rate.snapshot(), keyed.snapshot());
    for (name, reason) in [("a-rate", "come back with time"), ("a-keyed", "the total adapts")] {
        let config =
            Config::from_toml(&format!("[{name}]\nlimit = \"1..=9\"")).expect("it is right");
        let error = config.apply().expect_err("it does not fit").to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_file_has_limits_of_single_keys() {
    let _turn = turn();
    let limiter = Limiter::new("tenants", 1).keyed();
    let plain = Limiter::new("no-keys", 1);
    drop((limiter.snapshot(), plain.snapshot()));
    let most = |key: &'static str| {
        let take = || limiter.key(key).try_acquire().ok();
        std::iter::from_fn(take).collect::<Vec<_>>().len()
    };
    let applied = apply(
        r#"
        [tenants]
        limit = 2
        key."a b" = 3

        ["ten*".key]
        acme = 10
        "a b" = 9
        "#,
    );
    assert_eq!((most("acme"), most("a b"), most("other")), (10, 3, 2));
    let expected = [
        "tenants: limit 1 -> 2",
        "tenants: key.\"a b\" none -> 3",
        "tenants: key.\"acme\" none -> 10",
    ];
    assert_eq!(changes(&applied), expected);
    limiter.set_key_limit("acme", Some(5)).expect("it has keys");
    let applied = apply("tenants = { limit = 2, key.acme = 11 }");
    assert_eq!((most("acme"), most("a b")), (5, 2));
    assert_eq!(changes(&applied), ["tenants: key.\"a b\" 3 -> none"]);
    assert_eq!(
        applied.overridden()[0].to_string(),
        "tenants: key.\"acme\" 11 is not in force: it was changed while the program runs; reset it to use the file"
    );
    limiter.reset();
    assert_eq!(most("acme"), 11);
    let config = Config::from_toml("[no-keys]\nkey.acme = 3").expect("it is right");
    let error = config.apply().expect_err("it has no keys").to_string();
    assert!(error.starts_with("2:1: ") && error.contains("it has no keys"), "{error}");
    let json: Config = serde_json::from_str(r#"{"tenants": {"key": {"acme": 4, "b": null}}}"#)
        .expect("it is right");
    json.apply().expect("it fits");
    assert_eq!((most("acme"), most("b")), (4, 1));
}

/// The test names no setting, so it includes a new one.
#[test]
fn every_setting_that_there_is_can_be_in_a_file() {
    let _turn = turn();
    for kind in SettingKind::ALL {
        let value = match kind.value_type() {
            ValueType::Count { most } | ValueType::CountOrRange { most } => most.to_string(),
            ValueType::Duration | ValueType::DurationOrNever => "\"1h\"".to_owned(),
            ValueType::Switch => "true".to_owned(),
            other => panic!("{kind} is {other}: how is that written?"),
        };
        let limiter = Limiter::new("every-kind", 1).max_waiting(1).keyed();
        let _ = limiter.snapshot();
        let applied = apply(&format!("[every-kind]\n{kind} = {value}"));
        let set = limiter.snapshot().settings.get(*kind);
        assert_eq!(set.source, Source::File, "{kind}");
        let told = set.value.expect("it is set").to_string();
        for change in applied.changes() {
            assert_eq!((change.setting(), change.after()), (kind.name(), &*told));
        }
        apply("");
    }
}

#[test]
fn a_limiter_that_is_used_later_takes_its_settings_up() {
    let _turn = turn();
    let applied = apply("[later]\nlimit = 4\nmax_waiting = 0");
    let [pending] = applied.pending() else { panic!("{applied:?}") };
    assert_eq!((pending.name(), pending.nearest()), ("later", None));
    assert_eq!(applied.to_string(), "no limiter named `later` is in use yet\n");

    let limiter = Limiter::new("later", 1).max_waiting(9);
    let held: Vec<_> = (0..4).map(|_| limiter.try_acquire().expect("four are free")).collect();
    assert!(limiter.try_acquire().is_err());
    assert_eq!(limit(&limiter.snapshot().settings), (4, Source::File));
    assert_eq!(limiter.snapshot().settings.max_waiting.value, Some(0));
    drop(held);
    assert!(apply("[later]\nlimit = 4").pending().is_empty());
}

#[test]
fn what_does_not_fit_a_limiter_that_is_used_later_is_left_out_and_told() {
    let _turn = turn();
    apply("[unfit]\nlimit = 4\nmax_waiting = 3\nmax_wait = \"1s\"");
    let limiter = Limiter::new("unfit", 1);
    assert_eq!(limit(&limiter.snapshot().settings), (4, Source::File));
    let warnings = limiter.snapshot().warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].starts_with("3:1: `max_waiting` cannot be set"), "{warnings:?}");
    assert!(warnings[1].starts_with("4:1: `max_wait` cannot be set"), "{warnings:?}");
    assert_eq!(limiter.snapshot().settings.max_waiting.value, None);
}

#[test]
fn a_limit_that_the_file_had_from_the_start_gives_way_to_the_expression_in_the_code() {
    static LIMITER: Limiter = Limiter::lazy("file-lazy", || 3);
    static PANICS: Limiter = Limiter::lazy("file-lazy-panics", || panic!("it is not to be had"));
    let _turn = turn();
    apply("[\"file-lazy*\"]\nlimit = 8");
    let held: Vec<_> = (0..4).map(|_| LIMITER.try_acquire().expect("eight are free")).collect();
    drop(PANICS.try_acquire().expect("eight are free"));
    let applied = apply("");
    assert_eq!(changes(&applied), ["file-lazy: limit 8 -> 3"]);
    let snapshot = LIMITER.snapshot();
    assert_eq!(limit(&snapshot.settings), (3, Source::Attribute));
    assert_eq!((snapshot.total.limit, LIMITER.limit()), (3, Some(3)));
    assert!(LIMITER.try_acquire().is_err());
    drop(held);
    assert_eq!(LIMITER.snapshot().total.in_use, 0);

    let snapshot = PANICS.snapshot();
    assert_eq!(snapshot.total.limit, 8, "what else?");
    let [warning] = &*snapshot.warnings else { panic!("{:?}", snapshot.warnings) };
    assert!(warning.contains("could not be found out"), "{warning}");
}

#[test]
fn a_shadow_counts_by_the_bound_that_is_set() {
    let _turn = turn();
    let shadow = Limiter::new("file-shadow", 1).max_waiting(0).shadow();
    apply("[file-shadow]\nmax_waiting = 1");
    let held = [0, 1, 2].map(|_| shadow.try_acquire().expect("a shadow refuses nobody"));
    let error = Config::from_toml("[file-shadow]\nmax_wait = \"1s\"").expect("it is well-formed");
    let error = error.apply().expect_err("nobody waits").to_string();
    assert!(error.ends_with("it was made a shadow, so that nobody waits"), "{error}");
    assert_eq!(shadow.snapshot().settings.max_waiting.value, Some(1));
    drop(held);
}

#[test]
fn a_limiter_whose_name_is_used_again_takes_its_settings_up_again() {
    let _turn = turn();
    apply("[again]\nlimit = 4");
    for _ in 0..3 {
        let limiter = Limiter::new("again", 1);
        let held = limiter.try_acquire().expect("a permit is free");
        assert_eq!(limit(&limiter.snapshot().settings), (4, Source::File));
        drop(limiter);
        drop(held);
    }
}

#[test]
fn whoever_waits_is_let_in_when_the_file_raises_the_limit_with_keys_and_in_the_process() {
    let _turn = turn();
    let process = Limiter::new("raised-process", 0).scope(Scope::Process);
    let keyed: KeyedLimiter = Limiter::new("raised-keyed", 1).keyed();
    let held = keyed.key(1).try_acquire().expect("a permit is free");
    let mut calls = (task::spawn(process.acquire()), task::spawn(keyed.key(1).acquire()));
    assert!(calls.0.poll().is_pending() && calls.1.poll().is_pending());
    apply("[\"raised-*\"]\nlimit = 2");
    assert!(calls.0.is_woken() && calls.1.is_woken());
    let permits = (assert_ready!(calls.0.poll()), assert_ready!(calls.1.poll()));
    assert!(keyed.key(1).try_acquire().is_err());
    drop((held, permits));
    apply("");
    let one = keyed.key(1).try_acquire().expect("one is free again");
    assert!(keyed.key(1).try_acquire().is_err());
    assert!(process.try_acquire().is_err());
    drop(one);
}

#[test]
fn a_live_change_is_heard_before_the_file_until_it_is_taken_back() {
    let _turn = turn();
    let limiter = Limiter::new("live", 1);
    limiter.set_limit(9);
    let applied = apply("[live]\nlimit = 3");
    assert_eq!(changes(&applied), Vec::<String>::new());
    assert_eq!(limit(&limiter.snapshot().settings), (9, Source::Live));
    limiter.reset();
    assert_eq!(limit(&limiter.snapshot().settings), (3, Source::File));
    assert_eq!(limiter.limit(), Some(3));
}

#[test]
fn it_is_read_from_whatever_serde_reads() {
    let _turn = turn();
    let limiter = Limiter::new("serde", 1).max_waiting(1);
    let config: Config =
        serde_json::from_str(r#"{ "serde": { "limit": 5, "max_wait": "50ms" } }"#).expect("JSON");
    config.apply().expect("it fits");
    assert_eq!(limit(&limiter.snapshot().settings), (5, Source::File));
    assert_eq!(limiter.snapshot().settings.max_wait.value, Some(Duration::from_millis(50)));

    let value = serde_json::json!({ "serde": { "limit": 6, "max_wait": null } });
    serde_json::from_value::<Config>(value).expect("a map").apply().expect("it fits");
    assert_eq!(limiter.limit(), Some(6));
    assert_eq!(limiter.snapshot().settings.max_wait.value, None);
}

#[test]
fn limiters_that_are_first_used_while_configurations_come_and_go_have_the_last() {
    static STARTED: Limiter<Rejected> = Limiter::new("race-started", 1).max_waiting(1);
    let _turn = turn();
    for round in 0..50 {
        let names = [0, 1, 2, 3].map(|n| format!("race-{round}-{n}"));
        std::thread::scope(|scope| {
            let configs = scope.spawn(|| {
                for limit in 1..=20 {
                    apply(&format!("[\"race-*\"]\nlimit = {limit}"));
                }
            });
            let limiters = names.map(|name| {
                scope.spawn(move || {
                    let limiter: Limiter = Limiter::named(name, 99);
                    drop(limiter.try_acquire());
                    limiter
                })
            });
            let limiters = limiters.map(|thread| thread.join().expect("it does not panic"));
            configs.join().expect("it does not panic");
            for limiter in limiters {
                assert_eq!(limit(&limiter.snapshot().settings), (20, Source::File));
                assert_eq!(limiter.limit(), Some(20));
            }
        });
    }
    assert_eq!(limit(&STARTED.snapshot().settings), (20, Source::File));
}

#[test]
fn of_configurations_that_are_applied_at_the_same_time_one_is_in_force_everywhere() {
    let _turn = turn();
    let limiters = [0, 1, 2, 3, 4, 5, 6, 7].map(|n| Limiter::named(format!("same-time-{n}"), 1));
    let _ = limiters.each_ref().map(Limiter::snapshot);
    for round in 0..200 {
        std::thread::scope(|scope| {
            for limit in [2, 3, 4] {
                scope.spawn(move || apply(&format!("[\"same-time-*\"]\nlimit = {limit}")));
            }
        });
        let last = Limiter::named(format!("same-time-last-{round}"), 1);
        let last = Some(last.snapshot().settings.limit.value);
        let limits = limiters.each_ref().map(Limiter::limit);
        assert_eq!(limits, [last; 8], "in round {round}");
    }
}
