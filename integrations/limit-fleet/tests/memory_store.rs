//! The store in memory.

use std::time::Duration;

use limit_fleet::message::{NodeId, Push, Renewal, Times, Verdict};
use limit_fleet::{LeaseStore, LedgerName, MemoryStore, StoreErrorKind, attempt_timeout};
use tokio::sync::mpsc;

const TIMES: Times = Times { ttl: 6_000_000, hold: 0 };

fn name() -> LedgerName {
    LedgerName::new("test", "limit")
}

fn renewal(node: &str, seq: u64, claim: u32, want: u32) -> Renewal {
    Renewal { node: NodeId(node.into()), seq, claim, running: claim, want, limit: 10, token: 0 }
}

/// Lets `b` wait for a share until the ledger pushes.
async fn wait_behind(
    store: &MemoryStore,
    ledger: &LedgerName,
    pushes: &mut mpsc::Receiver<(LedgerName, Push)>,
) -> (LedgerName, Push) {
    for seq in 1.. {
        store.renew(ledger, &TIMES, &renewal("b#1", seq, 0, 4)).await.expect("an answer");
        if let Ok(push) = pushes.try_recv() {
            return push;
        }
        tokio::task::yield_now().await;
    }
    unreachable!("the ledger asks when its clock has moved");
}

#[tokio::test]
async fn a_node_gets_a_share_and_a_reader_sees_it() {
    let store = MemoryStore::new();
    let answer = store.renew(&name(), &TIMES, &renewal("a#1", 1, 0, 10)).await.expect("an answer");
    assert_eq!((answer.verdict, answer.seq, answer.share), (Verdict::Accepted, 1, 10));

    let other = LedgerName::new("other", "limit").with_key("k");
    store.renew(&other, &TIMES, &renewal("a#1", 1, 0, 1)).await.expect("an answer");
    let ledgers = store.read(Some("test")).await.expect("ledgers");
    assert_eq!(ledgers.len(), 1);
    let (read, view) = &ledgers[0];
    assert_eq!((read, view.limit, view.learning), (&name(), 10, false));
    assert_eq!((&view.nodes[0].id, view.nodes[0].share), (&NodeId("a#1".into()), 10));
    let names: Vec<_> =
        store.read(None).await.expect("ledgers").into_iter().map(|it| it.0).collect();
    assert_eq!(names, [other, name()]);
}

#[tokio::test]
async fn clones_are_one_store_and_pushes_reach_the_process_of_the_node() {
    let (a, b) = (MemoryStore::new(), MemoryStore::new());
    let store = a.clone();
    let (sender, mut pushes) = mpsc::channel(8);
    let (other, mut elsewhere) = mpsc::channel(8);
    assert!(a.open("a", sender).await.expect("open").is_empty());
    a.open("b", other.clone()).await.expect("open");
    b.open("a", other).await.expect("open");

    store.renew(&name(), &TIMES, &renewal("a#1", 1, 0, 10)).await.expect("an answer");
    let push = wait_behind(&store, &name(), &mut pushes).await;
    let expected = Push { node: NodeId("a#1".into()), seq: 1, share: None, token: 0 };
    assert_eq!(push, (name(), expected));
    assert!(elsewhere.try_recv().is_err(), "neither the other process nor the other store gets it");
}

#[tokio::test]
async fn a_full_channel_drops_pushes_and_a_closed_one_is_forgotten() {
    let store = MemoryStore::new();
    let (small, mut dropping) = mpsc::channel(1);
    let (large, mut pushes) = mpsc::channel(8);
    store.open("a", small).await.expect("open");
    store.open("a", large).await.expect("open");
    let other = name().with_key("k");
    for ledger in [name(), other.clone()] {
        store.renew(&ledger, &TIMES, &renewal("a#1", 1, 0, 10)).await.expect("an answer");
        assert_eq!(wait_behind(&store, &ledger, &mut pushes).await.0, ledger);
    }
    assert_eq!(dropping.try_recv().expect("the first").0, name());
    assert!(dropping.try_recv().is_err(), "the second was dropped");
    drop((dropping, pushes));
    store.renew(&other, &TIMES, &renewal("b#1", u64::MAX, 0, 4)).await.expect("an answer");
}

#[tokio::test]
async fn an_unreachable_store_answers_nothing_until_it_is_back() {
    let store = MemoryStore::new();
    store.set_reachable(false);
    let error = store.renew(&name(), &TIMES, &renewal("a#1", 1, 0, 1)).await.expect_err("an error");
    assert_eq!(error.kind(), StoreErrorKind::Unreachable);
    assert_eq!(store.read(None).await.expect_err("an error").kind(), StoreErrorKind::Unreachable);
    let error = store.open("a", mpsc::channel(1).0).await.expect_err("an error");
    assert_eq!(error.kind(), StoreErrorKind::Unreachable);

    store.set_reachable(true);
    let answer = store.renew(&name(), &TIMES, &renewal("a#1", 2, 0, 1)).await.expect("an answer");
    assert!(answer.share >= 1, "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_store_executes_a_message_and_loses_an_answer_that_is_too_late() {
    let store = MemoryStore::new();
    store.set_delay(attempt_timeout(&TIMES));
    store.renew(&name(), &TIMES, &renewal("a#1", 1, 0, 1)).await.expect("an answer in time");
    store.set_delay(attempt_timeout(&TIMES) + Duration::from_micros(1));
    let error = store.renew(&name(), &TIMES, &renewal("a#1", 2, 1, 7)).await.expect_err("too late");
    assert_eq!(error.kind(), StoreErrorKind::TimedOut);
    let ledgers = store.read(None).await.expect("ledgers");
    assert_eq!(ledgers[0].1.nodes[0].want, 7, "it was executed");
}

#[tokio::test]
async fn a_store_that_restarts_learns_before_it_grants() {
    let store = MemoryStore::new();
    store.renew(&name(), &TIMES, &renewal("a#1", 1, 0, 6)).await.expect("an answer");
    store.restart();
    assert!(store.read(None).await.expect("ledgers").is_empty());
    let answer = store.renew(&name(), &TIMES, &renewal("b#1", 1, 0, 4)).await.expect("an answer");
    assert_eq!((answer.learning, answer.share), (true, 0));
    let answer = store.renew(&name(), &TIMES, &renewal("a#1", 2, 6, 6)).await.expect("an answer");
    assert_eq!((answer.learning, answer.share), (true, 6));
}

#[test]
fn an_attempt_waits_for_a_third_of_the_lease_and_no_longer_than_two_seconds() {
    assert_eq!(attempt_timeout(&TIMES), Duration::from_secs(2));
    assert_eq!(attempt_timeout(&Times { ttl: 3_000_000, hold: 9 }), Duration::from_secs(1));
    assert_eq!(attempt_timeout(&Times { ttl: 60_000_000, hold: 0 }), Duration::from_secs(2));
}
