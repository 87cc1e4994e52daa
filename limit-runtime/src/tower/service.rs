//! A service behind a limiter.

use super::future::{ReservedFuture, ResponseFuture};
use super::hold::{Hold, UntilResponse};
use super::layer::LimitLayer;
use super::mode::{OnCall, Reserving};
use super::refusals::{AsError, Refusals};
use super::reserve::Reserve;
use crate::admission::Admission;
use crate::limiter::SharedLimiter;
use std::convert::Infallible;
use std::fmt;
use std::mem;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// A service whose calls take a permit each: what a [`LimitLayer`] makes.
///
/// The inner service must be [`Clone`]: a call takes one with it, to make the inner call when it has
/// its permit. (Not so if the layer is [`reserving`](LimitLayer::reserving): then the permit is there
/// before the call.)
///
/// # Examples
///
/// See [`LimitLayer`].
pub struct Limit<S, E: Admission = Infallible, R = AsError<E>, H = UntilResponse, M = OnCall> {
    inner: S,
    layer: LimitLayer<E, R, H, M>,
    /// Nothing, unless it is reserving.
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

impl<S, E: Admission, R, H, M> Limit<S, E, R, H, M> {
    pub(super) fn new(inner: S, layer: LimitLayer<E, R, H, M>) -> Self {
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

impl<S, Request, E, R, H> Service<Request> for Limit<S, E, R, H, OnCall>
where
    S: Service<Request> + Clone,
    E: Admission,
    R: Refusals<E, S::Response, S::Error>,
    H: Hold<Request, S::Response>,
{
    type Response = H::Held;
    type Error = R::Error;
    type Future = ResponseFuture<S, Request, E, R, H>;

    /// Whether the inner service is ready. No permit is taken here.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), R::Error>> {
        self.inner.poll_ready(context).map_err(R::error)
    }

    /// Calls the inner service when there is a permit, and takes that when it is polled.
    fn call(&mut self, request: Request) -> Self::Future {
        // The one that was asked whether it is ready goes with the call.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);
        let (refusals, hold) = (self.layer.refusals().clone(), self.layer.hold().clone());
        ResponseFuture::new(self.layer.acquire(), ready, request, refusals, hold)
    }
}

impl<S, Request, E, R, H> Service<Request> for Limit<S, E, R, H, Reserving>
where
    S: Service<Request>,
    E: Admission,
    R: Refusals<E, S::Response, S::Error>,
    H: Hold<Request, S::Response>,
{
    type Response = H::Held;
    type Error = R::Error;
    type Future = ReservedFuture<S, Request, E, R, H>;

    /// Whether the inner service is ready and there is a permit, or no hope of one.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), R::Error>> {
        // Not in the service while foreign code runs. One whose inner service fails or panics is not
        // called any more, but may be kept for long.
        let reserve = self.reserve.take();
        // First, so that no permit is taken while this is not ready for it.
        match self.inner.poll_ready(context) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(R::error(error))),
            Poll::Pending => {
                self.reserve = reserve;
                return Poll::Pending;
            }
        }
        let reserve = reserve.unwrap_or_else(|| Reserve::new(self.layer.acquire()));
        self.reserve.insert(reserve).poll_ready(context).map(Ok)
    }

    /// Calls the inner service, unless the call is refused.
    ///
    /// # Panics
    ///
    /// If `poll_ready` has not said that it is ready, as tower allows: there is no permit then.
    fn call(&mut self, request: Request) -> Self::Future {
        let result = self.reserve.take().and_then(Reserve::take);
        let result =
            result.expect("`call` without `poll_ready`: a reserving `Limit` must be ready first");
        let (refusals, hold) = (self.layer.refusals().clone(), self.layer.hold().clone());
        ReservedFuture::new(&mut self.inner, request, result, refusals, hold)
    }
}

impl<S: Clone, E: Admission, R: Clone, H: Clone, M: Clone> Clone for Limit<S, E, R, H, M> {
    /// Of the same limiter. What is reserved is not the clone's.
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.layer.clone())
    }
}

impl<S: fmt::Debug, E: Admission, R, H, M> fmt::Debug for Limit<S, E, R, H, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limit")
            .field("inner", &self.inner)
            .field("limiter", self.layer.limiter())
            .field("reserve", &self.reserve)
            .finish_non_exhaustive()
    }
}

impl<S, E: Admission, R: Clone, H: Clone, M: Clone> Layer<S> for LimitLayer<E, R, H, M> {
    type Service = Limit<S, E, R, H, M>;

    fn layer(&self, inner: S) -> Self::Service {
        Limit::new(inner, self.clone())
    }
}
