//! A permit that a service takes before it is called.

use crate::acquire::acquiring::Acquiring as _;
use crate::admission::Admission;
use crate::limiter::AcquireShared;
use crate::permit::Permit;
use crate::unwind::Quiet;
use std::task::{Context, Poll, ready};

/// A permit that a service takes before it is called. Dropping it gives back the permit, or leaves
/// the queue.
#[derive(Debug)]
pub(super) struct Reserve<E: Admission> {
    acquiring: AcquireShared<E>,
    /// The permit or the refusal, once known. A refused call does not end the service.
    acquired: Option<Result<Permit, E>>,
}

impl<E: Admission> Reserve<E> {
    pub(super) fn new(acquiring: AcquireShared<E>) -> Self {
        Self { acquiring, acquired: None }
    }

    /// Waits for the permit or the refusal.
    pub(super) fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.acquired.is_none() {
            let acquired = ready!(self.acquiring.poll_permit(context));
            if let Ok(permit) = &acquired {
                // Until the service is called, nobody is known to run under it.
                permit.hand_over();
            }
            self.acquired = Some(acquired);
        }
        Poll::Ready(())
    }

    /// Returns whether there is a permit of a fleet whose lease was lost. The call needs another one.
    pub(super) fn has_lost_lease(&self) -> bool {
        matches!(&self.acquired, Some(Ok(permit)) if permit.has_lost_lease())
    }

    /// Takes the permit or the refusal, if known.
    pub(super) fn take(&mut self) -> Option<Result<Quiet<Permit>, E>> {
        Some(self.acquired.take()?.map(Quiet::new))
    }
}
