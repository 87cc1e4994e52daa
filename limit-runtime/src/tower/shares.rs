//! Calls of a service that belong to shares of the limiter's permits.

use super::layer::LimitLayer;
use super::mode::{InShares, OnCall};
use crate::admission::Admission;
use crate::keying::InShare;

impl<E: Admission, R, H> LimitLayer<E, R, H, OnCall> {
    /// Asks a function about each request to which [share](crate::Limiter::shares) of the limiter's permits the call belongs.
    /// It returns the share's name, a `&'static str` or a `String`.
    ///
    /// A name that the limiter does not have stands for the `rest`, as with [`Limiter::share`](crate::Limiter::share).
    /// The function is called by the service's `call`, before the call waits. If the compiler asks for the request's type, write it:
    /// `|request: &Request<Body>| …`.
    ///
    /// A service that is [`reserving`](Self::reserving) takes its permit before it knows the request. So it has no shares.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::tower::LimitLayer;
    /// use limit_runtime::{Limiter, Share};
    /// use std::convert::Infallible;
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// static SEARCH: Limiter = Limiter::new("layer-shares", 10)
    ///     .shares(&[Share::new("live", 70), Share::new("batch", 20).at_most(50)]);
    ///
    /// struct Query { is_batch: bool }
    ///
    /// fn share_of(query: &Query) -> &'static str {
    ///     if query.is_batch { "batch" } else { "live" }
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Infallible> {
    /// let search = ServiceBuilder::new()
    ///     .layer(LimitLayer::new(&SEARCH).share(share_of))
    ///     .service(service_fn(async |_: Query| {
    ///         let [live, batch, _rest] = &SEARCH.snapshot().shares[..] else { unreachable!() };
    ///         Ok::<_, Infallible>((live.in_use, batch.in_use))
    ///     }));
    /// assert_eq!(search.clone().oneshot(Query { is_batch: false }).await?, (1, 0));
    /// assert_eq!(search.oneshot(Query { is_batch: true }).await?, (0, 1));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn share<F, Request, Name>(self, share_of: F) -> LimitLayer<E, R, H, InShares<F>>
    where
        F: Fn(&Request) -> Name + Clone,
        Name: AsRef<str>,
    {
        self.with_mode(InShares(share_of))
    }
}

impl<E: Admission, R, H, F> LimitLayer<E, R, H, InShares<F>> {
    /// Returns the share to which the call with a request belongs.
    pub(super) fn share_of<Request, Name>(&self, request: &Request) -> InShare
    where
        F: Fn(&Request) -> Name,
        Name: AsRef<str>,
    {
        self.limiter().find_share((self.mode().0)(request).as_ref())
    }
}
