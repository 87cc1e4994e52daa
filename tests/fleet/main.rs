//! Limiters with fleet scope and an agent (feature `fleet`).
//!
//! There is one agent in a process. This one counts how often it was woken for each limiter, and the
//! tests themselves grant and lapse. A test that stops the fleet runs alone.

mod admission;
mod agent;
mod attribute;
mod display;
mod keys;
mod permits;
mod unavailable;
mod unclaimed;
mod waking;

use limit_runtime::fleet::{self, Agent, Lease};
use limit_runtime::{Admission, FleetFigures, Limiter, LimiterHandle, Scope, find};
use std::collections::HashMap;
use std::sync::{
    Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use std::time::Duration;

/// An agent that only counts.
#[derive(Debug, Default)]
struct Counting {
    woken: Mutex<HashMap<String, usize>>,
    figures: Mutex<HashMap<String, FleetFigures>>,
}

impl Counting {
    fn woken(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Agent for Counting {
    fn wake(&self, limiter: &LimiterHandle) {
        *self.woken().entry(limiter.name().to_owned()).or_default() += 1;
    }

    fn figures(&self, limiter: &str) -> Option<FleetFigures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner).get(limiter).cloned()
    }
}

static AGENT: LazyLock<Arc<Counting>> = LazyLock::new(|| {
    let agent = Arc::<Counting>::default();
    fleet::start(Arc::clone(&agent) as Arc<dyn Agent>).expect("it is the first");
    agent
});

static TURNS: RwLock<()> = RwLock::new(());

/// Runs beside other tests, with the fleet started.
fn started() -> RwLockReadGuard<'static, ()> {
    let turn = TURNS.read().unwrap_or_else(PoisonError::into_inner);
    LazyLock::force(&AGENT);
    turn
}

/// Runs alone, with the fleet started, and may stop it.
fn alone() -> RwLockWriteGuard<'static, ()> {
    let turn = TURNS.write().unwrap_or_else(PoisonError::into_inner);
    LazyLock::force(&AGENT);
    turn
}

/// Returns how often the agent was woken for a limiter since the last time.
fn take_woken(limiter: &str) -> usize {
    AGENT.woken().remove(limiter).unwrap_or(0)
}

fn limiter(name: &'static str, limit: usize) -> Limiter {
    Limiter::new(name, limit).scope(Scope::Fleet)
}

/// Uses the limiter for the first time. Returns its lease.
fn use_first<E: Admission>(limiter: &Limiter<E>) -> Lease {
    drop(limiter.try_acquire());
    let lease = lease(limiter);
    let _ = lease.load();
    take_woken(limiter.name());
    lease
}

fn lease<E: Admission, K>(limiter: &Limiter<E, K>) -> Lease {
    lease_of(limiter.name())
}

/// Returns the only lease of a limiter.
fn lease_of(limiter: &str) -> Lease {
    let mut leases = find(limiter).expect("it is in use").leases();
    assert_eq!(leases.len(), 1);
    leases.remove(0)
}

/// Grants until a time that does not come.
fn grant(lease: &Lease, permits: u32) {
    lease.grant(permits, fleet::now() + Duration::from_secs(1_000_000), None);
}

/// Grants until a time that has passed, as if the agent's thread did not run.
fn grant_too_late(lease: &Lease, permits: u32) {
    lease.grant(permits, Duration::ZERO, None);
}
