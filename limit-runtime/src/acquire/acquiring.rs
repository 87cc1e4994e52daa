//! A request for a permit, with or without a limiter of its own.

use super::Acquire;
use crate::admission::Admission;
use crate::keying::Keying;
use crate::permit::Permit;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A request for a permit that is under way.
pub(crate) trait Acquiring: Unpin {
    /// The answer to a refused call.
    type Refusal;

    /// Polls for the permit or the refusal, as a future.
    fn poll_permit(&mut self, context: &mut Context<'_>) -> Poll<Result<Permit, Self::Refusal>>;
}

impl<E: Admission, K: Keying> Acquiring for Acquire<'_, E, K> {
    type Refusal = E;

    fn poll_permit(&mut self, context: &mut Context<'_>) -> Poll<Result<Permit, E>> {
        Pin::new(self).poll(context).map(E::result)
    }
}
