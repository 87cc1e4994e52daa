//! Waiting for the next change of a limiter's settings.

use super::Engine;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// The changes of a limiter's settings, from the creation of this value on: see
/// [`LimiterHandle::changes`](crate::LimiterHandle::changes).
#[derive(Debug)]
#[cfg_attr(not(feature = "inspect"), expect(unreachable_pub, reason = "it is, by the feature"))]
pub struct Changes {
    notify: Arc<Notify>,
    notified: Pin<Box<OwnedNotified>>,
}

impl Changes {
    pub(super) fn new(notify: Arc<Notify>) -> Self {
        let notified = Box::pin(Arc::clone(&notify).notified_owned());
        Self { notify, notified }
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        ready!(self.notified.as_mut().poll(context));
        // Registered before the caller looks at the settings, so that a later change is not missed.
        self.notified.set(Arc::clone(&self.notify).notified_owned());
        Poll::Ready(())
    }
}

impl Engine {
    /// Returns the changes of the settings from now on.
    pub(crate) fn changes(&self) -> Changes {
        Changes::new(Arc::clone(&self.changed))
    }
}
