//! The figures in snapshots and readings.

use crate::{Joined, TIMES, ledger, limiter, message};
use limit_fleet::ledger::View;
use limit_fleet::message::{Answer, Push, Renewal, Times};
use limit_fleet::{LeaseStore, LedgerName, MemoryStore, StoreError};
use limit_runtime::{LedgerFigures, find, inspect};
use limit_tests::watchdog::until;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

#[test]
fn a_snapshot_says_who_has_which_share() {
    let store = MemoryStore::new();
    let joined = Joined::to(store.clone());
    let limiter = limiter("figures-shares", 4);
    let held = [limiter.blocking_acquire(), limiter.blocking_acquire()];
    let mut seq = 0;
    let mut members = Vec::new();
    until("both are known, and what runs", || {
        seq += 1;
        joined.say(&store, "figures-shares", &TIMES, &Renewal { seq, ..message(1, 4) });
        members = ledger("figures-shares").unwrap_or_default().members;
        members.len() == 2 && members.iter().any(|it| it.here && it.running == 2)
    });
    let (here, others): (Vec<_>, Vec<_>) = members.into_iter().partition(|member| member.here);
    assert_eq!((here.len(), others.len()), (1, 1));
    assert!(here[0].node.starts_with(joined.process()), "{here:?}");
    assert_eq!(others[0].node, "web-2/7/0000000000000001#1");
    assert_eq!((others[0].running, others[0].want), (0, 1));
    assert!(others[0].share > 0);

    let LedgerFigures { limit, limit_here, nodes, lease_left, renewals, .. } =
        ledger("figures-shares").expect("it is in use");
    assert_eq!((limit, limit_here, nodes), (4, 4, 2));
    assert!(lease_left.is_some_and(|left| !left.is_zero()));
    assert!(renewals.granted > 0);
    drop(held);
}

#[test]
fn a_lease_that_is_over_is_not_shown() {
    let store = MemoryStore::new();
    let _joined = Joined::to(store.clone());
    let limiter = limiter("figures-over", 4);
    let held = limiter.blocking_acquire();
    assert!(held.is_valid());
    store.set_reachable(false);
    until("the lease is over", || !held.is_valid());
    until("it is shown", || {
        let ledger = ledger("figures-over").expect("it is in use");
        (ledger.lease_left, ledger.share) == (None, 0) && ledger.renewals.failed > 0
    });
}

/// A store that counts how often somebody asks for the members of a ledger.
struct Counting {
    store: MemoryStore,
    asked: Arc<Mutex<HashMap<String, usize>>>,
}

impl LeaseStore for Counting {
    async fn renew(
        &self,
        ledger: &LedgerName,
        times: &Times,
        renewal: &Renewal,
    ) -> Result<Answer, StoreError> {
        self.store.renew(ledger, times, renewal).await
    }

    async fn open(
        &self,
        process: &str,
        pushes: mpsc::Sender<(LedgerName, Push)>,
    ) -> Result<Vec<String>, StoreError> {
        self.store.open(process, pushes).await
    }

    async fn find(&self, ledger: &LedgerName) -> Result<Option<View>, StoreError> {
        *self.asked.lock().expect("no panic").entry(ledger.limiter.clone()).or_default() += 1;
        self.store.find(ledger).await
    }

    async fn read(&self, namespace: Option<&str>) -> Result<Vec<(LedgerName, View)>, StoreError> {
        self.store.read(namespace).await
    }
}

#[test]
fn exporters_and_pages_that_read_all_limiters_ask_for_no_members() {
    let asked = Arc::<Mutex<HashMap<String, usize>>>::default();
    let _joined = Joined::to(Counting { store: MemoryStore::new(), asked: Arc::clone(&asked) });
    let (seen, unseen) = (limiter("figures-seen", 4), limiter("figures-unseen", 4));
    let _held = [seen.blocking_acquire(), unseen.blocking_acquire()];
    let handle = find("figures-unseen").expect("it is in use");
    let count = |name: &str| asked.lock().expect("no panic").get(name).copied().unwrap_or(0);
    until("members are asked for twice", || {
        let reading = inspect::read(&handle);
        let unseen = &reading.fleet.expect("it is in a fleet").ledgers[0];
        assert_eq!((unseen.limit_here, unseen.members.len()), (4, 0));
        ledger("figures-seen").is_some() && count("figures-seen") >= 2
    });
    assert_eq!(count("figures-unseen"), 0);
}
