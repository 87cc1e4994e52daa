//! Limits over a fleet with a limit for each key, with a store in memory.
//!
//! A process has one fleet at a time, so the tests take turns.

use std::sync::Arc;
use std::time::Duration;

use limit_fleet::message::{NodeId, Renewal, Times};
use limit_fleet::{Fleet, LeaseStore, LedgerName, MemoryStore};
use limit_runtime::{KeyedLimiter, Limiter, Permit, Rejected, Scope, concurrency_limit, find};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

static TURN: Mutex<()> = Mutex::const_new(());

/// The time after which a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A lease that is renewed every 0.25 s, and one that outlasts a test.
const SHORT: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(60);

async fn start(store: &MemoryStore, lease: Duration) -> (MutexGuard<'static, ()>, Fleet) {
    let turn = TURN.lock().await;
    let fleet = Fleet::on(store.clone()).namespace("test").lease(lease).start().await;
    (turn, fleet.expect("no other fleet is started"))
}

fn limiter(name: &str, limit: usize) -> Limiter {
    Limiter::named(name.to_owned(), limit).scope(Scope::Fleet)
}

async fn acquire(limiter: &KeyedLimiter, key: &str) -> Permit {
    timeout(PATIENCE, limiter.key(key.to_owned()).acquire()).await.expect("a permit")
}

/// Returns whether a call of the key waits.
async fn waits(limiter: &KeyedLimiter, key: &str) -> bool {
    timeout(Duration::from_millis(300), limiter.key(key.to_owned()).acquire()).await.is_err()
}

/// Takes permits of a ledger for another process with a long lease.
async fn take_elsewhere(store: &MemoryStore, ledger: &LedgerName, want: u32, limit: u32) {
    let times = Times { ttl: 60_000_000, hold: 0 };
    let node = NodeId("elsewhere#1".to_owned());
    let mut renewal = Renewal { node, seq: 0, claim: 0, running: 0, want, limit, token: 0 };
    until("permits elsewhere", async || {
        renewal.seq += 1;
        let answer = store.renew(ledger, &times, &renewal).await.expect("the store is reachable");
        renewal.claim = answer.share;
        renewal.running = answer.share;
        answer.share == want
    })
    .await;
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect(what);
}

#[tokio::test]
async fn each_key_has_a_ledger_of_its_own() {
    let store = MemoryStore::new();
    let (_turn, fleet) = start(&store, LONG).await;
    let tenants = limiter("tenants", 2).keyed();
    let acme = (acquire(&tenants, "acme").await, acquire(&tenants, "acme").await);
    assert!(acme.0.is_valid() && acme.1.is_valid());
    assert!(waits(&tenants, "acme").await, "the limit of the key is reached");
    drop(acquire(&tenants, "other").await);
    let ledger = LedgerName::new("test", "tenants").with_key("acme");
    let view = store.find(&ledger).await.expect("reachable").expect("the key has a ledger");
    assert_eq!(view.limit, 2);
    drop(acme);
    fleet.stop().await;
}

#[tokio::test]
async fn what_another_process_holds_of_a_key_is_not_free_here() {
    let store = MemoryStore::new();
    let (_turn, fleet) = start(&store, LONG).await;
    let tenants = limiter("parted", 3).keyed();
    let ledger = LedgerName::new("test", "parted").with_key("acme");
    let permit = acquire(&tenants, "acme").await;
    // The process has the others as a spare, and gives them back when it is asked.
    take_elsewhere(&store, &ledger, 2, 3).await;
    assert!(waits(&tenants, "acme").await, "two are out elsewhere");
    drop((acquire(&tenants, "else").await, acquire(&tenants, "else").await));
    drop(permit);
    fleet.stop().await;
}

#[tokio::test]
async fn the_ledger_of_an_idle_key_is_gone() {
    let store = MemoryStore::new();
    let (_turn, fleet) = start(&store, SHORT).await;
    let tenants = limiter("idle", 2).keyed();
    for number in 0..50 {
        drop(acquire(&tenants, &format!("key {number}")).await);
    }
    until("the ledgers are deleted", async || {
        store.read(Some("test")).await.expect("reachable").is_empty()
    })
    .await;
    until("the keys are forgotten", async || tenants.snapshot().total.keys == 0).await;
    drop(acquire(&tenants, "key 7").await);
    fleet.stop().await;
}

#[tokio::test]
async fn a_total_is_a_ledger_for_all_keys() {
    let store = MemoryStore::new();
    let (_turn, fleet) = start(&store, LONG).await;
    let tenants = Arc::new(limiter("total", 2).keyed().total(3));
    let held =
        (acquire(&tenants, "a").await, acquire(&tenants, "b").await, acquire(&tenants, "c").await);
    assert!(waits(&tenants, "d").await, "the total is reached");
    let ledger = LedgerName::new("test", "total");
    let view = store.find(&ledger).await.expect("reachable").expect("the total has a ledger");
    assert_eq!((view.limit, view.nodes[0].share), (3, 3));
    let same = Arc::clone(&tenants);
    let waiting = tokio::spawn(async move { acquire(&same, "d").await });
    drop(held.0);
    let permit = timeout(PATIENCE, waiting).await.expect("a permit").expect("no panic");
    assert!(permit.is_valid());
    drop((held.1, held.2, permit));
    fleet.stop().await;
}

#[derive(Debug)]
struct Tenant(u32);

impl std::fmt::Display for Tenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "tenant/{}", self.0)
    }
}

#[concurrency_limit(2, scope = fleet, name = "attribute", key = tenant, total = 10, max_waiting = 5)]
async fn report(tenant: Tenant) -> Result<u32, Rejected> {
    Ok(tenant.0)
}

#[tokio::test]
async fn the_attribute_names_a_ledger_by_the_text_of_the_key() {
    let store = MemoryStore::new();
    let (_turn, fleet) = start(&store, LONG).await;
    assert_eq!(report(Tenant(7)).await.expect("a permit"), 7);
    let ledger = LedgerName::new("test", "attribute").with_key("tenant/7");
    assert!(store.find(&ledger).await.expect("reachable").is_some());
    let figures = find("attribute").expect("it is used").fleet().expect("a fleet is started");
    let keys: Vec<_> = figures.ledgers.iter().map(|ledger| ledger.key.as_deref()).collect();
    assert!(keys.contains(&Some("tenant/7")) && keys.contains(&None), "{keys:?}");
    fleet.stop().await;
}
