//! A permit that a service takes before it is called.

use super::layer::LimitLayer;
use super::mode::{OnCall, Reserving};
use crate::acquire::acquiring::Acquiring as _;
use crate::admission::Admission;
use crate::limiter::AcquireShared;
use crate::permit::Permit;
use crate::unwind::Quiet;
use std::task::{Context, Poll, ready};

// Only these: a permit that is taken before the request is known is for no share.
impl<E: Admission, R, H> LimitLayer<E, R, H, OnCall> {
    /// Takes the permit in `poll_ready`, for layers that act on readiness, such as tower's
    /// `load_shed` and `balance`. The call then calls the inner service at once. The inner service
    /// need not be [`Clone`].
    ///
    /// **A service that is ready holds a permit** until it is called or dropped, and a service that
    /// waits to be ready is a waiter in the queue. So an idle clone keeps other calls out: call
    /// every clone that you have polled ready. (After `load_shed` has refused a call, the service
    /// behind it waits on. A permit that it is handed goes to another call after
    /// [`claim_within`](crate::Limiter::claim_within), unless the service is polled again.) The clone
    /// of a service that holds a permit holds none itself.
    ///
    /// A refused call fails when it is made, even if the refusal was known to `poll_ready`. An
    /// error of `poll_ready` would say that the service has ended for ever. A call of a service
    /// that was not polled ready panics.
    ///
    /// With [`Scope::Fleet`](crate::Scope::Fleet) the lease of a reserved permit may end before the
    /// call. The next `poll_ready` then waits for another permit.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    /// use limit_runtime::tower::LimitLayer;
    /// use std::convert::Infallible;
    /// use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
    ///
    /// static UPSTREAM: Limiter = Limiter::new("reserving", 10);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Infallible> {
    /// let mut service = ServiceBuilder::new()
    ///     .layer(LimitLayer::new(&UPSTREAM).reserving())
    ///     .service(service_fn(async |n: u32| Ok::<_, Infallible>(n + 1)));
    /// let ready = service.ready().await?;
    /// assert_eq!(UPSTREAM.snapshot().total.in_use, 1);
    /// assert_eq!(ready.call(1).await?, 2);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn reserving(self) -> LimitLayer<E, R, H, Reserving> {
        self.with_mode(Reserving)
    }
}

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
