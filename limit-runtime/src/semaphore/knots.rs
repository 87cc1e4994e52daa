//! The detector of deadlocks reads a semaphore's queues here, and refuses a waiter.

use super::permits::Semaphore;
use super::queue_reading::QueueReading;
use super::wake_list::WakeList;

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
