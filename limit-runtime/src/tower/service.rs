//! A service behind a limiter.

use super::future::ResponseFuture;
use super::hold::{Hold, UntilResponse};
use super::layer::LimitLayer;
use super::refusals::{AsError, Refusals};
use super::reserve::Reserve;
use crate::admission::Admission;
use crate::limiter::SharedLimiter;
use std::convert::Infallible;
use std::fmt;
use std::mem;
use std::task::{Context, Poll, ready};
use tower_service::Service;

/// A service whose calls take a permit each: what a [`LimitLayer`] makes.
///
/// The inner service must be [`Clone`]: a call takes one with it, to make the inner call when it has
/// its permit.
///
/// # Examples
///
/// See [`LimitLayer`].
pub struct Limit<S, E: Admission = Infallible, R = AsError<E>, H = UntilResponse> {
    inner: S,
    layer: LimitLayer<E, R, H>,
    reserve: Option<Reserve<E>>,
}

impl<S, E: Admission> Limit<S, E> {
    /// That service behind that limiter: short for a [`LimitLayer`].
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    /// use limit_runtime::tower::Limit;
    /// use std::convert::Infallible;
    /// use tower::{ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Infallible> {
    /// let double = service_fn(async |n: u32| Ok::<_, Infallible>(2 * n));
    /// let double = Limit::of(double, Limiter::new("doubles", 3));
    /// assert_eq!(double.clone().oneshot(4).await?, 8);
    /// assert_eq!(double.limiter().snapshot().total.admitted_at_once, 1);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn of(inner: S, limiter: impl Into<SharedLimiter<E>>) -> Self {
        Self::new(inner, LimitLayer::new(limiter))
    }
}

impl<S, E: Admission, R, H> Limit<S, E, R, H> {
    pub(super) fn new(inner: S, layer: LimitLayer<E, R, H>) -> Self {
        Self { inner, layer, reserve: None }
    }

    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service. What is done with it here is under no limit.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The inner service. A permit that was reserved goes back.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// The limiter.
    pub fn limiter(&self) -> &SharedLimiter<E> {
        self.layer.limiter()
    }
}

impl<S, Request, E, R, H> Service<Request> for Limit<S, E, R, H>
where
    S: Service<Request> + Clone,
    E: Admission,
    R: Refusals<E, S::Response, S::Error>,
    H: Hold<S::Response>,
{
    type Response = H::Held;
    type Error = R::Error;
    type Future = ResponseFuture<S, Request, E, R, H>;

    /// Whether the inner service is ready. No permit is taken here, unless the layer is
    /// [`reserving`](LimitLayer::reserving).
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), R::Error>> {
        // First, so that no permit is taken while this is not ready for it.
        if let Err(error) = ready!(self.inner.poll_ready(context)) {
            // It may be kept for long, and is not called any more.
            self.reserve = None;
            return Poll::Ready(Err(R::error(error)));
        }
        if self.layer.is_reserving() {
            let layer = &self.layer;
            ready!(self.reserve.get_or_insert_with(|| layer.reserve()).poll_ready(context));
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The one that was asked whether it is ready goes with the call.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);
        let reserve = self.reserve.take().unwrap_or_else(|| self.layer.reserve());
        let (refusals, hold) = (self.layer.refusals().clone(), self.layer.hold().clone());
        ResponseFuture::new(ready, request, reserve, refusals, hold)
    }
}

impl<S: Clone, E: Admission, R: Clone, H: Clone> Clone for Limit<S, E, R, H> {
    /// Of the same limiter. What is reserved is not the clone's.
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.layer.clone())
    }
}

impl<S: fmt::Debug, E: Admission, R, H> fmt::Debug for Limit<S, E, R, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limit")
            .field("inner", &self.inner)
            .field("limiter", self.layer.limiter())
            .field("reserve", &self.reserve)
            .finish_non_exhaustive()
    }
}
