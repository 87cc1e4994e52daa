//! What the watcher remembers from one look to the next.

use super::reading::{self, Found};
use super::who::{self, Knowledge};
use crate::recorder::Agent;
use crate::recorder::slots::{self, Record};
use std::collections::{HashMap, HashSet};
use std::panic::Location;
use std::time::{Duration, Instant};

/// The age of a wait from which on it may be one in a deadlock, and the time between the two looks that confirm it.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// The most pairs of places that are remembered.
const PAIRS: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Detector {
    suspicions: Vec<Suspicion>,
    /// Deadlocks that have been told of.
    pub(super) told: Vec<Found>,
    memory: Memory,
}

/// A knot that has been seen, and the time at which it was first.
#[derive(Debug)]
struct Suspicion {
    calls: Vec<CallState>,
    since: Instant,
}

/// All of a record that can change.
type CallState = (u64, u32, usize, Option<u32>, u32);

/// What is known of calls beside their records.
#[derive(Debug, Default)]
struct Memory {
    /// The waits that have been polled again, by the number of the record.
    restless: HashMap<u64, Restless>,
    /// Places of which a call has ended while a call of the other waited in the same task.
    beside: HashSet<(Location<'static>, Location<'static>)>,
    /// The waits that were blocked at the last look, and the holds around them.
    pairs: Vec<(Record, Record)>,
    now: Option<Instant>,
}

/// A wait that has been polled again.
#[derive(Clone, Copy, Debug)]
struct Restless {
    polls: u32,
    /// When another poll was seen last.
    since: Instant,
    /// The longest time between two polls.
    gap: Duration,
}

impl Knowledge for Memory {
    fn is_still(&self, wait: &Record) -> bool {
        let (Some(restless), Some(now)) = (self.restless.get(&wait.info.id), self.now) else {
            return true;
        };
        let still_for = now.saturating_duration_since(restless.since);
        still_for >= PATIENCE.max(2 * restless.gap)
    }

    fn are_beside(&self, hold: &Location<'static>, wait: &Location<'static>) -> bool {
        !self.beside.is_empty() && self.beside.contains(&(*hold, *wait))
    }
}

impl Memory {
    /// Learns from the waits of this look.
    fn look(&mut self, now: Instant, records: &[Record]) {
        self.now = Some(now);
        for (hold, wait) in std::mem::take(&mut self.pairs) {
            let is_beside = wait.is_unchanged() && !hold.is_there();
            if is_beside && self.beside.len() < PAIRS {
                self.beside.insert((*hold.info.site, *wait.info.site));
            }
        }
        let mut restless = HashMap::new();
        let waits = records.iter().filter(|record| !record.info.holds && record.polls > 1);
        for wait in waits {
            let known = self.restless.get(&wait.info.id);
            let seen = match known {
                Some(known) if known.polls == wait.polls => *known,
                Some(known) => {
                    let gap = known.gap.max(now.saturating_duration_since(known.since));
                    Restless { polls: wait.polls, since: now, gap }
                }
                None => Restless { polls: wait.polls, since: now, gap: Duration::ZERO },
            };
            restless.insert(wait.info.id, seen);
        }
        self.restless = restless;
    }
}

impl Detector {
    /// Looks at the calls that are recorded at a moment. Returns the deadlocks that are to be told of, and when to
    /// look again.
    pub(super) fn look(&mut self, now: Instant) -> (Vec<Found>, Instant) {
        self.told.retain(Found::is_there);
        // Each call of a knot holds what another one waits for. Nearly always there is none, so this comes first.
        match slots::agents_that_hold_and_wait() {
            None => {
                self.forget();
                return (Vec::new(), now + PATIENCE);
            }
            Some(agents) if agents.is_empty() => {
                self.forget();
                return (Vec::new(), now + crate::watcher::INTERVAL);
            }
            Some(_) => {}
        }
        let oldest = slots::oldest_wait();
        let Some(oldest) = oldest else {
            self.forget();
            return (Vec::new(), now + PATIENCE);
        };
        if now.saturating_duration_since(oldest) < PATIENCE {
            self.forget();
            return (Vec::new(), oldest + PATIENCE);
        }
        let news = self.look_at(now, &records());
        (news, now + crate::watcher::INTERVAL)
    }

    /// Forgets what was seen at the last look: nobody waits for long.
    pub(super) fn forget(&mut self) {
        self.suspicions.clear();
        self.memory.pairs.clear();
        self.memory.restless.clear();
    }

    fn look_at(&mut self, now: Instant, records: &[Record]) -> Vec<Found> {
        self.memory.look(now, records);
        let mut blocked = who::blocked(records, &self.memory);
        let pairs = blocked
            .iter()
            .flat_map(|blocked| blocked.holds.iter().map(|hold| (**hold, *blocked.wait)));
        self.memory.pairs = pairs.collect();
        who::leave_out_served(&mut blocked);
        let known = std::mem::take(&mut self.suspicions);
        let mut news = Vec::new();
        for found in if blocked.is_empty() { Vec::new() } else { reading::find(&blocked) } {
            if self.told.iter().any(|told| told.is_same(&found)) {
                continue;
            }
            let calls = found.states();
            let before = known.iter().find(|suspicion| suspicion.calls == calls);
            let since = before.map_or(now, |suspicion| suspicion.since);
            if now.saturating_duration_since(since) < PATIENCE || !found.is_unchanged() {
                self.suspicions.push(Suspicion { calls, since });
                continue;
            }
            self.told.push(found.clone());
            news.push(found);
        }
        news
    }
}

/// Returns the records of agents that wait.
fn records() -> Vec<Record> {
    let all: Vec<_> = slots::all().collect();
    let waits = all.iter().filter(|record| !record.info.holds);
    let waiting: HashSet<Agent> = waits.map(|record| record.agent).collect();
    all.into_iter().filter(|record| waiting.contains(&record.agent)).collect()
}

impl Found {
    fn states(&self) -> Vec<CallState> {
        let state = |record: &Record| {
            let info = &record.info;
            (info.id, record.polls, info.semaphore, info.slot, info.weight)
        };
        let mut states: Vec<_> = self.calls.iter().map(state).collect();
        states.sort_unstable();
        states
    }

    /// Returns whether the same calls wait in another.
    fn is_same(&self, other: &Self) -> bool {
        let waits = |found: &Self| -> HashSet<_> {
            found.links.iter().map(|link| link.wait.info.id).collect()
        };
        waits(self) == waits(other)
    }

    /// Returns whether none of its calls has ended.
    pub(super) fn is_there(&self) -> bool {
        self.calls.iter().all(Record::is_there)
    }

    fn is_unchanged(&self) -> bool {
        self.calls.iter().all(Record::is_unchanged)
    }
}
