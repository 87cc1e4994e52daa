//! The messages to a ledger's task.

use crate::message::Push;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Notify, mpsc};

/// The way to a ledger's task.
#[derive(Clone)]
pub(super) struct Inbox {
    /// Notified of calls that wait, and of permits that come back.
    pub(super) wake: Arc<Notify>,
    /// Notified of a changed limit, of a dropped limiter, and of a clock that has stepped. The task looks also if
    /// no call could change when it speaks.
    pub(super) look: Arc<Notify>,
    /// Set with each wake, and cleared by the task. So a wake that comes while the task ends is seen.
    pub(super) woken: Arc<AtomicBool>,
    pub(super) pushes: mpsc::Sender<Push>,
}

impl Inbox {
    pub(super) fn wake(&self) {
        self.woken.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    pub(super) fn look(&self) {
        self.look.notify_one();
    }
}

/// `true` if the task is to give its share back and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    No,
    /// After the first message.
    Now,
    /// When the calls that run have ended, too.
    AfterCalls,
}
