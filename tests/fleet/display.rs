//! The line of a snapshot about the fleet, and warnings that an agent gives.

use super::{AGENT, limiter, started, use_first};
use limit_runtime::{FleetFigures, LedgerFigures, find};
use std::time::Duration;

fn ledger(key: Option<&str>) -> LedgerFigures {
    let mut ledger = LedgerFigures::default();
    ledger.key = key.map(ToOwned::to_owned);
    (ledger.limit, ledger.limit_here, ledger.in_use, ledger.share, ledger.want) = (10, 10, 9, 3, 5);
    (ledger.nodes, ledger.queued) = (4, 1);
    ledger.lease_left = Some(Duration::from_millis(4210));
    ledger.renewals.failed = 2;
    ledger
}

/// Returns the lines of a snapshot after the first two.
fn lines(name: &'static str, ledgers: Vec<LedgerFigures>) -> Vec<String> {
    let limiter = limiter(name, 10);
    let _ = use_first(&limiter);
    let mut figures = FleetFigures::default();
    figures.ledgers = ledgers;
    AGENT.figures.lock().expect("no panic").insert(name.to_owned(), figures);
    let text = limiter.snapshot().to_string();
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    text.lines().skip(2).map(ToOwned::to_owned).collect()
}

#[test]
fn a_snapshot_prints_a_line_about_the_fleet() {
    let _turn = started();
    let line = "  fleet      9/10   processes    4 (queued    1)  share    3  want    5  lease 4.21s  failed     2";
    assert_eq!(lines("display-whole", vec![ledger(None)]), [line]);
    assert_eq!(lines("display-total", vec![ledger(Some("eu")), ledger(None)]), [line]);
    assert_eq!(lines("display-none", Vec::new()), [""; 0]);
}

#[test]
fn without_a_lease_there_is_a_dash_and_learning_is_said() {
    let _turn = started();
    let mut learns = ledger(None);
    (learns.lease_left, learns.learning) = (None, true);
    let line = "  fleet      9/10   processes    4 (queued    1)  share    3  want    5  lease     –  failed     2";
    assert_eq!(lines("display-learns", vec![learns]), [line, "  learning"]);
}

#[test]
fn ledgers_of_keys_are_added_up() {
    let _turn = started();
    let line = "  fleet     18/20   keys    2  share    6  want   10  failed     4";
    assert_eq!(lines("display-keys", vec![ledger(Some("eu")), ledger(Some("us"))]), [line]);
}

#[test]
fn a_warning_is_there_once_until_it_is_withdrawn() {
    let _turn = started();
    let limiter = limiter("display-warning", 10);
    let lease = use_first(&limiter);
    for _ in 0..2 {
        lease.warn("the processes disagree");
    }
    lease.warn("the leases differ");
    assert_eq!(limiter.snapshot().warnings, ["the processes disagree", "the leases differ"]);
    let reading = limit_runtime::inspect::read(&find("display-warning").expect("it is in use"));
    assert_eq!(reading.warnings, 2);
    lease.withdraw_warning("the processes disagree");
    assert_eq!(limiter.snapshot().warnings, ["the leases differ"]);
    assert!(limiter.snapshot().to_string().ends_with("\n  ! the leases differ"));
}
