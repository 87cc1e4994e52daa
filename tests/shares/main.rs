//! A process in a fleet: what it shows, what it warns of, and what it logs.
//!
//! The store is in memory, and the tests speak for the other processes. (Features `fleet`, `inspect` and `tracing`.)

mod figures;
mod log;
mod warnings;

use limit_fleet::message::{Answer, NodeId, Renewal, Times};
use limit_fleet::{Fleet, LeaseStore, LedgerName, MemoryStore};
use limit_runtime::{LedgerFigures, Limiter, Scope, find};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;

/// A short lease, so that the process speaks often.
const LEASE: Duration = Duration::from_secs(1);
const TIMES: Times = Times { ttl: 1_000_000, hold: 0 };

/// The fleet of this process. There is one at a time, so each test waits for its turn.
struct Joined {
    fleet: Option<Fleet>,
    runtime: Runtime,
    _turn: MutexGuard<'static, ()>,
}

impl Joined {
    fn to<S: LeaseStore>(store: S) -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        log::listen();
        let runtime = limit_tests::runtimes::one_thread();
        let fleet = runtime.block_on(Fleet::on(store).lease(LEASE).start());
        Self { fleet: Some(fleet.expect("it is the only one")), runtime, _turn: turn }
    }

    fn process(&self) -> &str {
        self.fleet.as_ref().expect("it has not left").process()
    }

    fn leave(&mut self) {
        drop(self.fleet.take());
    }

    /// Says something to a ledger for another process.
    fn say(&self, store: &MemoryStore, limiter: &str, times: &Times, message: &Renewal) -> Answer {
        let ledger = LedgerName::new("default", limiter);
        let answer = self.runtime.block_on(store.renew(&ledger, times, message));
        answer.expect("the store is reachable")
    }
}

/// Makes a message of another process, which runs nothing and wants so many permits.
fn message(want: u32, limit: u32) -> Renewal {
    let node = NodeId("web-2/7/0000000000000001#1".to_owned());
    Renewal { node, seq: 1, claim: 0, running: 0, want, limit, token: 0 }
}

fn limiter(name: &'static str, limit: usize) -> Limiter {
    Limiter::new(name, limit).scope(Scope::Fleet)
}

/// Returns what this process knows of the ledger of a limiter.
fn ledger(name: &str) -> Option<LedgerFigures> {
    find(name)?.snapshot().fleet?.ledgers.into_iter().next()
}
