//! What a ledger's task is told.

use crate::message::Push;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Notify, mpsc};

/// The way to a ledger's task.
#[derive(Clone)]
pub(super) struct Inbox {
    /// Notified of calls that wait, of permits that come back, and of a changed limit.
    pub(super) wake: Arc<Notify>,
    /// Set with each wake, and cleared by the task. So a wake that comes while the task ends is seen.
    pub(super) woken: Arc<AtomicBool>,
    pub(super) pushes: mpsc::Sender<Push>,
}

impl Inbox {
    pub(super) fn wake(&self) {
        self.woken.store(true, Ordering::Release);
        self.wake.notify_one();
    }
}

/// Whether the task is to give its share back and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    No,
    /// After the first message.
    Now,
    /// When the calls that run have ended, too.
    AfterCalls,
}
