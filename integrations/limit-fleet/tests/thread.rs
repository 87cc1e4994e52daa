//! The thread of a fleet, with a store in memory.
//!
//! A process has one fleet at a time, so the tests take turns.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use limit_fleet::message::{NodeId, Renewal, Times};
use limit_fleet::{Fleet, LeaseStore, LedgerName, MemoryStore};
use limit_runtime::{Limiter, OnUnavailable, RejectedKind, Scope};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

static TURN: Mutex<()> = Mutex::const_new(());

/// The time after which a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A lease of which a renewal is due every 20 s, and a time that is shorter.
const LONG: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(10);

async fn start(store: &MemoryStore) -> (MutexGuard<'static, ()>, Fleet) {
    let turn = TURN.lock().await;
    let fleet = Fleet::on(store.clone()).namespace("test").start().await;
    (turn, fleet.expect("no other fleet is started"))
}

fn limiter(name: &str, limit: usize) -> Limiter {
    Limiter::named(name.to_owned(), limit).scope(Scope::Fleet)
}

async fn acquire(limiter: &Limiter) -> limit_runtime::Permit {
    timeout(PATIENCE, limiter.acquire()).await.expect("a permit")
}

/// Waits until the ledger has given this many permits away, or has been deleted.
async fn until_shared(store: &MemoryStore, ledger: &LedgerName, permits: u32) {
    let shared = async {
        loop {
            let view = store.find(ledger).await.expect("the store is reachable");
            let shares = view.iter().flat_map(|view| &view.nodes).map(|node| node.share);
            if shares.sum::<u32>() == permits {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, shared).await.expect("the shares");
}

#[tokio::test]
async fn a_limiter_of_the_name_of_a_dropped_one_gets_permits() {
    let store = MemoryStore::new();
    let (_turn, fleet) = start(&store).await;
    for _ in 0..3 {
        let limiter = limiter("made anew", 2);
        let permits = (acquire(&limiter).await, acquire(&limiter).await);
        assert!(permits.0.is_valid());
    }
    fleet.stop().await;
}

#[tokio::test]
async fn the_share_of_a_dropped_limiter_comes_back() {
    let store = MemoryStore::new();
    let (_turn, fleet) = start(&store).await;
    let dropped = limiter("dropped", 2);
    drop((acquire(&dropped).await, acquire(&dropped).await));
    drop(dropped);
    until_shared(&store, &LedgerName::new("test", "dropped"), 0).await;
    fleet.stop().await;
}

#[tokio::test]
async fn limiters_of_one_name_share_their_limit_in_one_process() {
    let store = MemoryStore::new();
    let (_turn, fleet) = start(&store).await;
    let (one, other) = (limiter("twice", 2), limiter("twice", 2));
    let permits = (acquire(&one).await, acquire(&one).await);
    let waits = timeout(Duration::from_millis(300), other.acquire()).await;
    assert!(waits.is_err(), "the limit is reached");
    let waiting = other.acquire();
    drop(permits);
    drop(timeout(PATIENCE, waiting).await.expect("a permit"));
    fleet.stop().await;
}

#[tokio::test]
async fn the_fleet_says_what_becomes_of_calls_of_limiters_that_do_not_say_it() {
    let _turn = TURN.lock().await;
    let store = MemoryStore::new();
    store.set_reachable(false);
    let fleet = Fleet::on(store.clone()).lazily().on_unavailable(OnUnavailable::Local(1));
    let fleet = fleet.start().await.expect("it starts all the same");
    let (silent, refuses) = (limiter("silent", 9), limiter("refuses", 9).max_waiting(9));
    let refuses = refuses.on_unavailable(OnUnavailable::Refuse);
    let permit = acquire(&silent).await;
    assert!(!permit.is_valid());
    assert!(silent.try_acquire().is_err(), "one of its own");
    let rejected = timeout(PATIENCE, refuses.acquire()).await.expect("an answer").unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::Unavailable);
    store.set_reachable(true);
    assert!(timeout(PATIENCE, refuses.acquire()).await.is_ok());
    drop(permit);
    fleet.stop().await;
}

#[tokio::test]
async fn a_process_that_is_cut_off_has_no_more_permits_of_its_own_than_the_limit() {
    let _turn = TURN.lock().await;
    let store = MemoryStore::new();
    store.set_reachable(false);
    let fleet = Fleet::on(store.clone()).lazily().on_unavailable(OnUnavailable::Local(9));
    let fleet = fleet.start().await.expect("it starts all the same");
    let leader = limiter("leader", 1);
    let permit = acquire(&leader).await;
    assert!(leader.try_acquire().is_err(), "the limit is 1");
    leader.set_limit(2);
    drop(acquire(&leader).await);
    drop(permit);
    fleet.stop().await;
}

/// As a user would write it. The clock of the test is paused, and that of the fleet's thread is not.
#[tokio::test(start_paused = true)]
async fn a_test_with_a_paused_clock_gets_permits_and_loses_none() {
    let store = MemoryStore::new();
    let (_turn, fleet) = start(&store).await;
    let limiter = limiter("paused", 2);
    let one = limiter.acquire().await;
    let other = limiter.acquire().await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(one.is_valid() && other.is_valid(), "no hour has passed for the leases");
    let mut third = Box::pin(limiter.acquire());
    assert!(timeout(Duration::from_secs(60), &mut third).await.is_err(), "the limit is reached");
    drop(other);
    drop(third.await);
    fleet.stop().await;
}

/// Another process, as the test plays it.
struct Other {
    times: Times,
    renewal: Renewal,
}

impl Other {
    fn new(lease: Duration, limit: u32) -> Self {
        let ttl = u64::try_from(lease.as_micros()).expect("a lease");
        let node = NodeId("other#1".into());
        let renewal = Renewal { node, seq: 0, claim: 0, running: 0, want: 0, limit, token: 0 };
        Self { times: Times { ttl, hold: 0 }, renewal }
    }

    /// Asks for so many permits, and takes the answer.
    async fn renew(&mut self, store: &MemoryStore, ledger: &LedgerName, want: u32) -> u32 {
        self.renewal.seq += 1;
        self.renewal.want = want;
        self.renewal.claim = self.renewal.claim.min(want);
        let answer = store.renew(ledger, &self.times, &self.renewal).await.expect("an answer");
        self.renewal.claim = answer.share;
        answer.share
    }

    /// Asks until it has so many. That is before the fleet's process renews its lease.
    async fn renew_until_share(&mut self, store: &MemoryStore, ledger: &LedgerName, share: u32) {
        while self.renew(store, ledger, share).await < share {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn another_process_gets_what_the_process_gives_back() {
    let store = MemoryStore::new();
    let (_turn, fleet) = start(&store).await;
    let limiter = limiter("played", 2);
    let permits = (acquire(&limiter).await, acquire(&limiter).await);
    let ledger = LedgerName::new("test", "played");
    let mut other = Other::new(Duration::from_secs(6), 2);
    assert_eq!(other.renew(&store, &ledger, 1).await, 0);
    drop(permits);
    fleet.stop().await;
    assert_eq!(other.renew(&store, &ledger, 1).await, 1);
}

#[tokio::test]
async fn calls_beyond_the_share_are_told_to_the_ledger_at_once() {
    let _turn = TURN.lock().await;
    let store = MemoryStore::new();
    let fleet = Fleet::on(store.clone()).namespace("test").lease(LONG).start().await;
    let fleet = fleet.expect("no other fleet is started");
    let limiter = limiter("burst", 10);
    let mut permits = vec![acquire(&limiter).await];
    let ledger = LedgerName::new("test", "burst");
    let mut other = Other::new(LONG, 10);
    // The other asks for a half. This process keeps the other half, of which it needs one.
    timeout(SOON, other.renew_until_share(&store, &ledger, 5)).await.expect("a half");
    other.renew(&store, &ledger, 0).await;
    let burst = async {
        for _ in 0..9 {
            permits.push(limiter.acquire().await);
        }
    };
    timeout(SOON, burst).await.expect("not at the next renewal");
    drop(permits);
    fleet.stop().await;
}

#[tokio::test]
async fn a_fleet_that_started_without_its_store_hears_pushes_later() {
    let _turn = TURN.lock().await;
    let store = MemoryStore::new();
    store.set_reachable(false);
    let fleet = Fleet::on(store.clone()).namespace("test").lease(LONG).lazily().start().await;
    let fleet = fleet.expect("it starts all the same");
    store.set_reachable(true);
    let asked = async {
        for number in 0.. {
            let name = format!("lazy {number}");
            let limiter = limiter(&name, 10);
            drop(acquire(&limiter).await);
            // The process has all, and uses none. It is asked once to give some back, perhaps before it listens.
            let (ledger, mut other) = (LedgerName::new("test", &*name), Other::new(LONG, 10));
            let asks = other.renew_until_share(&store, &ledger, 5);
            if timeout(Duration::from_millis(500), asks).await.is_ok() {
                return;
            }
        }
    };
    timeout(SOON, asked).await.expect("a half");
    fleet.stop().await;
}

#[test]
fn a_fleet_may_be_kept_in_a_static_and_moved_between_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Fleet>();
}

#[tokio::test]
async fn a_changed_limit_is_told_to_the_ledger_at_once() {
    let _turn = TURN.lock().await;
    let store = MemoryStore::new();
    let fleet = Fleet::on(store.clone()).namespace("test").lease(LONG).start().await;
    let fleet = fleet.expect("no other fleet is started");
    let limiter = limiter("lowered", 10);
    let ledger = LedgerName::new("test", "lowered");
    let permit = acquire(&limiter).await;
    until_shared(&store, &ledger, 10).await;
    limiter.set_limit(2);
    timeout(SOON, until_shared(&store, &ledger, 2)).await.expect("not at the next renewal");
    let _other = acquire(&limiter).await;
    assert!(limiter.try_acquire().is_err(), "the limit is reached");
    drop(permit);
    fleet.stop().await;
}

#[tokio::test]
async fn an_idle_process_forgets_the_fleet_with_its_lease() {
    let _turn = TURN.lock().await;
    let store = MemoryStore::new();
    let lease = Duration::from_secs(1);
    let fleet = Fleet::on(store.clone()).namespace("test").lease(lease).start().await;
    let fleet = fleet.expect("no other fleet is started");
    let limiter = limiter("idle", 10);
    let ledger = LedgerName::new("test", "idle");
    // Another process runs calls, with another limit.
    let mut other = Other::new(lease, 4);
    other.renewal.running = 4;
    let figures = || limiter.snapshot().fleet.and_then(|mut fleet| fleet.ledgers.pop());
    for _ in 0..2 {
        let known = async {
            loop {
                other.renew(&store, &ledger, 4).await;
                let found = figures().filter(|it| it.in_use >= 4 && it.members.len() == 2);
                if let Some(figures) = found {
                    return figures;
                }
                // The call waits, for the other has all permits. That makes the process known to the ledger.
                let _ = timeout(Duration::from_millis(5), limiter.acquire()).await;
            }
        };
        let seen = timeout(PATIENCE, known).await.expect("both are known");
        assert_eq!((seen.limit, seen.limit_here, seen.nodes), (4, 10, 2));

        let forgotten = async {
            loop {
                if let Some(figures) = figures().filter(|it| it.nodes == 0) {
                    return figures;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let idle = timeout(PATIENCE, forgotten).await.expect("nothing is known");
        assert_eq!((idle.in_use, idle.queued, idle.share, idle.want, idle.target), (0, 0, 0, 0, 0));
        assert_eq!((idle.limit, idle.limit_here, idle.learning), (10, 10, false));
        assert_eq!((idle.lease_left, idle.members), (None, vec![]));
    }
    fleet.stop().await;
}

#[tokio::test]
async fn many_keys_that_come_together_get_their_permits() {
    let store = MemoryStore::new();
    let (_turn, fleet) = start(&store).await;
    let limiter = limiter("many", 1).keyed();
    let calls = (0..10_000).map(|key| {
        let limiter = &limiter;
        async move { limiter.key(key).acquire().await }
    });
    let permits = timeout(PATIENCE, futures_util::future::join_all(calls)).await;
    assert!(permits.expect("all of them").iter().all(limit_runtime::Permit::is_valid));
    fleet.stop().await;
}

#[test]
fn a_fleet_stops_while_calls_wait_on_all_threads_for_blocking_work() {
    let _turn = TURN.blocking_lock();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().max_blocking_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let limiter: &'static Limiter = Box::leak(Box::new(limiter("blocking", 1)));
    runtime.block_on(async {
        let fleet = Fleet::on(MemoryStore::new()).start().await.expect("no other is started");
        let _permit = acquire(limiter).await;
        tokio::task::spawn_blocking(|| drop(limiter.blocking_acquire()));
        while limiter.snapshot().total.waiting == 0 {
            tokio::task::yield_now().await;
        }
        timeout(PATIENCE, fleet.stop()).await.expect("the end");
    });
    runtime.shutdown_background();
}

#[tokio::test]
async fn a_waker_that_panics_does_not_end_the_lease_of_the_others() {
    struct Panics;
    impl std::task::Wake for Panics {
        fn wake(self: std::sync::Arc<Self>) {
            panic!("a waker panics");
        }
    }
    let _turn = TURN.lock().await;
    let store = MemoryStore::new();
    let fleet = Fleet::on(store.clone()).lease(Duration::from_secs(1)).start().await;
    let fleet = fleet.expect("no other fleet is started");
    let limiter = limiter("panics", 2);
    let mut woken = Box::pin(limiter.acquire());
    let waker = Waker::from(std::sync::Arc::new(Panics));
    assert!(woken.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let permit = acquire(&limiter).await;
    // Longer than the lease: it was renewed.
    let lost = timeout(Duration::from_secs(2), permit.lease_lost()).await;
    assert!(lost.is_err() && permit.is_valid());
    drop((woken, permit));
    fleet.stop().await;
}

#[test]
fn a_fleet_starts_and_stops_outside_of_tokio() {
    let _turn = TURN.blocking_lock();
    let mut context = Context::from_waker(Waker::noop());
    let mut fleet = pin!(async {
        let fleet = Fleet::on(MemoryStore::new()).start().await.expect("no other is started");
        fleet.stop().await;
    });
    while fleet.as_mut().poll(&mut context).is_pending() {
        std::thread::yield_now();
    }
}
