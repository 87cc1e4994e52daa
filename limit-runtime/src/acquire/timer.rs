//! The clock of a call that does not wait for ever.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::runtime::{Handle, Id};
use tokio::time::{Instant, Sleep, sleep_until};

/// Made when the call begins to wait.
pub(super) struct Timer {
    since: Instant,
    deadline: Option<Instant>,
    /// And the runtime whose clock it is: a call may go on in another when that has ended.
    sleep: Option<(Pin<Box<Sleep>>, Option<Id>)>,
}

impl Timer {
    pub(super) fn new(since: Instant, deadline: Option<Instant>) -> Self {
        Self { since, deadline, sleep: None }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// Whether the deadline has passed.
    pub(super) fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Ready when the deadline has passed, or the moment at which to look at something else. Without
    /// either it is never ready.
    pub(super) fn poll(&mut self, context: &mut Context<'_>, look: Option<Instant>) -> Poll<()> {
        let Some(until) = self.deadline.into_iter().chain(look).min() else {
            self.sleep = None;
            return Poll::Pending;
        };
        let runtime = Handle::try_current().ok().map(|handle| handle.id());
        match &mut self.sleep {
            Some((sleep, of)) if *of == runtime => {
                if sleep.deadline() != until {
                    sleep.as_mut().reset(until);
                }
            }
            _ => self.sleep = Some((Box::pin(sleep_until(until)), runtime)),
        }
        match &mut self.sleep {
            Some((sleep, _)) => sleep.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}
