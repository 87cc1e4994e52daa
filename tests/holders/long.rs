//! The log has a warning about permits that are held for long. Each test waits for its warning,
//! however long that takes.

use crate::turn;
use limit_runtime::{Limiter, diagnostics};
use limit_tests::log::{Listener, Told};
use limit_tests::polling::{served, waiter};
use limit_tests::watchdog::until;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};
use tracing::{Event, Level, Metadata};

/// The listener takes the permit of this limiter when a warning says that it is back.
static AGAIN: Limiter = Limiter::new("long-again", 1);

static TOLD: Mutex<Vec<Told>> = Mutex::new(Vec::new());

fn lock() -> MutexGuard<'static, Vec<Told>> {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps an event about a permit, and takes the permit of [`AGAIN`] when the event says that it is back.
fn keep(event: &Event<'_>) {
    let told = Told::read(event);
    let (limiter, message) = (told.field("limiter").to_owned(), told.field("message").to_owned());
    lock().push(told);
    assert!(!limiter.starts_with("long-panic"), "as the test wants it");
    if message.ends_with("is back") && limiter == AGAIN.name() {
        drop(AGAIN.try_acquire().expect("it is back already"));
    }
}

fn listen() {
    static LISTEN: Once = Once::new();
    LISTEN.call_once(|| {
        let is_ours = |metadata: &Metadata<'_>| {
            metadata.target() == "limit_runtime" && *metadata.level() <= Level::INFO
        };
        let listener = Listener::new(is_ours, keep);
        tracing::subscriber::set_global_default(listener).expect("nobody else listens");
    });
}

/// Returns the events about a limiter.
fn told(limiter: &str) -> Vec<Told> {
    let is_its = |told: &&Told| told.field("limiter") == limiter;
    lock().iter().filter(is_its).cloned().collect()
}

fn until_told(limiter: &str, times: usize) -> Vec<Told> {
    until(&format!("{limiter} is told of {times} times"), || told(limiter).len() >= times);
    told(limiter)
}

#[test]
fn one_that_is_held_for_long_is_told_once_and_once_more_when_it_is_back() {
    let _turn = turn();
    listen();
    diagnostics::warn_after(Duration::from_millis(20));
    let limiter = Limiter::new("long", 2);
    let (permit, line) = (limiter.try_acquire().expect("free"), line!());
    let held = until_told("long", 1);
    assert_eq!(held[0].fields["message"], "permit has been held for long");
    assert!(held[0].fields["place"].contains(&format!("long.rs:{line}:")), "{held:?}");
    assert!(held[0].fields.contains_key("age"));
    assert_eq!(held[0].level, Level::WARN);

    // The warning about another permit shows that the thread has looked again, and has not repeated
    // the first warning.
    let other = Limiter::new("long-other", 1);
    let other_permit = other.try_acquire().expect("free");
    until_told("long-other", 1);
    assert_eq!(told("long").len(), 1);

    drop(permit);
    let told = until_told("long", 2);
    assert_eq!(told[1].fields["message"], "permit that had been held for long is back");
    assert_eq!(told[1].level, Level::INFO, "it is good news");
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

#[test]
fn a_grant_that_nobody_claims_is_told_once_for_each_place() {
    let _turn = turn();
    listen();
    let limiter = Limiter::new("unclaimed-told", 1).claim_within(Duration::from_millis(10));
    let call = || limiter.acquire();
    let line = line!() - 1;
    for time in 1..=2 {
        let held = limiter.try_acquire().expect("free");
        let absent = waiter(call());
        let mut next = waiter(limiter.acquire());
        drop(held);
        until("the next has the permit", || next.is_woken());
        drop((served(&mut next), absent));
        if time == 1 {
            let unclaimed = until_told("unclaimed-told", 1);
            let message = "grant was taken back: the call waits, but nobody polls it";
            assert_eq!(unclaimed[0].fields["message"], message);
            assert!(unclaimed[0].fields["place"].contains(&format!("long.rs:{line}:")));
            assert_eq!(unclaimed[0].level, Level::WARN);
        }
    }
    assert_eq!(limiter.snapshot().total.taken_back, 2);
    // The warning about another limiter shows that the watcher has told of the second.
    let other = Limiter::new("unclaimed-told-too", 1).claim_within(Duration::from_millis(10));
    let held = other.try_acquire().expect("free");
    let (_absent, _next) = (waiter(other.acquire()), waiter(other.acquire()));
    drop(held);
    until_told("unclaimed-told-too", 1);
    assert_eq!(told("unclaimed-told").len(), 1);
}
