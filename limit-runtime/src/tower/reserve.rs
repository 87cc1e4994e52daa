//! A permit on its way to a call.

use crate::acquire::Acquire;
use crate::admission::Admission;
use crate::diagnostics::Site;
use crate::limiter::{Shared, SharedLimiter};
use crate::permit::Permit;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// [`Acquire`], for as long as one likes: with a limiter that may be owned.
enum Acquiring<E: Admission> {
    Static(Acquire<'static, E>),
    /// Boxed, because it refers to the limiter that it owns.
    Counted(Pin<Box<dyn Future<Output = Result<Permit, E>> + Send + Sync>>),
}

impl<E: Admission> Acquiring<E> {
    fn new(limiter: &SharedLimiter<E>, site: Site) -> Self {
        match limiter.inner() {
            Shared::Static(limiter) => Self::Static(limiter.acquire_at(site)),
            Shared::Counted(limiter) => {
                let limiter = Arc::clone(limiter);
                Self::Counted(Box::pin(async move { E::result(limiter.acquire_at(site).await) }))
            }
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Permit, E>> {
        match self {
            Self::Static(acquire) => Pin::new(acquire).poll(context).map(E::result),
            Self::Counted(acquire) => acquire.as_mut().poll(context),
        }
    }
}

impl<E: Admission> fmt::Debug for Acquiring<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquiring").finish_non_exhaustive()
    }
}

/// A permit on its way to a call: asked for by the call, or before it by the service.
#[derive(Debug)]
pub(super) struct Reserve<E: Admission> {
    acquiring: Acquiring<E>,
    /// A permit, or that there is none: then the call is refused, and the service goes on.
    acquired: Option<Result<Permit, E>>,
}

impl<E: Admission> Reserve<E> {
    pub(super) fn new(limiter: &SharedLimiter<E>, site: Site) -> Self {
        Self { acquiring: Acquiring::new(limiter, site), acquired: None }
    }

    /// Whether it is known what the call gets.
    pub(super) fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.acquired.is_none() {
            self.acquired = Some(ready!(self.acquiring.poll(context)));
        }
        Poll::Ready(())
    }

    /// What the call gets. Not to be polled again then.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Permit, E>> {
        match self.acquired.take() {
            Some(result) => Poll::Ready(result),
            None => self.acquiring.poll(context),
        }
    }
}
