//! A store in this process, for tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;

use crate::ledger::{Ledger, View};
use crate::message::{Answer, Push, Renewal, Server, Times};
use crate::store::attempt_timeout;
use crate::{LeaseStore, LedgerName, StoreError, StoreErrorKind};

/// A store that keeps its ledgers in this process, for tests.
///
/// Its ledgers run the same model as those on a server. Clones share the ledgers, so a test can keep one and read
/// them, or play another process with messages of its own. A test can make the store
/// [unreachable](Self::set_reachable), [slow](Self::set_delay), or let it [lose all ledgers](Self::restart).
///
/// Leases are on the real clock, also in a test that pauses the clock of its runtime: an hour of that clock ends no
/// lease. The permits come from another thread, and while a test with a paused clock waits for that, tokio advances
/// the clock. So a time-out around the first call may elapse at once: take the first permit without one.
///
/// ```
/// use limit_fleet::message::{NodeId, Renewal, Times};
/// use limit_fleet::{LeaseStore, LedgerName, MemoryStore, StoreErrorKind};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), limit_fleet::StoreError> {
/// let store = MemoryStore::new();
/// let ledger = LedgerName::new("billing", "orders-db");
/// let times = Times { ttl: 6_000_000, hold: 0 };
/// let mut renewal = Renewal {
///     node: NodeId("web-1#1".into()),
///     seq: 1,
///     claim: 0,
///     running: 0,
///     want: 3,
///     limit: 10,
///     token: 0,
/// };
/// let answer = store.renew(&ledger, &times, &renewal).await?;
/// assert!(answer.share >= 3);
///
/// store.set_reachable(false);
/// renewal.seq = 2;
/// let error = store.renew(&ledger, &times, &renewal).await.unwrap_err();
/// assert_eq!(error.kind(), StoreErrorKind::Unreachable);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    ledgers: BTreeMap<LedgerName, Option<Ledger>>,
    subscribers: Vec<Subscriber>,
    reachable: bool,
    delay: Duration,
    /// The time between 1970 and `made`.
    epoch: Duration,
    made: Instant,
    started: Instant,
    /// The time for which the store seemed to be up when it was started.
    uptime: Duration,
    starts: u64,
}

#[derive(Clone, Debug)]
struct Subscriber {
    process: String,
    pushes: mpsc::Sender<(LedgerName, Push)>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            ledgers: BTreeMap::new(),
            subscribers: Vec::new(),
            reachable: true,
            delay: Duration::ZERO,
            epoch: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            made: Instant::now(),
            started: Instant::now(),
            // A server that has been up for long: the ledgers of a new store grant at once.
            uptime: Duration::from_secs(24 * 60 * 60),
            starts: 1,
        }
    }
}

impl State {
    /// Returns what a ledger sees of this store.
    fn server(&self) -> Server {
        Server {
            // A clock that is never set, so that tests do not depend on the one of their machine.
            now: micros(self.epoch + self.made.elapsed()),
            uptime: micros(self.uptime + self.started.elapsed()),
            replid: format!("{:040x}", self.starts),
            promoted: false,
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl MemoryStore {
    /// Makes a store without ledgers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the store reachable or not. While it is not, each call fails at once and nothing is pushed.
    pub fn set_reachable(&self, reachable: bool) {
        self.lock().reachable = reachable;
    }

    /// Lets each answer come later by `delay`. A message is executed at once.
    ///
    /// An answer that is later than [`attempt_timeout`] is lost.
    pub fn set_delay(&self, delay: Duration) {
        self.lock().delay = delay;
    }

    /// Restarts the store without its ledgers, as a server that keeps nothing on disk.
    ///
    /// Subscriptions stay. The new ledgers *learn*: they grant nothing for the time of one lease.
    pub fn restart(&self) {
        let mut state = self.lock();
        state.ledgers.clear();
        state.started = Instant::now();
        state.uptime = Duration::ZERO;
        state.starts += 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No foreign code runs under the lock, so the state is whole even after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Executes a message. Returns its answer, the delay of the answer, and the pushes with those who get them.
    #[expect(clippy::type_complexity, reason = "it is taken apart at once")]
    fn execute(
        &self,
        ledger: &LedgerName,
        times: &Times,
        renewal: &Renewal,
    ) -> Result<(Answer, Duration, Vec<(Subscriber, Push)>), StoreError> {
        let mut state = self.lock();
        check_reachable(&state)?;
        let server = state.server();
        let mut slot = state.ledgers.remove(ledger).flatten();
        let outcome = Ledger::renew(&mut slot, times, &server, renewal);
        if slot.is_some() {
            state.ledgers.insert(ledger.clone(), slot);
        }
        state.subscribers.retain(|subscriber| !subscriber.pushes.is_closed());
        let mut pushes = Vec::new();
        for push in outcome.pushes {
            let of = |subscriber: &&Subscriber| subscriber.process == push.node.process();
            let subscribers: Vec<_> = state.subscribers.iter().filter(of).cloned().collect();
            pushes.extend(subscribers.into_iter().map(|subscriber| (subscriber, push.clone())));
        }
        Ok((outcome.answer, state.delay, pushes))
    }
}

fn check_reachable(state: &State) -> Result<(), StoreError> {
    if state.reachable {
        return Ok(());
    }
    Err(StoreError::new(
        StoreErrorKind::Unreachable,
        "the store in memory is not reachable: a test has called set_reachable(false)",
    ))
}

impl LeaseStore for MemoryStore {
    async fn renew(
        &self,
        ledger: &LedgerName,
        times: &Times,
        renewal: &Renewal,
    ) -> Result<Answer, StoreError> {
        let (answer, delay, pushes) = self.execute(ledger, times, renewal)?;
        // After unlocking: a send wakes the receiver.
        for (subscriber, push) in pushes {
            // A full channel drops the push, as the trait says.
            let _ = subscriber.pushes.try_send((ledger.clone(), push));
        }
        if delay.is_zero() {
            return Ok(answer);
        }
        let timeout = attempt_timeout(times);
        tokio::time::sleep(delay.min(timeout)).await;
        if delay > timeout {
            let message = format!("the store in memory did not answer within {timeout:?}");
            return Err(StoreError::new(StoreErrorKind::TimedOut, message));
        }
        Ok(answer)
    }

    async fn open(
        &self,
        process: &str,
        pushes: mpsc::Sender<(LedgerName, Push)>,
    ) -> Result<Vec<String>, StoreError> {
        let mut state = self.lock();
        check_reachable(&state)?;
        state.subscribers.push(Subscriber { process: process.to_owned(), pushes });
        Ok(Vec::new())
    }

    async fn find(&self, ledger: &LedgerName) -> Result<Option<View>, StoreError> {
        let state = self.lock();
        check_reachable(&state)?;
        Ok(state.ledgers.get(ledger).and_then(|it| it.as_ref()).map(Ledger::view))
    }

    async fn read(&self, namespace: Option<&str>) -> Result<Vec<(LedgerName, View)>, StoreError> {
        let state = self.lock();
        check_reachable(&state)?;
        let wanted = |name: &LedgerName| namespace.is_none_or(|it| name.namespace == it);
        let ledgers = state.ledgers.iter().filter(|(name, _)| wanted(name));
        Ok(ledgers.filter_map(|(name, it)| Some((name.clone(), it.as_ref()?.view()))).collect())
    }
}
