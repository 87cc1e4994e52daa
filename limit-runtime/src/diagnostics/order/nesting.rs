//! The calls of each agent, and which of them lie around a new one.

use super::super::deadlocks::who;
use crate::recorder::Record;
use crate::recorder::{Agent, Kind};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::panic::Location;

/// The most calls of one agent at one limiter that are looked at.
const LOOKED_AT: usize = 64;
/// The most pairs of places that are remembered.
const PAIRS: usize = 4096;

/// The calls that hold permits or wait for them.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    /// All by number, as they were when they began.
    calls: HashMap<u64, Record>,
    /// Their numbers, by the agents that have made them.
    agents: HashMap<Agent, OfAgent>,
    pub(super) beside: Beside,
}

/// The calls that an agent has made.
#[derive(Debug, Default)]
struct OfAgent {
    /// Those with permits, by limiter.
    holds: BTreeMap<u32, BTreeSet<u64>>,
    waits: BTreeSet<u64>,
}

/// Pairs of places whose calls run side by side.
#[derive(Debug, Default)]
pub(super) struct Beside(HashSet<(Location<'static>, Location<'static>)>);

impl Beside {
    pub(super) fn contains(&self, hold: &Location<'static>, other: &Location<'static>) -> bool {
        !self.0.is_empty() && self.0.contains(&(*hold, *other))
    }
}

impl Nesting {
    /// Adds a call that has begun.
    pub(super) fn begin(&mut self, call: Record) {
        // A call of weight 0 belongs to no limiter.
        let Some(limiter) = call.info.limiter else { return };
        let of_agent = self.agents.entry(call.agent).or_default();
        let calls = if call.info.holds {
            of_agent.holds.entry(limiter).or_default()
        } else {
            &mut of_agent.waits
        };
        calls.insert(call.info.id);
        self.calls.insert(call.info.id, call);
    }

    /// Removes a call that ends.
    pub(super) fn end(&mut self, id: u64) {
        let Some(call) = self.calls.remove(&id) else { return };
        let Some(of_agent) = self.agents.get_mut(&call.agent) else { return };
        of_agent.waits.remove(&id);
        if let Some(calls) = call.info.limiter.and_then(|limiter| of_agent.holds.get_mut(&limiter))
        {
            calls.remove(&id);
        }
        of_agent.holds.retain(|_, calls| !calls.is_empty());
        if of_agent.waits.is_empty() && of_agent.holds.is_empty() {
            self.agents.remove(&call.agent);
            return;
        }
        // It is known what is inside a future that we poll.
        if call.info.holds && call.info.kind != Kind::Polled {
            self.learn(&call);
        }
    }

    /// Learns from the end of a call with permits: a call that began after it and is still there is not inside it.
    fn learn(&mut self, hold: &Record) {
        let waits = self.agents.get(&hold.agent).into_iter().flat_map(|of_agent| &of_agent.waits);
        let waits = waits.take(LOOKED_AT).filter_map(|id| self.calls.get(id));
        let others = self.holds(hold).chain(waits).filter(|other| {
            // The program may keep a permit for longer than the function in which it took it.
            let may_leave = other.info.holds && other.info.kind == Kind::Bare;
            other.info.began_after(&hold.info)
                && !may_leave
                && other.again().is_some_and(|other| other.agent == hold.agent)
        });
        let pairs: Vec<_> = others.map(|other| (*hold.info.site, *other.info.site)).collect();
        for pair in pairs {
            if self.beside.0.len() < PAIRS {
                self.beside.0.insert(pair);
            }
        }
    }

    /// Returns the calls that hold permits of other limiters, and inside which a new call is made.
    pub(super) fn around(&self, call: &Record) -> Vec<Record> {
        let around = who::around(call, |id| self.calls.get(&id).map(|outer| outer.info.under));
        let polled = around.iter().filter_map(|id| self.calls.get(id));
        let polled = polled.filter(|hold| hold.info.limiter != call.info.limiter);
        let mut found: Vec<_> = polled.copied().collect();
        // An agent that waits has several futures, and it is not known which of them makes the call.
        if !self.waits(call.agent) {
            let holds = self.holds(call).filter(|hold| !around.contains(&hold.info.id));
            found.extend(holds.filter_map(Record::again).filter(|hold| {
                let are_beside = |hold: &_, call: &_| self.beside.contains(hold, call);
                hold.agent == call.agent && who::is_inside(call, hold, &around, are_beside)
            }));
        }
        found
    }

    /// Returns whether an agent has a call that waits.
    fn waits(&self, agent: Agent) -> bool {
        let calls = self.agents.get(&agent).into_iter().flat_map(|of_agent| &of_agent.waits);
        let mut calls = calls.filter_map(|id| self.calls.get(id)?.again());
        calls.any(|call| call.agent == agent)
    }

    /// Returns the calls with permits of other limiters that the agent of a call has made, at each limiter the latest.
    fn holds(&self, call: &Record) -> impl Iterator<Item = &Record> {
        let limiter = call.info.limiter;
        let holds = self.agents.get(&call.agent).into_iter().flat_map(|of_agent| &of_agent.holds);
        holds
            .filter(move |&(&other, _)| Some(other) != limiter)
            .flat_map(|(_, calls)| calls.iter().rev().take(LOOKED_AT))
            .filter_map(|id| self.calls.get(id))
    }
}
