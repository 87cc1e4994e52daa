//! The start and the stop of an agent.

use super::{AGENT, alone, grant, lease, limiter, started, take_woken, use_first};
use limit_runtime::fleet::{self, Agent, AlreadyStarted};
use limit_runtime::{FleetFigures, LedgerFigures, RejectedKind, find};
use std::sync::Arc;
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
    assert_eq!(refuses.try_acquire().expect_err("none").kind(), RejectedKind::Unavailable);
    let mut waiting = task::spawn(waits.acquire());
    assert_pending!(waiting.poll());
    restart();
    assert_pending!(task::spawn(refuses.acquire()).poll());
    grant(&lease(&waits), 1);
    drop(assert_ready!(waiting.poll()));
}

#[test]
fn a_dropped_limiter_has_no_lease() {
    let _turn = started();
    let limiter = limiter("agent-dropped", 2);
    let lease = use_first(&limiter);
    grant(&lease, 1);
    let permit = limiter.try_acquire().expect("one");
    drop(limiter);
    assert!(permit.is_valid());
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
    ledger.limit = 2;
    let mut figures = FleetFigures::default();
    figures.ledgers.push(ledger);
    AGENT.figures.lock().expect("no panic").insert("agent-figures".to_owned(), figures.clone());
    assert_eq!(limiter.snapshot().fleet, Some(figures));
    assert!(find("agent-figures").is_some());
}

#[test]
fn all_leases_are_listed() {
    let _turn = started();
    let limiter = limiter("agent-listed", 2);
    let _ = use_first(&limiter);
    assert!(fleet::leases().iter().any(|lease| lease.limiter().name() == "agent-listed"));
}
