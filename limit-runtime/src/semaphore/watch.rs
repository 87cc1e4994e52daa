//! Watching for grants that nobody claims. [`crate::watcher`] is the thread.
//!
//! A semaphore asks for a look, under its lock, when a call may wait behind a grant that its waiter has not claimed.
//! The watcher looks a moment later, and keeps a list of the grants with the time at which each was seen first. So
//! a grant needs no clock. The watcher looks again when the first of them is due, or when the semaphore asks again
//! because there are more. So it does not touch a semaphore in between.

use super::permits::Semaphore;
use super::state::State;
use super::status::StatusCell;
use super::wake_list::WakeList;
use crate::recorder;
use crate::sync::Ordering;
use crate::unwind::quietly;
use crate::watcher::{INTERVAL, Watch};
use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A semaphore with grants that nobody has claimed.
#[derive(Debug)]
pub(super) struct Watched {
    semaphore: &'static Semaphore,
    unclaimed: Vec<Unclaimed>,
    /// The time of the next look.
    next: Instant,
}

/// A grant that nobody has claimed.
#[derive(Clone, Copy, Debug)]
struct Unclaimed {
    slot: u32,
    grant: u64,
    cell: StatusCell,
    /// When it was seen first.
    since: Instant,
    /// When it is taken back; `None` for never.
    due: Option<Instant>,
}

static GRANTS: Watch = Watch::new(look);
/// What the watcher knows, by the number of the semaphore.
static WATCHED: Mutex<Option<HashMap<usize, Watched>>> = Mutex::new(None);
/// The semaphores that have asked for a look since the last one.
static ASKED: Mutex<Vec<&'static Semaphore>> = Mutex::new(Vec::new());

/// Locks with the standard library's lock also in a model, because the lists belong to the process.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Semaphore {
    /// Has the watcher look. The caller holds no lock.
    #[cold]
    pub(super) fn ask_for_look(&'static self) {
        // A model looks by itself.
        if cfg!(limit_loom) {
            return;
        }
        lock(&ASKED).push(self);
        GRANTS.wake_at_pace();
    }
}

/// Looks at the semaphores that have asked, and at those with a grant that is due. Returns the time of the next look.
fn look(now: Instant, planned: Instant) -> Option<Instant> {
    // Taken out, because wakers run meanwhile. Only the watcher's thread comes here.
    let mut watched = lock(&WATCHED).take().unwrap_or_default();
    // If the thread comes late, the process was stopped or the machine is overloaded. Others had no time either.
    let late = now.saturating_duration_since(planned);
    if late > 2 * INTERVAL {
        for watched in watched.values_mut() {
            watched.next += late;
            watched.unclaimed.iter_mut().for_each(|known| {
                known.since += late;
                known.due = known.due.and_then(|due| due.checked_add(late));
            });
        }
    }
    let asked = mem::take(&mut *lock(&ASKED));
    for semaphore in asked {
        watched.entry(semaphore.id()).or_insert_with(|| Watched::new(semaphore, now)).next = now;
    }
    watched.retain(|_, watched| watched.next > now || watched.look(now));
    let next = watched.values().map(|watched| watched.next).min();
    *lock(&WATCHED) = (!watched.is_empty()).then_some(watched);
    next
}

impl Watched {
    pub(super) fn new(semaphore: &'static Semaphore, now: Instant) -> Self {
        Self { semaphore, unclaimed: Vec::new(), next: now }
    }

    /// Takes the grants back that are due. Returns whether there are others, to be looked at later.
    pub(super) fn look(&mut self, now: Instant) -> bool {
        let semaphore = self.semaphore;
        let mut state = semaphore.lock();
        self.find_unclaimed(&mut state, now);
        let mut taken = Vec::new();
        if state.has_waiters() {
            self.unclaimed.retain_mut(|Unclaimed { slot, grant, cell, since, due }| {
                if due.is_none_or(|due| due > now) {
                    return true;
                }
                if state.take_back(&semaphore.word, *slot, *grant) {
                    taken.push((*slot, *since));
                    return false;
                }
                // It has been claimed, or no call waits that wants its permits. One may later.
                *due = Some(now + INTERVAL);
                cell.load(Ordering::Relaxed) == *grant
            });
        } else {
            // The next call that joins asks for a look.
            self.unclaimed.clear();
        }
        state.end_look(!self.unclaimed.is_empty());
        let next = self.unclaimed.iter().filter_map(|known| known.due).min();
        if !taken.is_empty() {
            // Wakers may panic. Those of others are woken all the same.
            quietly(|| semaphore.serve_and_wake(state, WakeList::default()));
            recorder::tell_of_taken_back(semaphore.id(), &taken);
        }
        self.next = next.unwrap_or(now);
        next.is_some()
    }

    /// Finds all grants that nobody has claimed. Those that are known were seen before.
    fn find_unclaimed(&mut self, state: &mut State, now: Instant) {
        let known = mem::take(&mut self.unclaimed);
        let claim_within = state.claim_within;
        self.unclaimed.extend(state.queue.unclaimed().map(|(slot, grant)| {
            // Both are in the order of the slots.
            let found = known.binary_search_by_key(&slot, |known| known.slot).ok();
            let found = found.map(|found| known[found]).filter(|known| known.grant == grant);
            let since = found.map_or(now, |known| known.since);
            let due = since.checked_add(claim_within);
            Unclaimed { slot, grant, cell: state.queue.cell(slot), since, due }
        }));
    }

    /// Returns whether it knows a grant.
    #[cfg(all(test, limit_loom))]
    pub(super) fn knows(&self, slot: u32, grant: u64) -> bool {
        self.unclaimed.iter().any(|known| (known.slot, known.grant) == (slot, grant))
    }
}
