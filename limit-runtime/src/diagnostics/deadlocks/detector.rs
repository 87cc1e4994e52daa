//! The detector: it compares one look of the watcher with the next.

use super::reading::{self, Found, FoundLink};
use super::who::{self, Blocked, Knowledge};
use crate::recorder::Agent;
use crate::recorder::Record;
use crate::recorder::slots;
use crate::watcher::INTERVAL;
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
    /// Room for the agents that wait.
    waiting: HashSet<Agent>,
}

/// The results of a look.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) news: Vec<News>,
    pub(super) mistakes: Vec<Mistake>,
    /// When to look again.
    pub(super) next: Instant,
}

/// A call of a deadlock waits on, although one has ended that was taken for one around it.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) link: FoundLink,
    pub(super) hold: Record,
}

/// A deadlock that has been confirmed.
#[derive(Debug)]
pub(super) struct News {
    pub(super) found: Found,
    /// `false` if some of its calls have been told of before.
    pub(super) is_new: bool,
}

/// A knot that has been seen, and the time at which it was first.
#[derive(Debug)]
struct Suspicion {
    calls: Vec<CallState>,
    since: Instant,
}

/// All of a record that can change.
type CallState = (u64, u32, usize, Option<u32>, u32);

/// The detector's knowledge of calls beside their records.
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
    /// Learns that a call has ended while another of its agent waits on.
    fn learn(&mut self, hold: &Record, wait: &Record) {
        if self.beside.len() < PAIRS {
            self.beside.insert((*hold.info.site, *wait.info.site));
        }
    }

    /// Learns from the waits of this look.
    fn look(&mut self, now: Instant, records: &[Record]) {
        self.now = Some(now);
        for (hold, wait) in std::mem::take(&mut self.pairs) {
            if wait.is_unchanged() && !hold.is_there() {
                self.learn(&hold, &wait);
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
    /// Looks at the calls that are recorded at a moment.
    pub(super) fn look(&mut self, now: Instant) -> Looked {
        let (told, over) =
            std::mem::take(&mut self.told).into_iter().partition::<Vec<_>, _>(Found::is_there);
        self.told = told;
        let mistakes: Vec<_> = over.iter().filter_map(Found::mistake).collect();
        for mistake in &mistakes {
            self.memory.learn(&mistake.hold, &mistake.link.wait);
        }
        let mut looked = Looked { news: Vec::new(), mistakes, next: now + PATIENCE };
        // Each knot has calls that hold what others wait for. Nearly always there are none, so this comes first.
        match slots::holds_and_waits(&mut self.waiting) {
            None => {
                self.forget();
                self.waiting = HashSet::new();
                return looked;
            }
            Some(false) => {
                self.forget();
                looked.next = now + INTERVAL;
                return looked;
            }
            Some(true) => {}
        }
        match slots::oldest_wait() {
            None => self.forget(),
            Some(oldest) if now.saturating_duration_since(oldest.instant()) < PATIENCE => {
                // Nobody waits for long. What lies side by side is learnt all the same.
                self.suspicions.clear();
                self.observe(now, &records());
                looked.next = now + INTERVAL;
            }
            Some(_) => {
                looked.news = self.look_at(now, &records());
                looked.next = now + INTERVAL;
            }
        }
        looked
    }

    /// Forgets a deadlock that was to be told of, so that it is found again if it lasts.
    pub(super) fn forget_told(&mut self, found: &Found) {
        self.told.retain(|told| !told.is_same(found));
    }

    /// Forgets everything but what was learnt, because calls are not recorded any more. Returns what is to be dropped
    /// under no lock.
    pub(super) fn forget_all(&mut self) -> Vec<Found> {
        self.forget();
        std::mem::take(&mut self.told)
    }

    /// Forgets what was seen at the last look: nobody waits for long.
    pub(super) fn forget(&mut self) {
        self.suspicions.clear();
        self.memory.pairs.clear();
        self.memory.restless.clear();
    }

    /// Learns from this look, and returns the agents that only wait.
    fn observe<'a>(&mut self, now: Instant, records: &'a [Record]) -> Vec<Blocked<'a>> {
        self.memory.look(now, records);
        let blocked = who::blocked(records, &self.memory);
        let pairs = blocked
            .iter()
            .flat_map(|blocked| blocked.holds.iter().map(|hold| (**hold, *blocked.wait)));
        self.memory.pairs = pairs.collect();
        blocked
    }

    fn look_at(&mut self, now: Instant, records: &[Record]) -> Vec<News> {
        let mut blocked = self.observe(now, records);
        who::leave_out_served(&mut blocked);
        let known = std::mem::take(&mut self.suspicions);
        let mut news = Vec::new();
        for found in if blocked.is_empty() { Vec::new() } else { reading::find(&blocked) } {
            if let Some(told) = self.told.iter_mut().find(|told| told.is_same(&found)) {
                told.victims = found.victims;
                continue;
            }
            // A call that has just begun to wait may be polled at a time of its own before long.
            if found.waits_since().is_some_and(|at| now.saturating_duration_since(at) < PATIENCE) {
                continue;
            }
            let calls = found.states();
            let before = known.iter().find(|suspicion| suspicion.calls == calls);
            let since = before.map_or(now, |suspicion| suspicion.since);
            if now.saturating_duration_since(since) < PATIENCE || !found.is_unchanged() {
                self.suspicions.push(Suspicion { calls, since });
                continue;
            }
            // More calls have joined one that has been told of, or two of them are one now.
            let before = self.told.len();
            self.told.retain(|told| !told.shares_calls(&found));
            let is_new = self.told.len() == before;
            self.told.push(found.clone());
            news.push(News { found, is_new });
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

    /// Returns the time since which all its calls have waited.
    fn waits_since(&self) -> Option<Instant> {
        self.links.iter().map(|link| link.wait.info.since.instant()).max()
    }

    /// Returns what shows that this was no deadlock, if something does.
    fn mistake(&self) -> Option<Mistake> {
        self.links.iter().filter(|link| link.wait.is_unchanged()).find_map(|link| {
            let is_around = |call: &&Record| call.info.holds && call.agent == link.wait.agent;
            let hold = self.calls.iter().filter(is_around).find(|hold| !hold.is_there())?;
            Some(Mistake { link: link.clone(), hold: *hold })
        })
    }

    fn waits(&self) -> HashSet<u64> {
        self.links.iter().map(|link| link.wait.info.id).collect()
    }

    /// Returns whether the same calls wait in another.
    fn is_same(&self, other: &Self) -> bool {
        self.links.len() == other.links.len() && self.waits() == other.waits()
    }

    /// Returns whether some of its calls wait in another.
    fn shares_calls(&self, other: &Self) -> bool {
        !self.waits().is_disjoint(&other.waits())
    }

    /// Returns whether none of its calls has ended.
    pub(super) fn is_there(&self) -> bool {
        self.calls.iter().all(Record::is_there)
    }

    fn is_unchanged(&self) -> bool {
        self.calls.iter().all(Record::is_unchanged)
    }
}
