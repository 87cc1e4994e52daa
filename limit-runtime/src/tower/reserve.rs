//! A permit that a service takes before it is called.

use crate::acquire::acquiring::Acquiring as _;
use crate::admission::Admission;
use crate::limiter::AcquireShared;
use crate::permit::Permit;
use crate::unwind::Quiet;
use std::task::{Context, Poll, ready};

/// A permit that a service takes before it is called. Dropping it gives back the permit or the place in
/// the queue, and never panics: who drops it has an error, or a panic, to pass on.
#[derive(Debug)]
pub(super) struct Reserve<E: Admission>(Quiet<OnItsWay<E>>);

#[derive(Debug)]
struct OnItsWay<E: Admission> {
    acquiring: AcquireShared<E>,
    /// A permit, or that there is none: then the call is refused, and the service goes on.
    acquired: Option<Result<Permit, E>>,
}

impl<E: Admission> Reserve<E> {
    pub(super) fn new(acquiring: AcquireShared<E>) -> Self {
        Self(Quiet::new(OnItsWay { acquiring, acquired: None }))
    }

    /// Whether it is known what the call gets.
    pub(super) fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let OnItsWay { acquiring, acquired } = self.0.get_mut();
        if acquired.is_none() {
            *acquired = Some(ready!(acquiring.poll_permit(context)));
        }
        Poll::Ready(())
    }

    /// What the call gets, if that is known.
    pub(super) fn take(mut self) -> Option<Result<Quiet<Permit>, E>> {
        Some(self.0.get_mut().acquired.take()?.map(Quiet::new))
    }
}
