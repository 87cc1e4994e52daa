//! What the detector of deadlocks reads of a semaphore and does to it.

use super::permits::Semaphore;
use super::wake_list::WakeList;

/// Who waits at a semaphore.
#[derive(Debug)]
pub(crate) struct QueueReading {
    /// The limit over all keys, if there are keys.
    pub(crate) total: Option<u32>,
    /// The queue; with keys, one for each key with waiters.
    pub(crate) queues: Vec<KeyQueue>,
    /// The keys of the calls that were asked for. Without keys it has no meaning.
    pub(crate) holders: Vec<u32>,
}

#[derive(Debug)]
pub(crate) struct KeyQueue {
    /// The number of the key. Without keys it has no meaning.
    pub(crate) key: u32,
    /// The text of the key, if it has one.
    pub(crate) name: Option<String>,
    pub(crate) limit: u32,
    /// The waiters in order: slot and weight.
    pub(crate) waiters: Vec<(u32, u32)>,
}

impl Semaphore {
    /// Returns who waits, and the keys of the calls with some slots. Returns `None` if it does not depend on the
    /// calls alone when waiters are served.
    ///
    /// A slot may be another call's by now: the caller looks whether the record of its call is still there.
    pub(crate) fn read_queues(&self, holders: &[u32]) -> Option<QueueReading> {
        self.lock().read_queues(holders)
    }

    /// Refuses the call that waits in a slot as one in a deadlock, if `still` says that the slot is the call's. Returns
    /// whether it did. Wakers run in this call, and the first panic of one goes on.
    ///
    /// `still` runs under the lock. It may look at nothing but the record of the call, which ends before the slot
    /// is freed.
    pub(crate) fn refuse_waiter(&'static self, slot: u32, still: impl FnOnce() -> bool) -> bool {
        // Declared before the lock is taken: what is in it is dropped after unlocking.
        let mut wakers = WakeList::default();
        let mut state = self.lock();
        let is_refused = state.refuse_waiter(&self.word, slot, still, &mut wakers);
        self.serve_and_wake(state, wakers);
        is_refused
    }
}
