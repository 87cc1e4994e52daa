//! Taking a permit of a limiter that the future may own.

use super::{Shared, SharedLimiter};
use crate::acquire::{Acquire, acquiring::Acquiring};
use crate::admission::Admission;
use crate::keying::{InShare, MaybeShare};
use crate::permit::Permit;
use crate::recorder::CallSite;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// An [`Acquire`](crate::Acquire) that may own its limiter.
pub(crate) enum AcquireShared<E: Admission> {
    Static(Acquire<'static, E, MaybeShare>),
    /// Boxed, because it refers to the limiter that it owns.
    Counted(Pin<Box<dyn Future<Output = Result<Permit, E>> + Send + Sync>>),
}

impl<E: Admission> Acquiring for AcquireShared<E> {
    type Refusal = E;

    fn poll_permit(&mut self, context: &mut Context<'_>) -> Poll<Result<Permit, E>> {
        match self {
            Self::Static(acquire) => acquire.poll_permit(context),
            Self::Counted(acquire) => acquire.as_mut().poll(context),
        }
    }
}

impl<E: Admission> fmt::Debug for AcquireShared<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireShared").finish_non_exhaustive()
    }
}

impl<E: Admission> SharedLimiter<E> {
    /// Takes a permit as [`Limiter::acquire`] does, for a call of a share or of none. The returned future borrows
    /// nothing.
    pub(crate) fn acquire_shared(
        &self,
        share: Option<InShare>,
        site: CallSite,
    ) -> AcquireShared<E> {
        match &self.0 {
            Shared::Static(limiter) => {
                AcquireShared::Static(limiter.acquire_maybe_in_share(share, site))
            }
            Shared::Counted(limiter) => {
                let limiter = Arc::clone(limiter);
                let acquire =
                    async move { E::result(limiter.acquire_maybe_in_share(share, site).await) };
                AcquireShared::Counted(Box::pin(acquire))
            }
        }
    }
}
