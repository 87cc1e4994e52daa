//! Permits that are held for long are told of in the log. Each test waits until it is told, however
//! long that takes.

use crate::turn;
use limit_runtime::{Limiter, diagnostics};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

#[derive(Clone, Debug, Default)]
struct Told(BTreeMap<&'static str, String>);

impl Visit for Told {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

/// What is waited for is sure to come; this only turns a hang into a failure.
const PATIENCE: Duration = Duration::from_secs(120);

/// The listener takes its permit when it is told that it is back.
static AGAIN: Limiter = Limiter::new("long-again", 1);

static TOLD: Mutex<Vec<Told>> = Mutex::new(Vec::new());

fn lock() -> MutexGuard<'static, Vec<Told>> {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the warnings.
struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("limit_runtime::diagnostics")
            && *metadata.level() == Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut told = Told::default();
        event.record(&mut told);
        let limiter = told.0.get("limiter").cloned().unwrap_or_default();
        let is_back = told.0.get("message").is_some_and(|message| message.ends_with("is back"));
        lock().push(told);
        assert!(!limiter.starts_with("long-panic"), "as the test wants it");
        if is_back && limiter == AGAIN.name() {
            drop(AGAIN.try_acquire().expect("it is back already"));
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn listen() {
    static LISTEN: Once = Once::new();
    LISTEN.call_once(|| {
        tracing::subscriber::set_global_default(Listener).expect("nobody else listens");
    });
}

/// What is told of a limiter, by message.
fn told(limiter: &str) -> Vec<Told> {
    let is_its = |told: &&Told| told.0.get("limiter").is_some_and(|name| name == limiter);
    lock().iter().filter(is_its).cloned().collect()
}

fn until_told(limiter: &str, times: usize) -> Vec<Told> {
    let since = Instant::now();
    loop {
        let told = told(limiter);
        if told.len() >= times {
            return told;
        }
        assert!(since.elapsed() < PATIENCE, "not {times} times within {PATIENCE:?}: {told:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn one_that_is_held_for_long_is_told_once_and_once_more_when_it_is_back() {
    let _turn = turn();
    listen();
    diagnostics::warn_after(Duration::from_millis(20));
    let limiter = Limiter::new("long", 2);
    let (permit, line) = (limiter.try_acquire().expect("free"), line!());
    let held = until_told("long", 1);
    assert_eq!(held[0].0["message"], "permit has been held for long");
    assert!(held[0].0["place"].contains(&format!("long.rs:{line}:")), "{held:?}");
    assert!(held[0].0.contains_key("age"));

    // Another is told of: so the thread has looked again, and has not told of the first one again.
    let other = Limiter::new("long-other", 1);
    let other_permit = other.try_acquire().expect("free");
    until_told("long-other", 1);
    assert_eq!(told("long").len(), 1);

    drop(permit);
    let told = until_told("long", 2);
    assert_eq!(told[1].0["message"], "permit that had been held for long is back");
    drop(other_permit);
    until_told("long-other", 2);
    diagnostics::warn_after(Duration::from_secs(30));
}

#[test]
fn one_that_is_back_in_time_and_one_that_waits_are_not_told_of() {
    let _turn = turn();
    listen();
    diagnostics::warn_after(Duration::from_millis(20));
    let quick = Limiter::new("long-quick", 1);
    let slow = Limiter::new("long-slow", 1);
    let held = slow.try_acquire().expect("free");
    let mut waits = tokio_test::task::spawn(slow.acquire());
    assert!(waits.poll().is_pending());
    diagnostics::warn_after(Duration::MAX);
    drop(quick.try_acquire());
    diagnostics::warn_after(Duration::from_millis(20));
    until_told("long-slow", 1);
    drop(waits);
    drop(held);
    assert_eq!(until_told("long-slow", 2).len(), 2, "the holder, twice");
    assert!(told("long-quick").is_empty());
    diagnostics::warn_after(Duration::from_secs(30));
}

#[test]
fn a_listener_that_panics_stops_neither_the_watch_nor_the_permit() {
    let _turn = turn();
    listen();
    diagnostics::warn_after(Duration::from_millis(5));
    let limiter = Limiter::new("long-panic", 2);
    let permits =
        [limiter.try_acquire(), limiter.try_acquire()].map(|permit| permit.expect("free"));
    until_told("long-panic", 2);
    let other = Limiter::new("long-after-panic", 1);
    let other_permit = other.try_acquire();
    until_told("long-after-panic", 1);
    for permit in permits {
        catch_unwind(AssertUnwindSafe(|| drop(permit))).expect_err("the listener panics");
    }
    assert!(limiter.holders().is_empty());
    assert_eq!(limiter.snapshot().total.in_use, 0);
    drop(other_permit);
    diagnostics::warn_after(Duration::from_secs(30));
}

#[test]
fn a_permit_is_back_before_the_log_says_so() {
    let _turn = turn();
    listen();
    diagnostics::warn_after(Duration::from_millis(5));
    let permit = AGAIN.try_acquire().expect("free");
    until_told("long-again", 1);
    drop(permit);
    until_told("long-again", 2);
    diagnostics::warn_after(Duration::from_secs(30));
}

#[test]
fn one_is_not_told_of_before_its_time() {
    let _turn = turn();
    listen();
    let after = Duration::from_millis(100);
    diagnostics::warn_after(after);
    let limiter = Limiter::new("long-time", 1);
    let begun = Instant::now();
    let permit = limiter.try_acquire().expect("free");
    until_told("long-time", 1);
    assert!(begun.elapsed() >= after, "{:?}", begun.elapsed());
    drop(permit);
    until_told("long-time", 2);
    diagnostics::warn_after(Duration::from_secs(30));
}
