//! The events of a fleet.
//!
//! `tracing` asks once for the whole process whether a subscriber is interested in an event. So each test
//! listens before it joins.

use crate::{Joined, ledger, limiter};
use limit_fleet::MemoryStore;
use limit_tests::log::{Listener, Told};
use limit_tests::watchdog::until;
use std::sync::{Mutex, Once, PoisonError};
use tracing::{Level, Metadata};

static TOLD: Mutex<Vec<Told>> = Mutex::new(Vec::new());

/// Starts to listen, and forgets what was heard before.
pub(crate) fn listen() {
    static LISTENS: Once = Once::new();
    LISTENS.call_once(|| {
        let is_ours = |metadata: &Metadata<'_>| {
            *metadata.level() <= Level::INFO
                && ["limit_fleet", "limit_runtime"].contains(&metadata.target())
        };
        let keep = |event: &tracing::Event<'_>| {
            TOLD.lock().unwrap_or_else(PoisonError::into_inner).push(Told::read(event));
        };
        let listener = Listener::new(is_ours, keep);
        tracing::subscriber::set_global_default(listener).expect("it is the first");
    });
    TOLD.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// Returns the events so far whose message has these words.
pub(crate) fn heard(words: &str) -> Vec<Told> {
    let told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    told.iter().filter(|told| told.field("message").contains(words)).cloned().collect()
}

/// Waits for events whose message has these words, and returns them. A ledger shows what happened before it is logged.
pub(crate) fn until_heard(words: &str) -> Vec<Told> {
    until(&format!("the log says {words:?}"), || !heard(words).is_empty());
    heard(words)
}

#[test]
fn an_outage_is_told_once_and_so_is_its_end() {
    let store = MemoryStore::new();
    let _joined = Joined::to(store.clone());
    let limiters = [limiter("log-one", 4), limiter("log-two", 4)];
    let _held = limiters.each_ref().map(limit_runtime::Limiter::blocking_acquire);
    for _ in 0..2 {
        listen();
        store.set_reachable(false);
        until("both leases are over", || {
            let failed = |name| ledger(name).is_some_and(|it| it.lease_left.is_none());
            failed("log-one") && failed("log-two")
        });
        let outage = until_heard("cannot be reached");
        assert_eq!(outage.len(), 1, "{outage:?}");
        assert_eq!(outage[0].level, Level::ERROR);
        assert!(outage[0].field("error").contains("set_reachable(false)"), "{outage:?}");
        assert_eq!(heard("can be reached again"), []);

        store.set_reachable(true);
        until("both have a lease", || {
            let leased = |name| ledger(name).is_some_and(|it| it.lease_left.is_some());
            leased("log-one") && leased("log-two")
        });
        let end = until_heard("can be reached again");
        assert_eq!((end.len(), end[0].level), (1, Level::INFO), "{end:?}");
        assert_eq!(heard("cannot be reached").len(), 1);
    }
}

#[test]
fn a_ledger_that_learns_is_told_and_is_no_warning() {
    let store = MemoryStore::new();
    let _joined = Joined::to(store.clone());
    let limiter = limiter("log-learns", 4);
    let _held = limiter.blocking_acquire();
    assert_eq!(heard("may have forgotten"), []);
    store.restart();
    until("it learns", || ledger("log-learns").is_some_and(|it| it.learning));
    until("it has learned", || ledger("log-learns").is_some_and(|it| !it.learning));
    let told = until_heard("may have forgotten");
    assert_eq!((told.len(), told[0].level), (1, Level::INFO), "{told:?}");
    assert_eq!(told[0].field("ledger"), "default/log-learns");
    assert_eq!(limiter.snapshot().warnings, [""; 0]);
}
