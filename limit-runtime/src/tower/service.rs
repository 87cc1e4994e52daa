//! A service behind a limiter.

use super::future::{ReservedFuture, ResponseFuture};
use super::hold::{Hold, UntilResponse};
use super::layer::LimitLayer;
use super::mode::{InShares, OnCall, Reserving};
use super::refusals::{AsError, Refusals};
use super::reserve::Reserve;
use crate::admission::Admission;
use crate::keying::InShare;
use crate::limiter::SharedLimiter;
use crate::unwind::Quiet;
use std::convert::Infallible;
use std::fmt;
use std::mem;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// A service whose calls take a permit each. A [`LimitLayer`] makes it.
///
/// The inner service must be [`Clone`]: a call takes one along, to call it when there is a permit.
/// (If the layer is [`reserving`](LimitLayer::reserving), the permit is there before the call, and
/// the inner service need not be `Clone`.)
///
/// # Examples
///
/// See [`LimitLayer`].
pub struct Limit<S, E: Admission = Infallible, R = AsError<E>, H = UntilResponse, M = OnCall> {
    inner: S,
    layer: LimitLayer<E, R, H, M>,
    /// The permit that `poll_ready` takes, in the mode `Reserving`. Its drop is quiet, because the
    /// code that drops it has an error or a panic to pass on.
    reserve: Option<Quiet<Reserve<E>>>,
}

impl<S, E: Admission> Limit<S, E> {
    /// Puts a limiter in front of a service: short for a [`LimitLayer`].
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
    /// let double = Limit::new(double, Limiter::new("doubles", 3));
    /// assert_eq!(double.clone().oneshot(4).await?, 8);
    /// assert_eq!(double.limiter().snapshot().total.admitted_at_once, 1);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn new(inner: S, limiter: impl Into<SharedLimiter<E>>) -> Self {
        Self::from_layer(inner, LimitLayer::new(limiter))
    }
}

impl<S, E: Admission, R, H, M> Limit<S, E, R, H, M> {
    pub(super) fn from_layer(inner: S, layer: LimitLayer<E, R, H, M>) -> Self {
        Self { inner, layer, reserve: None }
    }

    /// Returns the inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns the inner service. Calls that are made on it directly are under no limit.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the inner service. A permit that was reserved comes back.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// Returns the limiter.
    pub fn limiter(&self) -> &SharedLimiter<E> {
        self.layer.limiter()
    }

    /// Returns the response of a call of a share, or of none, that waits for its permit.
    fn call_in<Request>(
        &mut self,
        share: Option<InShare>,
        request: Request,
    ) -> ResponseFuture<S, Request, E, R, H>
    where
        S: Service<Request> + Clone,
        R: Clone,
        H: Hold<Request, S::Response>,
    {
        // The instance that was asked whether it is ready goes with the call.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);
        let (refusals, hold) = (self.layer.refusals().clone(), self.layer.hold().clone());
        ResponseFuture::new(self.layer.acquire(share), ready, request, refusals, hold)
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

    /// Asks whether the inner service is ready. No permit is taken here.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), R::Error>> {
        self.inner.poll_ready(context).map_err(R::error)
    }

    /// Returns a future that takes a permit when it is polled, and then calls the inner service.
    fn call(&mut self, request: Request) -> Self::Future {
        self.call_in(None, request)
    }
}

impl<S, Request, E, R, H, F, Name> Service<Request> for Limit<S, E, R, H, InShares<F>>
where
    S: Service<Request> + Clone,
    E: Admission,
    R: Refusals<E, S::Response, S::Error>,
    H: Hold<Request, S::Response>,
    F: Fn(&Request) -> Name,
    Name: AsRef<str>,
{
    type Response = H::Held;
    type Error = R::Error;
    type Future = ResponseFuture<S, Request, E, R, H>;

    /// Asks whether the inner service is ready. No permit is taken here.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), R::Error>> {
        self.inner.poll_ready(context).map_err(R::error)
    }

    /// Asks for the share of the request. Returns a future that takes a permit when it is polled, and then calls the inner
    /// service.
    fn call(&mut self, request: Request) -> Self::Future {
        let share = self.layer.share_of(&request);
        self.call_in(Some(share), request)
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

    /// Waits until the inner service is ready, and then for the permit or the refusal.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), R::Error>> {
        // The permit is not in the service while foreign code runs. If the inner service fails or
        // panics, the permit comes back: the service is not called any more, but may be kept for
        // long.
        let mut reserve = self.reserve.take();
        // The inner service first, so that no permit is taken while it is not ready.
        match self.inner.poll_ready(context) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(R::error(error))),
            Poll::Pending => {
                self.reserve = reserve;
                return Poll::Pending;
            }
        }
        // A permit that was lost while it was kept is given back. The call waits for another.
        drop(reserve.take_if(|reserve| reserve.get_mut().has_lost_lease()));
        let reserve = reserve.unwrap_or_else(|| Quiet::new(Reserve::new(self.layer.acquire(None))));
        self.reserve.insert(reserve).get_mut().poll_ready(context).map(Ok)
    }

    /// Calls the inner service, unless the call is refused.
    ///
    /// # Panics
    ///
    /// If `poll_ready` has not returned `Ready` before, as tower allows. There is no permit then.
    fn call(&mut self, request: Request) -> Self::Future {
        let result = self.reserve.take().and_then(|mut reserve| reserve.get_mut().take());
        let result =
            result.expect("`call` without `poll_ready`: a reserving `Limit` must be ready first");
        let (refusals, hold) = (self.layer.refusals().clone(), self.layer.hold().clone());
        ReservedFuture::new(&mut self.inner, request, result, refusals, hold)
    }
}

impl<S: Clone, E: Admission, R: Clone, H: Clone, M: Clone> Clone for Limit<S, E, R, H, M> {
    /// Makes a service of the same limiter. It has not reserved a permit.
    fn clone(&self) -> Self {
        Self::from_layer(self.inner.clone(), self.layer.clone())
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
        Limit::from_layer(inner, self.clone())
    }
}
