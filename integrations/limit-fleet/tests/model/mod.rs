//! A fleet in virtual time: the production node against the production ledger.
//!
//! A test either lets the world [run](World::run), event by event, or moves each part by hand. After
//! each event the [invariants](World::check) must hold.

#![allow(dead_code, reason = "each test program uses a part")]

/// Writes down what happens. It does not change what happens.
macro_rules! trace {
    ($world:expr, $($text:tt)*) => {
        if let Some(trace) = &mut $world.trace {
            trace.push_str(&format!("{:>12} {}\n", $world.now, format_args!($($text)*)));
        }
    };
}

mod by_hand;
mod invariants;
mod network;
pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod servers;
mod thread;
mod time;

use limit_fleet::message::{NodeId, Times};
#[allow(unused_imports, reason = "each test program uses a part")]
pub(crate) use network::{Body, Kind, Network, Packet};
use process::{Clock, Process};
use random::Random;
use servers::Servers;

pub(crate) const MS: u64 = 1_000;
pub(crate) const SECOND: u64 = 1_000_000;
pub(crate) const NEVER: u64 = u64::MAX;
/// The times that a user gets without an option.
pub(crate) const DEFAULT: Times = Times { ttl: 6 * SECOND, hold: 0 };

#[derive(Clone, Debug, Hash)]
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) times: Times,
    pub(crate) servers: Servers,
    pub(crate) up: bool,
    pub(crate) processes: Vec<Process>,
    pub(crate) packets: Vec<Packet>,
    pub(crate) network: Network,
    pub(crate) random: Random,
    /// How often a thread is stopped at a step: per thousand.
    pub(crate) pauses: u64,
    /// How long a client waits for an answer.
    pub(crate) patience: u64,
    /// For each key, the most permits at once: the largest opinion of the limit.
    pub(crate) most: Vec<u32>,
    /// For each key, Σ running over time.
    pub(crate) busy: Vec<u64>,
    pub(crate) renewals: u64,
    /// The trace, if one is written.
    pub(crate) trace: Option<String>,
}

impl World {
    pub(crate) fn new(times: Times, keys: usize) -> Self {
        Self {
            now: 0,
            times,
            servers: Servers::new(keys),
            up: true,
            processes: Vec::new(),
            packets: Vec::new(),
            network: Network::Manual,
            random: Random::new(0),
            pauses: 0,
            patience: 500 * MS,
            most: vec![0; keys],
            busy: vec![0; keys],
            renewals: 0,
            trace: None,
        }
    }

    /// Adds a process whose clock is the world's.
    pub(crate) fn join(&mut self, key: usize, limit: u32) -> usize {
        self.join_with(key, limit, Clock { offset: SECOND, rate: 1000 })
    }

    pub(crate) fn join_with(&mut self, key: usize, limit: u32, clock: Clock) -> usize {
        let index = self.processes.len();
        let id = NodeId(format!("p{index}#0"));
        let mut process = Process::new(key, id, self.times, limit, clock);
        process.wake = NEVER;
        process.figures.last_start = self.now;
        self.processes.push(process);
        self.most[key] = self.most[key].max(limit);
        trace!(self, "p{index} joins {key} with {limit}");
        index
    }

    pub(crate) fn set_limit(&mut self, p: usize, limit: u32) {
        trace!(self, "p{p} has the opinion {limit}");
        let process = &mut self.processes[p];
        process.node.set_limit(limit);
        self.most[process.key] = self.most[process.key].max(limit);
        self.touch(p);
    }

    /// Looks after a process at the next event.
    pub(crate) fn touch(&mut self, p: usize) {
        self.processes[p].wake = self.now;
    }

    // The server.

    pub(crate) fn fail_over(&mut self) -> bool {
        trace!(self, "fail-over");
        self.servers.fail_over()
    }

    pub(crate) fn restart_empty(&mut self) {
        trace!(self, "the server restarts empty");
        self.servers.restart_empty(self.now);
    }

    pub(crate) fn restart(&mut self) {
        trace!(self, "the server restarts");
        self.servers.restart(self.now);
    }

    pub(crate) fn step_forward(&mut self, by: u64) {
        trace!(self, "the server's clock goes {by} forward");
        self.servers.step_forward(by);
    }

    pub(crate) fn step_back(&mut self, by: u64) {
        trace!(self, "the server's clock goes {by} back");
        self.servers.step_back(by);
    }
}
