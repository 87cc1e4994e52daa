//! A semaphore that is closed: calls that can be refused are.

use super::super::wake_list::WakeList;
use super::State;
use crate::rejected::RejectedKind;
use crate::sync::AtomicU64;

impl State {
    /// Refuses the calls that can be refused from now on, and those of them that wait. At a shadow no
    /// call waits.
    pub(in super::super) fn close(&mut self, word: &AtomicU64, wakers: &mut WakeList) {
        self.set_slow(word);
        self.modes_mut().closed = true;
        self.dismiss_all_that(word, RejectedKind::Closed, wakers, |_, fallible| fallible);
    }

    pub(in super::super) fn reopen(&mut self) {
        if let Some(modes) = &mut self.modes {
            modes.closed = false;
        }
    }
}
