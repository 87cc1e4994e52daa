//! The fleet of the process: the agent that leases permits for limiters with fleet scope.
//!
//! There is one agent at a time. It is foreign code, so no lock is held while it is called. From its
//! start on, the semaphore of each such limiter is *leased*: it has no permits until the agent grants
//! some, also when the agent has stopped.

use super::environment::NO_FLEET;
use super::state::EngineState;
use super::{Engine, FollowUp, catalog};
use crate::metrics::FleetFigures;
use crate::policy::{MAX_LIMIT, Policy};
use crate::registry;
use crate::scope::{OnUnavailable, Scope};
use crate::semaphore::{KeySource, LeasingStart, Load, Semaphore, WakeList};
use crate::unwind::run_all_then_resume_panic;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::time::Duration;

/// The warning about a call after the end of the fleet.
const STOPPED_FLEET: &str = "the fleet was stopped, and calls still come: they get no permits; keep \
                             the fleet in a variable until the last call, as in `let _fleet = …`";

/// The agent, as the engine knows it.
pub(crate) trait LeaseAgent: Debug + Send + Sync {
    fn wake(&self, limiter: Arc<Engine>);
    fn figures(&self, limiter: &str) -> Option<FleetFigures>;
    #[cfg(feature = "inspect")]
    fn brief_figures(&self, limiter: &str) -> Option<FleetFigures>;
}

/// The fleet's state and its version: a number that grows with each start and stop.
struct Fleet {
    version: u64,
    agent: Option<Arc<dyn LeaseAgent>>,
}

static FLEET: Mutex<Fleet> = Mutex::new(Fleet { version: 0, agent: None });

fn lock() -> MutexGuard<'static, Fleet> {
    FLEET.lock().unwrap_or_else(PoisonError::into_inner)
}

fn agent() -> Option<Arc<dyn LeaseAgent>> {
    lock().agent.clone()
}

/// Starts the fleet. Returns `false` and changes nothing if there is one.
pub(crate) fn start(agent: Arc<dyn LeaseAgent>) -> bool {
    set_agent(Some(agent))
}

/// Stops the fleet, if there is one.
pub(crate) fn stop() {
    set_agent(None);
}

fn set_agent(agent: Option<Arc<dyn LeaseAgent>>) -> bool {
    let mut fleet = lock();
    if fleet.agent.is_some() == agent.is_some() {
        return false;
    }
    fleet.version += 1;
    // Dropped after unlocking: it is foreign code.
    let former = std::mem::replace(&mut fleet.agent, agent);
    drop(fleet);
    run_all_then_resume_panic(catalog::all(), |engine| engine.follow_fleet());
    drop(former);
    true
}

/// Wakes the agent for the limiter with an index. The waker of a semaphore may outlive the limiter. So
/// the next one with its index may be told of nothing, which does no harm.
struct Teller {
    index: usize,
}

impl Wake for Teller {
    fn wake(self: Arc<Self>) {
        let Some(engine) = catalog::at_index(self.index) else { return };
        match agent() {
            Some(agent) => agent.wake(engine),
            None => engine.note_stopped_fleet(),
        }
    }
}

impl Engine {
    /// Returns the limit and the total to which the process's semaphore is to be bound: none of the
    /// permits if they are leased. With keys each has a share, and the limit is only shown.
    pub(super) fn limits_to_bind(
        &self,
        state: &mut EngineState,
        semaphore: &Semaphore,
        (limit, total): (u32, u32),
    ) -> (u32, u32) {
        if self.definition.scope != Scope::Fleet {
            return (limit, total);
        }
        let wakers = self.lease_under(state, semaphore);
        debug_assert!(
            wakers.as_ref().is_none_or(WakeList::is_empty),
            "nobody waits for an unbound lease"
        );
        match (state.is_leased(), self.definition.policy.keyed) {
            (false, _) => (limit, total),
            (true, false) => (0, total),
            (true, true) => (limit, if total < MAX_LIMIT { 0 } else { total }),
        }
    }

    /// Makes the semaphore a leased one, if the fleet was started, or has changed since.
    fn lease_under(&self, state: &mut EngineState, semaphore: &Semaphore) -> Option<WakeList> {
        let fleet = lock();
        if state.fleet == fleet.version {
            return None;
        }
        state.fleet = fleet.version;
        let has_agent = fleet.agent.is_some();
        drop(fleet);
        state.forget_warnings(|warning| {
            warning.text.starts_with(NO_FLEET) || warning.text == STOPPED_FLEET
        });
        let Policy { keyed, total, .. } = self.definition.policy;
        let start = LeasingStart {
            has_whole: !keyed || state.total.unwrap_or(total) < MAX_LIMIT,
            has_agent,
            unavailable: !has_agent && self.definition.fallible,
        };
        let agent = Waker::from(Arc::new(Teller { index: self.index }));
        Some(semaphore.begin_leasing(&agent, start))
    }

    /// Notes that a call wants a permit while the fleet is stopped.
    fn note_stopped_fleet(&self) {
        let is_leased = self.definition.scope == Scope::Fleet
            && self.state_in_use().is_some_and(|state| state.is_leased());
        if is_leased {
            self.note_of_fleet(STOPPED_FLEET.to_owned());
            self.log();
        }
    }

    /// Follows a start or a stop of the fleet.
    fn follow_fleet(&self) {
        if self.definition.scope != Scope::Fleet {
            return;
        }
        let Some(mut state) = self.state_in_use() else { return };
        if state.bound.is_none() {
            // The binding follows the fleet.
            return;
        }
        let semaphore = self.leased_semaphore();
        let wakers = self.lease_under(&mut state, semaphore);
        drop(state);
        if let Some(wakers) = wakers {
            follow_up(wakers, semaphore);
        }
    }

    fn leased_semaphore(&self) -> &'static Semaphore {
        registry::process().semaphore(self.index)
    }

    /// Returns whether the limiter as a whole has a lease, and the keys that have one. With `told`, only
    /// those of which the agent was told and has not looked at since.
    pub(crate) fn leases(&self, told: bool) -> (bool, Vec<String>) {
        if self.definition.scope != Scope::Fleet {
            return (false, Vec::new());
        }
        let state = self.state_in_use();
        state.map_or_else(Default::default, |_state| self.leased_semaphore().leases(told))
    }

    /// Returns the limit that this process wants: of each key, or of the limiter as a whole.
    pub(crate) fn limit_wanted(&self, key: Option<&dyn KeySource>) -> Option<u32> {
        let state = self.state();
        let Policy { keyed, total, .. } = self.definition.policy;
        if keyed && key.is_none() {
            Some(state.total.unwrap_or(total))
        } else {
            self.known_limit(&state)
        }
    }

    pub(crate) fn on_unavailable(&self) -> Option<OnUnavailable> {
        self.definition.on_unavailable
    }

    pub(crate) fn load(&self, key: Option<&dyn KeySource>, most: Option<u32>) -> Load {
        let state = self.state_in_use();
        state.map_or_else(Load::default, |_state| self.leased_semaphore().load(key, most))
    }

    pub(crate) fn grant(
        &self,
        key: Option<&dyn KeySource>,
        permits: u32,
        deadline: Duration,
        token: Option<u64>,
    ) {
        self.change_lease(|semaphore| semaphore.grant(key, permits, deadline, token));
    }

    pub(crate) fn lapse(&self, key: Option<&dyn KeySource>) {
        self.change_lease(|semaphore| semaphore.lapse(key));
    }

    pub(crate) fn allow(&self, key: Option<&dyn KeySource>, permits: u32) {
        self.change_lease(|semaphore| semaphore.allow(key, permits));
    }

    /// Does nothing for a limiter whose calls cannot be refused.
    pub(crate) fn set_unavailable(&self, key: Option<&dyn KeySource>, unavailable: bool) {
        if self.definition.fallible {
            self.change_lease(|semaphore| semaphore.set_unavailable(key, unavailable));
        }
    }

    /// Gives up the lease of a key that nobody uses. Returns whether it did.
    pub(crate) fn release_lease(&self, key: &dyn KeySource) -> bool {
        let state = self.state_in_use();
        state.is_none_or(|_state| self.leased_semaphore().release_lease(key))
    }

    fn change_lease(&self, change: impl FnOnce(&Semaphore) -> WakeList) {
        // The limiter cannot be dropped meanwhile, so the semaphore is its own.
        let Some(state) = self.state_in_use() else { return };
        let semaphore = self.leased_semaphore();
        let wakers = change(semaphore);
        drop(state);
        follow_up(wakers, semaphore);
    }

    /// Returns what the agent knows of the limiter. It calls foreign code, so no lock may be held.
    pub(crate) fn fleet_figures(&self) -> Option<FleetFigures> {
        if self.definition.scope != Scope::Fleet {
            return None;
        }
        agent()?.figures(&self.name)
    }

    /// Returns the same without members, which may cost the agent a question to its store.
    #[cfg(feature = "inspect")]
    pub(super) fn brief_fleet_figures(&self) -> Option<FleetFigures> {
        if self.definition.scope != Scope::Fleet {
            return None;
        }
        agent()?.brief_figures(&self.name)
    }

    pub(crate) fn warn(&self, text: String) {
        self.note(false, text);
        self.log();
    }

    pub(crate) fn withdraw_warning(&self, text: &str) {
        self.state().forget_warnings(|warning| warning.text == text);
    }
}

fn follow_up(wakers: WakeList, semaphore: &'static Semaphore) {
    run_all_then_resume_panic([FollowUp::Wake(wakers), FollowUp::Serve(semaphore)], FollowUp::run);
}
