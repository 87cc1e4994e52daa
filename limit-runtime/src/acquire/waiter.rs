//! A call's place in a queue.

use crate::semaphore::{Place, Semaphore, WAITING, standing};
use crate::sync::Ordering;
use std::task::Waker;

/// A place in a queue, left when dropped.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) semaphore: &'static Semaphore,
    pub(super) place: Place,
    pub(super) weight: u32,
}

impl Waiter {
    /// How the waiter stands; while it waits, `waker` is the one that will be woken.
    #[inline]
    pub(super) fn standing(&self, waker: &Waker) -> u64 {
        let now = || standing(self.place.grant.load(Ordering::Acquire));
        match now() {
            WAITING => {
                self.semaphore.update_waker(self.place.slot, waker);
                // Again, because it may have been served before the waker was exchanged.
                now()
            }
            other => other,
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.semaphore.leave(self.place.slot, self.weight, true);
    }
}
