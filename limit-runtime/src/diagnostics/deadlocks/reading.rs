//! Reads the queues at which blocked agents wait, and looks for knots in them.

use super::solver::{Hold, Picture, Queue, Wait};
use super::who::Blocked;
use crate::engine::{Engine, catalog};
use crate::recorder::Record;
use crate::semaphore::{QueueReading, Semaphore};
use std::collections::HashMap;
use std::sync::Arc;

/// Calls that wait for each other, by their records.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) links: Vec<FoundLink>,
    /// All the calls in it, each once.
    pub(super) calls: Vec<Record>,
    pub(super) victims: usize,
}

/// A call that waits.
#[derive(Clone)]
pub(super) struct FoundLink {
    pub(super) wait: Record,
    pub(super) limiter: Arc<Engine>,
    pub(super) semaphore: &'static Semaphore,
    pub(super) key: Option<String>,
    /// The calls that hold what it waits for. Those who wait for the same share the list.
    pub(super) holders: Arc<[Record]>,
    /// The call before it in the queue that wants more than can come back.
    pub(super) behind: Option<Record>,
}

impl std::fmt::Debug for FoundLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { wait, holders, behind, .. } = self;
        f.debug_struct("FoundLink")
            .field("wait", wait)
            .field("holders", holders)
            .field("behind", behind)
            .finish_non_exhaustive()
    }
}

/// A semaphore at which somebody is blocked.
struct Place {
    limiter: Arc<Engine>,
    semaphore: &'static Semaphore,
    reading: QueueReading,
}

/// Returns the knots of agents that only wait.
pub(super) fn find(blocked: &[Blocked<'_>]) -> Vec<Found> {
    let mut picture = Picture { agents: blocked.len(), ..Picture::default() };
    // The meaning of each queue of the picture: a place, and a queue in its reading.
    let mut meanings = Vec::new();
    let mut records = Vec::new();
    for (semaphore, calls) in by_semaphore(blocked) {
        let Some(place) = calls.read(semaphore) else { continue };
        let place = Arc::new(place);
        let total = place.reading.total.map(|limit| {
            picture.queues.push(Queue { limit, ..Queue::default() });
            meanings.push((Arc::clone(&place), None));
            picture.queues.len() - 1
        });
        let mut queue_of = HashMap::new();
        for queue in &place.reading.queues {
            let wait = |(slot, weight, is_elsewhere)| {
                let agent = calls.waits.get(&slot).copied().flatten();
                Wait { weight, agent, is_elsewhere }
            };
            let waiters = queue.waiters.iter().copied().map(wait).collect();
            picture.queues.push(Queue { limit: queue.limit, total, waiters });
            meanings.push((Arc::clone(&place), queue.name.clone()));
            queue_of.insert(queue.key, picture.queues.len() - 1);
        }
        let is_keyed = total.is_some();
        let only = place.reading.queues.first().map(|queue| queue.key);
        let mut keys = place.reading.holders.iter();
        for &(agent, hold) in &calls.holds {
            let key = hold.info.slot.and_then(|_| keys.next().copied());
            // A call of a key for which nobody waits counts for the total alone.
            let queue =
                if is_keyed { key } else { only }.and_then(|key| queue_of.get(&key).copied());
            if let Some(queue) = queue.or(total) {
                picture.holds.push(Hold { queue, weight: hold.info.weight, agent });
                records.push(hold);
            }
        }
    }
    let found = picture.knots().into_iter().map(|knot| {
        let mut lists = HashMap::new();
        let links = knot.links.iter().map(|link| {
            let (place, key) = &meanings[link.queue];
            let list = || link.holds.iter().map(|&hold| *records[hold]).collect();
            FoundLink {
                wait: *blocked[link.agent].wait,
                limiter: Arc::clone(&place.limiter),
                semaphore: place.semaphore,
                key: key.clone(),
                holders: Arc::clone(lists.entry(link.holds.as_ptr()).or_insert_with(list)),
                behind: link.behind.map(|agent| *blocked[agent].wait),
            }
        });
        let links: Vec<_> = links.collect();
        let waits = links.iter().map(|link| link.wait);
        let calls = waits.chain(lists.values().flat_map(|list| list.iter().copied())).collect();
        Found { links, calls, victims: knot.victims.len() }
    });
    found.collect()
}

/// The blocked agents at one semaphore.
struct Calls<'a> {
    limiter: Option<u32>,
    /// The agents that wait there, by slot. `None` if two records have one slot: one of them is about to change.
    waits: HashMap<u32, Option<usize>>,
    /// The agents that hold permits there.
    holds: Vec<(usize, &'a Record)>,
}

fn by_semaphore<'a>(blocked: &'a [Blocked<'a>]) -> HashMap<usize, Calls<'a>> {
    let mut all = HashMap::new();
    for (agent, Blocked { wait, .. }) in blocked.iter().enumerate() {
        let calls = all.entry(wait.info.semaphore).or_insert_with(|| Calls {
            limiter: wait.info.limiter,
            waits: HashMap::new(),
            holds: Vec::new(),
        });
        if let Some(slot) = wait.info.slot {
            calls.waits.entry(slot).and_modify(|known| *known = None).or_insert(Some(agent));
        }
    }
    for (agent, Blocked { holds, .. }) in blocked.iter().enumerate() {
        for hold in holds {
            if let Some(calls) = all.get_mut(&hold.info.semaphore) {
                calls.holds.push((agent, hold));
            }
        }
    }
    all
}

impl Calls<'_> {
    fn read(&self, semaphore: usize) -> Option<Place> {
        let limiter = catalog::at_index(self.limiter? as usize)?;
        let all = limiter.semaphores();
        let semaphore = all.into_iter().find(|known| known.id() == semaphore)?;
        let slots: Vec<_> = self.holds.iter().filter_map(|(_, hold)| hold.info.slot).collect();
        let reading = semaphore.read_queues(&slots)?;
        Some(Place { limiter, semaphore, reading })
    }
}
