//! Waiting for the next change of a limiter's settings.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// The changes of a limiter's settings, from the creation of this value on. Becomes ready once for
/// all changes since it was ready last.
pub(crate) struct Changes {
    notify: Arc<Notify>,
    notified: Pin<Box<OwnedNotified>>,
}

impl Changes {
    pub(crate) fn new(notify: Arc<Notify>) -> Self {
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

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").finish_non_exhaustive()
    }
}
