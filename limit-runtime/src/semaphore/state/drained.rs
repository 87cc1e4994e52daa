//! A semaphore with drainers.

use super::{Binding, State};
use crate::sync::AtomicU64;
use std::task::Waker;

impl State {
    /// Returns whether no permit is out, no call waits, and no caller is resolving the limit.
    pub(in super::super) fn is_idle(&mut self, word: &AtomicU64) -> bool {
        self.bank_available(word);
        self.binding != Binding::Claimed && self.is_drained(word)
    }

    /// Returns whether no permit is out and no call waits.
    pub(super) fn is_drained(&self, word: &AtomicU64) -> bool {
        self.in_use(word) == 0 && self.queue.len() == 0
    }

    /// Returns whether no permit is out and no call waits. If not, keeps the waker until that is so. The
    /// second result is a waker to be dropped after unlocking.
    pub(in super::super) fn poll_drained(
        &mut self,
        word: &AtomicU64,
        drainer: u64,
        waker: Waker,
    ) -> (bool, Option<Waker>) {
        self.set_slow(word);
        if self.is_drained(word) {
            return (true, Some(waker));
        }
        (false, self.modes_mut().drainers.set(drainer, waker))
    }

    /// Forgets a drainer. Its waker is to be dropped after unlocking.
    pub(in super::super) fn forget_drainer(&mut self, drainer: u64) -> Option<Waker> {
        self.modes.as_deref_mut()?.drainers.remove(drainer)
    }
}
