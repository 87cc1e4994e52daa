//! Watching for grants that nobody claims. [`crate::watcher`] is the thread.
//!
//! A semaphore asks for a look, under its lock, when a call may wait behind a grant that its waiter has not claimed.
//! The watcher looks a moment later, and keeps a list of the grants with the time at which each was seen first. So
//! a grant needs no clock. The watcher looks again when the first of them is due, or when the semaphore asks again
//! because there are more. So it does not touch a semaphore in between.
//!
//! The wakers of the calls that get the permits run on the watcher's thread. One that blocks holds up the looks at
//! other semaphores.

use super::permits::Semaphore;
use super::state::State;
use super::state::away::TakenBack;
use super::wake_list::WakeList;
use crate::recorder;
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
    /// The time of the next look. `None` while nobody waits: the next call that joins asks for one.
    next: Option<Instant>,
}

/// A grant that nobody has claimed.
#[derive(Clone, Copy, Debug)]
struct Unclaimed {
    slot: u32,
    grant: u64,
    /// When it was seen first.
    since: Instant,
    /// When it is taken back; `None` for never.
    due: Option<Instant>,
}

/// The semaphores, by number.
type AllWatched = HashMap<usize, Watched>;

static GRANTS: Watch = Watch::new(look);
/// The semaphores that the watcher knows.
static WATCHED: Mutex<Option<AllWatched>> = Mutex::new(None);
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
        if !GRANTS.wake_at_pace() {
            // There is no thread. The next call asks again.
            self.lock().end_look(false);
        }
    }
}

/// Puts back what the watcher knows, also after a panic.
struct PutBack(AllWatched);

impl Drop for PutBack {
    fn drop(&mut self) {
        *lock(&WATCHED) = (!self.0.is_empty()).then(|| mem::take(&mut self.0));
    }
}

/// Looks at the semaphores that have asked, and at those with a grant that is due. Returns the time of the next look.
fn look(now: Instant, planned: Instant) -> Option<Instant> {
    // Taken out, because wakers run meanwhile. Only the watcher's thread comes here.
    let known = lock(&WATCHED).take();
    let mut watched = PutBack(known.unwrap_or_default());
    let all = &mut watched.0;
    if now.saturating_duration_since(planned) > INTERVAL {
        // The process was stopped, or the machine is overloaded: others had no time either to claim their grants.
        for watched in all.values_mut() {
            watched.begin_anew(now);
        }
    }
    let asked = mem::take(&mut *lock(&ASKED));
    for semaphore in asked {
        all.entry(semaphore.id()).or_insert_with(|| Watched::new(semaphore)).next = Some(now);
    }
    all.retain(|_, watched| watched.next.is_none_or(|next| next > now) || watched.look(now));
    all.values().filter_map(|watched| watched.next).min()
}

impl Watched {
    pub(super) fn new(semaphore: &'static Semaphore) -> Self {
        Self { semaphore, unclaimed: Vec::new(), next: None }
    }

    /// Takes the grants back that are due, as far as others want the permits. Returns whether there are others.
    pub(super) fn look(&mut self, now: Instant) -> bool {
        let semaphore = self.semaphore;
        let mut state = semaphore.lock();
        let mut wakers = WakeList::default();
        state.begin_look();
        self.find_unclaimed(&state, now);
        let taken = self.take_back(&mut state, now, &mut wakers);
        if !taken.is_empty() {
            // The permits are granted to others by now.
            self.find_unclaimed(&state, now);
        }
        let has_waiters = state.has_waiters();
        let next = self.unclaimed.iter().filter_map(|known| known.due).min();
        self.next = next.filter(|_| has_waiters);
        // If the wake list was full, the permits that are left are handed out below, and asked about.
        state.end_look(has_waiters || self.unclaimed.is_empty());
        if !taken.is_empty() {
            // Wakers may panic. Those of others are woken all the same.
            quietly(|| semaphore.serve_and_wake(state, wakers));
            recorder::tell_of_taken_back(semaphore.id(), &taken);
        }
        !self.unclaimed.is_empty()
    }

    /// Takes grants back that are due, the first first, until no call waits that wants the permits. Returns the slots,
    /// and since when each grant was known.
    fn take_back(
        &mut self,
        state: &mut State,
        now: Instant,
        wakers: &mut WakeList,
    ) -> Vec<(u32, Instant)> {
        let word = &self.semaphore.word;
        let mut taken = Vec::new();
        let is_due = |known: &Unclaimed| known.due.is_some_and(|due| due <= now);
        let mut due: Vec<_> = self.unclaimed.iter().copied().filter(is_due).collect();
        due.sort_by_key(|known| known.since);
        for Unclaimed { slot, grant, since, .. } in due {
            if !state.has_waiters() {
                break;
            }
            match state.take_back(word, slot, grant, wakers) {
                TakenBack::Now => {
                    taken.push((slot, since));
                    if state.serve(word, wakers) {
                        break;
                    }
                }
                TakenBack::Claimed => {}
                // A call may come later that wants them.
                TakenBack::NotWanted => {
                    let known = self.unclaimed.iter_mut().filter(|known| known.slot == slot);
                    known.for_each(|known| known.due = Some(now + INTERVAL));
                }
            }
        }
        taken
    }

    /// Finds all grants that nobody has claimed. Those that are known were seen before.
    fn find_unclaimed(&mut self, state: &State, now: Instant) {
        let known = mem::take(&mut self.unclaimed);
        let claim_within = state.claim_within;
        self.unclaimed.extend(state.queue.unclaimed().map(|(slot, grant)| {
            // Both are in the order of the slots.
            let found = known.binary_search_by_key(&slot, |known| known.slot).ok();
            let found = found.map(|found| known[found]).filter(|known| known.grant == grant);
            let since = found.map_or(now, |known| known.since);
            Unclaimed { slot, grant, since, due: since.checked_add(claim_within) }
        }));
    }

    /// Counts the time of the grants from now on.
    fn begin_anew(&mut self, now: Instant) {
        for known in &mut self.unclaimed {
            let passed = now.saturating_duration_since(known.since);
            known.since = now;
            known.due = known.due.and_then(|due| due.checked_add(passed));
        }
        let due = self.unclaimed.iter().filter_map(|known| known.due).min();
        self.next = self.next.and(due);
    }

    /// Returns whether it knows a grant.
    #[cfg(all(test, limit_loom))]
    pub(super) fn knows(&self, slot: u32, grant: u64) -> bool {
        self.unclaimed.iter().any(|known| (known.slot, known.grant) == (slot, grant))
    }
}
