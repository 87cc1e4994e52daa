//! Limits that adapt and are lowered for a time: halved by a question, or to none while new calls are held off. Calls see
//! to the end of that time when they begin or end. If none does, because all permits that are left are out,
//! [`crate::watcher`] is the thread that looks.
//!
//! The wakers of the calls that are served then run on the watcher's thread.

use super::permits::Semaphore;
use crate::unwind::quietly;
use crate::watcher::{INTERVAL, Watch};
use std::collections::BTreeMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

static DUE: Watch = Watch::new(look);
/// The semaphores with a limit that is lowered, by number. Many may ask at the same moment.
static LOWERED: Mutex<BTreeMap<usize, &'static Semaphore>> = Mutex::new(BTreeMap::new());

/// Locks with the standard library's lock also in a model, because the list belongs to the process.
fn lock() -> MutexGuard<'static, BTreeMap<usize, &'static Semaphore>> {
    LOWERED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Semaphore {
    /// Has the watcher look until the limit is not lowered any more. The caller holds no lock.
    #[cold]
    pub(super) fn watch_until_due(&'static self) {
        // A model has no time.
        if cfg!(limit_loom) {
            return;
        }
        lock().insert(self.id(), self);
        // If there is no thread, calls that begin or end see to it.
        DUE.wake_at_pace();
    }
}

/// Looks at all semaphores with a limit that is lowered. Returns the time of the next look.
fn look(now: Instant, _: Instant) -> Option<Instant> {
    // Taken out, because wakers run meanwhile.
    let lowered = mem::take(&mut *lock());
    let mut next = None;
    for semaphore in lowered.into_values() {
        quietly(|| semaphore.adapt_now());
        let state = semaphore.lock();
        if state.awaits_time() {
            let soon = now + INTERVAL;
            let due = state.held_off_until().map_or(soon, |until| until.min(soon));
            next = next.into_iter().chain([due]).min();
            drop(state);
            lock().insert(semaphore.id(), semaphore);
        }
    }
    next
}
