//! To be told when a limiter's limit changes.

use super::{Core, Limiter};
use crate::admission::Admission;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// Ready once for all changes since it was ready last.
pub(crate) struct LimitChanged {
    notify: Arc<Notify>,
    notified: Pin<Box<OwnedNotified>>,
}

impl<E: Admission, K> Limiter<E, K> {
    /// Tells of the changes from now on.
    pub(crate) fn limit_changed(&self) -> LimitChanged {
        LimitChanged::new(&self.core)
    }
}

impl LimitChanged {
    fn new(core: &Core) -> Self {
        let notify = core.entry().changed();
        let notified = Box::pin(Arc::clone(&notify).notified_owned());
        Self { notify, notified }
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        ready!(self.notified.as_mut().poll(context));
        // Before the caller looks at the limit: a change after that is not missed.
        self.notified.set(Arc::clone(&self.notify).notified_owned());
        Poll::Ready(())
    }
}

impl fmt::Debug for LimitChanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitChanged").finish_non_exhaustive()
    }
}
