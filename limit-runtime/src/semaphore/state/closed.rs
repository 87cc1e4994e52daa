//! A semaphore that is closed: calls are refused. Only limiters whose calls can be refused close one.

use super::super::wake_list::WakeList;
use super::State;
use crate::rejected::RejectedKind;
use crate::sync::AtomicU64;

impl State {
    /// Refuses calls from now on, and those that wait. At a shadow no call waits.
    pub(in super::super) fn close(&mut self, word: &AtomicU64, wakers: &mut WakeList) {
        self.set_slow(word);
        self.modes_mut().closed = true;
        self.dismiss_all_that(word, Some(RejectedKind::Closed), wakers, |_, _, _| true);
    }

    pub(in super::super) fn reopen(&mut self) {
        if let Some(modes) = &mut self.modes {
            modes.closed = false;
        }
    }
}
