//! Waiting for the next change of a limiter's settings.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// The changes of a limiter's settings, from the creation of this value on: see
/// [`LimiterHandle::changes`](crate::LimiterHandle::changes).
#[derive(Debug)]
pub struct Changes {
    notify: Arc<Notify>,
    notified: Pin<Box<OwnedNotified>>,
}

impl Changes {
    pub(super) fn new(notify: Arc<Notify>) -> Self {
        let notified = Box::pin(Arc::clone(&notify).notified_owned());
        Self { notify, notified }
    }

    /// Waits for a change of a setting since this was last ready, or since the creation. It is ready once for
    /// all changes since then.
    ///
    /// Cancel safe: dropping the future loses no change.
    pub async fn changed(&mut self) {
        poll_fn(|context| self.poll(context)).await;
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        ready!(self.notified.as_mut().poll(context));
        // Registered before the caller looks at the settings, so that a later change is not missed.
        self.notified.set(Arc::clone(&self.notify).notified_owned());
        Poll::Ready(())
    }
}
