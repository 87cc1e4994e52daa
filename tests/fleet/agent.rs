//! The start and the stop of an agent.

use super::{AGENT, alone, grant, lease, limiter, started, take_woken, use_first};
use limit_runtime::fleet::{self, Agent, AlreadyStarted};
use limit_runtime::{FleetFigures, LedgerFigures, RejectedKind, Snapshot, find};
use std::sync::Arc;
use std::time::Duration;
use tokio_test::{assert_pending, assert_ready, task};

fn restart() {
    fleet::start(Arc::clone(&AGENT) as Arc<dyn Agent>).expect("it was stopped");
}

#[test]
fn there_is_one_agent_at_a_time() {
    let _turn = started();
    let other = fleet::start(Arc::clone(&AGENT) as Arc<dyn Agent>);
    let AlreadyStarted { .. } = other.expect_err("one is started");
}

#[test]
fn limiters_that_ran_without_a_fleet_are_leased_from_its_start_on() {
    let _turn = alone();
    fleet::stop();
    let limiter = limiter("agent-late", 2);
    let permit = {
        // Used while the fleet is stopped: it has nothing.
        assert!(limiter.try_acquire().is_err());
        restart();
        assert_eq!(take_woken("agent-late"), 1);
        grant(&lease(&limiter), 1);
        limiter.try_acquire().expect("one")
    };
    assert!(permit.is_valid());
    assert!(limiter.snapshot().warnings.is_empty());
}

fn is_warned_of_the_stop(snapshot: &Snapshot) -> bool {
    snapshot.warnings.iter().any(|warning| warning.contains("the fleet was stopped"))
}

#[test]
fn from_the_stop_on_the_process_has_no_permits() {
    let _turn = alone();
    let waits = limiter("agent-waits", 2);
    let refuses = limiter("agent-refuses", 2).max_waiting(9);
    grant(&use_first(&waits), 1);
    grant(&use_first(&refuses), 1);
    let held = (waits.try_acquire().expect("one"), refuses.try_acquire().expect("one"));
    let mut waiting = task::spawn(refuses.acquire());
    assert_pending!(waiting.poll());
    fleet::stop();
    assert!(!held.0.is_valid());
    let rejected = assert_ready!(waiting.poll()).expect_err("no agent");
    assert_eq!(rejected.kind(), RejectedKind::Unavailable);
    drop(held);
    assert!(!is_warned_of_the_stop(&waits.snapshot()), "nobody has come");
    assert_eq!(refuses.try_acquire().expect_err("none").kind(), RejectedKind::Unavailable);
    let mut waiting = task::spawn(waits.acquire());
    assert_pending!(waiting.poll());
    assert!(is_warned_of_the_stop(&waits.snapshot()));
    assert!(is_warned_of_the_stop(&refuses.snapshot()));
    restart();
    assert!(!is_warned_of_the_stop(&waits.snapshot()));
    assert_pending!(task::spawn(refuses.acquire()).poll());
    grant(&lease(&waits), 1);
    drop(assert_ready!(waiting.poll()));
}

#[test]
fn from_the_stop_on_no_key_has_permits_and_keys_are_not_kept() {
    let _turn = alone();
    let waits = super::limiter("agent-keys-wait", 2).keyed();
    let refuses = super::limiter("agent-keys-refuse", 2).max_waiting(9).keyed();
    drop((waits.key("one").try_acquire(), refuses.key("one").try_acquire()));
    let leases = find("agent-keys-refuse").expect("in use").leases();
    grant(&leases[0], 2);
    let permit = refuses.key("one").try_acquire().expect("two");
    fleet::stop();
    assert!(!permit.is_valid());
    for key in ["one", "two"] {
        let rejected = refuses.key(key).try_acquire().expect_err("no agent");
        assert_eq!(rejected.kind(), RejectedKind::Unavailable);
    }
    assert_eq!(refuses.snapshot().total.keys, 1, "the one that was leased");
    let mut waiting = task::spawn(waits.key("two").acquire());
    assert_pending!(waiting.poll());
    assert_pending!(task::spawn(waits.key("three").acquire()).poll());
    assert_eq!(waits.snapshot().total.keys, 2, "three has gone");
    assert!(is_warned_of_the_stop(&waits.snapshot()));
    restart();
    let leases = find("agent-keys-wait").expect("in use").leases_with_news();
    let two = leases.iter().find(|lease| lease.key() == Some("two")).expect("it waits");
    grant(two, 1);
    drop(assert_ready!(waiting.poll()));
}

#[test]
fn a_dropped_limiter_has_no_lease() {
    let _turn = started();
    let limiter = limiter("agent-dropped", 2);
    let lease = use_first(&limiter);
    grant(&lease, 1);
    let permit = limiter.try_acquire().expect("one");
    let mut lost = task::spawn(permit.lease_lost());
    assert_pending!(lost.poll());
    drop(limiter);
    // The agent does not see the permit any more, and gives the share back.
    assert!(lost.is_woken());
    assert_ready!(lost.poll());
    drop(lost);
    assert!(!permit.is_valid());
    assert!(lease.limiter().leases().is_empty());
    assert_eq!(lease.load(), fleet::Load::default());
    grant(&lease, 1);
    drop(permit);
    let next = super::limiter("agent-next", 2);
    assert!(next.try_acquire().is_err(), "it has no share of the one before");
}

#[test]
fn the_snapshot_has_what_the_agent_knows() {
    let _turn = started();
    let limiter = limiter("agent-figures", 2);
    let _ = use_first(&limiter);
    assert_eq!(limiter.snapshot().fleet, None);
    let mut ledger = LedgerFigures::default();
    (ledger.limit, ledger.nodes) = (2, 3);
    let mut figures = FleetFigures::default();
    figures.ledgers.push(ledger);
    AGENT.figures.lock().expect("no panic").insert("agent-figures".to_owned(), figures.clone());
    assert_eq!(limiter.snapshot().fleet, Some(figures.clone()));
    assert_eq!(find("agent-figures").expect("in use").fleet(), Some(figures.clone()));
    let told = limiter.snapshot().to_string();
    assert!(told.contains("\n  fleet      0/2    processes    3"), "{told}");

    let ledger = &mut figures.ledgers[0];
    (ledger.in_use, ledger.nodes, ledger.learning) = (1, 1, true);
    ledger.lease_left = Some(Duration::from_millis(4200));
    let mut of_key = LedgerFigures::default();
    of_key.key = Some("acme".to_owned());
    figures.ledgers.push(of_key);
    assert_eq!(
        figures.to_string(),
        "fleet 1/2 in use, share 0, want 0, 1 node, lease 4.2s, learning, 1 key"
    );
    figures.ledgers.remove(0);
    assert_eq!(figures.to_string(), "fleet, 1 key");
}

#[test]
fn all_leases_are_listed() {
    let _turn = started();
    let limiter = limiter("agent-listed", 2);
    let _ = use_first(&limiter);
    assert!(fleet::leases().iter().any(|lease| lease.limiter().name() == "agent-listed"));
}
