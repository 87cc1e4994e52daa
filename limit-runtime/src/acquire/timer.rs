//! The clock of a call that does not wait for ever.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::runtime::{Handle, Id};
use tokio::time::{Instant, Sleep, sleep_until};

/// Made when the call begins to wait.
pub(super) struct Timer {
    since: Instant,
    deadline: Instant,
    /// And the runtime whose clock it is: a call may go on in another when that has ended.
    sleep: Option<(Pin<Box<Sleep>>, Option<Id>)>,
}

impl Timer {
    pub(super) fn new(since: Instant, deadline: Instant) -> Self {
        Self { since, deadline, sleep: None }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// Ready when the deadline has passed.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let runtime = Handle::try_current().ok().map(|handle| handle.id());
        self.sleep.take_if(|(_, of)| *of != runtime);
        let (sleep, _) =
            self.sleep.get_or_insert_with(|| (Box::pin(sleep_until(self.deadline)), runtime));
        ready!(sleep.as_mut().poll(context));
        Poll::Ready(())
    }
}
