//! A permit on its way to a call.

use crate::acquire::run::Acquiring as _;
use crate::admission::Admission;
use crate::diagnostics::Site;
use crate::limiter::{AcquireShared, SharedLimiter};
use crate::permit::Permit;
use std::task::{Context, Poll, ready};

/// A permit on its way to a call: asked for by the call, or before it by the service.
#[derive(Debug)]
pub(super) struct Reserve<E: Admission> {
    acquiring: AcquireShared<E>,
    /// A permit, or that there is none: then the call is refused, and the service goes on.
    acquired: Option<Result<Permit, E>>,
}

impl<E: Admission> Reserve<E> {
    pub(super) fn new(limiter: &SharedLimiter<E>, site: Site) -> Self {
        Self { acquiring: limiter.acquire_shared(site), acquired: None }
    }

    /// Whether it is known what the call gets.
    pub(super) fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.acquired.is_none() {
            self.acquired = Some(ready!(self.acquiring.poll_permit(context)));
        }
        Poll::Ready(())
    }

    /// What the call gets. Not to be polled again then.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Permit, E>> {
        match self.acquired.take() {
            Some(result) => Poll::Ready(result),
            None => self.acquiring.poll_permit(context),
        }
    }
}
