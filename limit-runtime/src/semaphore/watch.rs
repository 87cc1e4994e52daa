//! Watching for grants that nobody claims. [`crate::watcher`] is the thread.
//!
//! A semaphore is watched while a call waits behind a grant that its waiter has not claimed. `State` asks for a watch
//! under the lock, and it begins after unlocking.

use super::permits::Semaphore;
use super::wake_list::WakeList;
use crate::unwind::quietly;
use crate::watcher::{self, INTERVAL};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A semaphore that is watched.
#[derive(Debug)]
pub(super) struct Watched {
    semaphore: &'static Semaphore,
    /// When the watch began. It lasts for an interval at least, so that a semaphore under load asks for no more
    /// than one watch in that time.
    since: Instant,
    unclaimed: Vec<Unclaimed>,
}

/// A grant that nobody has claimed, and when it was seen first. So a grant needs no clock.
#[derive(Clone, Copy, Debug)]
struct Unclaimed {
    slot: u32,
    grant: u64,
    since: Instant,
}

/// The semaphores that are watched.
#[derive(Default)]
struct Watches {
    all: Vec<Watched>,
    /// When the watcher looked last, if it still looks.
    looked: Option<Instant>,
}

static WATCHES: Mutex<Watches> = Mutex::new(Watches { all: Vec::new(), looked: None });
/// The semaphores whose watch has begun since the last look.
static BEGUN: Mutex<Vec<&'static Semaphore>> = Mutex::new(Vec::new());

/// Locks with the standard library's lock also in a model, because the lists belong to the process.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Semaphore {
    /// Begins the watch that was asked for. The caller holds no lock.
    #[cold]
    pub(super) fn begin_watch(&'static self) {
        // A model looks by itself.
        if cfg!(limit_loom) {
            return;
        }
        lock(&BEGUN).push(self);
        watcher::wake_if_idle(look);
    }
}

/// Looks at all semaphores that are watched. Returns the time of the next look.
fn look(now: Instant) -> Option<Instant> {
    // Taken out, because wakers run meanwhile. Only the watcher's thread comes here.
    let Watches { mut all, looked } = mem::take(&mut *lock(&WATCHES));
    let begun = mem::take(&mut *lock(&BEGUN)).into_iter();
    all.extend(begun.map(|semaphore| Watched::new(semaphore, now)));
    // The process was stopped, or the machine is overloaded: others had no time either to claim their grants.
    let has_slept =
        looked.is_some_and(|looked| now.saturating_duration_since(looked) > 3 * INTERVAL);
    let mut next = now + INTERVAL;
    all.retain_mut(|watched| {
        if has_slept {
            watched.unclaimed.clear();
        }
        match watched.look(now) {
            Some(due) => {
                next = next.min(due);
                true
            }
            None => false,
        }
    });
    let looked = (!all.is_empty()).then_some(now);
    *lock(&WATCHES) = Watches { all, looked };
    looked.map(|_| next)
}

impl Watched {
    pub(super) fn new(semaphore: &'static Semaphore, now: Instant) -> Self {
        Self { semaphore, since: now, unclaimed: Vec::new() }
    }

    /// Takes the grants back that are due. Returns when to look again at the latest; `None` if the watch is over.
    pub(super) fn look(&mut self, now: Instant) -> Option<Instant> {
        let semaphore = self.semaphore;
        let mut state = semaphore.lock();
        let is_young = now.saturating_duration_since(self.since) < INTERVAL;
        if !is_young && state.end_watch_if_claimed() {
            return None;
        }
        let claim_within = state.claim_within;
        let known = mem::take(&mut self.unclaimed);
        let mut next = now + INTERVAL;
        let mut taken = false;
        let unclaimed: Vec<_> = state.queue.unclaimed().collect();
        for (slot, grant) in unclaimed {
            // Both are in the order of the slots.
            let found = known.binary_search_by_key(&slot, |known| known.slot).ok();
            let since = found.map(|found| known[found]).filter(|known| known.grant == grant);
            let since = since.map_or(now, |known| known.since);
            let due = since.checked_add(claim_within);
            if due.is_some_and(|due| due <= now) && state.take_back(&semaphore.word, slot, grant) {
                taken = true;
                continue;
            }
            self.unclaimed.push(Unclaimed { slot, grant, since });
            next = due.filter(|due| *due > now).map_or(next, |due| next.min(due));
        }
        if taken {
            // Wakers may panic. Those of others are woken all the same.
            quietly(|| semaphore.serve_and_wake(state, WakeList::default()));
        }
        Some(next)
    }
}
