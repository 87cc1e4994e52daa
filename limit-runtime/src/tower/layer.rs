//! The layer that puts a limiter in front of services.

use super::hold::{HandOver, UntilResponse};
use super::mode::OnCall;
use super::overload::Overloads;
use super::refusals::{AsError, OnReject};
use crate::adaptive::Overload;
use crate::admission::Admission;
use crate::keying::InShare;
use crate::limiter::{AcquireShared, SharedLimiter};
use crate::permit::Permit;
use crate::recorder::CallSite;
use crate::rejected::Rejected;
use std::convert::Infallible;

/// Puts a limiter in front of services: each call takes a permit of the limiter. See the
/// [module](super).
///
/// # Examples
///
/// A call waits in its future; the limit is one for all clones:
///
/// ```
/// use limit_runtime::Limiter;
/// use limit_runtime::tower::LimitLayer;
/// use std::convert::Infallible;
/// use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
///
/// static UPSTREAM: Limiter = Limiter::new("upstream", 10);
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Infallible> {
/// let mut service = ServiceBuilder::new()
///     .layer(LimitLayer::new(&UPSTREAM))
///     .service(service_fn(async |n: u32| Ok::<_, Infallible>(n + 1)));
/// assert_eq!(service.ready().await?.call(1).await?, 2);
/// # Ok(())
/// # }
/// ```
///
/// Over a limiter that can refuse calls:
///
/// ```
/// use limit_runtime::tower::LimitLayer;
/// use limit_runtime::{Limiter, Rejected, RejectedKind};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// static API: Limiter<Rejected> = Limiter::new("refusing", 1).max_waiting(0);
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Rejected> {
/// let service = ServiceBuilder::new()
///     .layer(LimitLayer::new(&API))
///     .service(service_fn(async |()| Ok::<_, std::io::Error>("done")));
/// let permit = API.try_acquire()?;
///
/// let error = service.oneshot(()).await.unwrap_err();
/// let rejected = error.downcast_ref::<Rejected>().expect("the call was refused");
/// assert_eq!(rejected.kind(), RejectedKind::QueueFull);
/// # drop(permit);
/// # Ok(())
/// # }
/// ```
///
/// # What a layer does not know
///
/// A layer asks each request for its [share](Self::share) at most. It has no key, no priority and no deadline of a request:
/// the limiter has no keys, and its own priority and `max_wait` hold for all requests. For these, write a middleware or a
/// handler that takes the permit itself. It holds the permit until the response is there, as a layer does:
///
/// ```
/// # #[cfg(feature = "axum-08")] {
/// use axum::extract::Request;
/// use axum::middleware::{Next, from_fn};
/// use axum::response::Response;
/// use axum::{Router, routing::get};
/// use limit_runtime::{KeyedLimiter, Limiter, Rejected};
///
/// static TENANTS: KeyedLimiter<Rejected> =
///     Limiter::new("layer-tenants", 3).keyed().total(20).max_waiting(10).max_waiting_total(1_000);
///
/// async fn limit_tenant(request: Request, next: Next) -> Result<Response, Rejected> {
///     let tenant = request.headers().get("x-tenant").map(|name| name.as_bytes().to_vec());
///     let priority = if request.uri().path() == "/health" { 9 } else { 0 };
///     let _permit = TENANTS.key(tenant).acquire().priority(priority).await?;
///     Ok(next.run(request).await)
/// }
///
/// let app: Router =
///     Router::new().route("/", get(|| async { "all is well" })).layer(from_fn(limit_tenant));
/// # let _ = app;
/// # }
/// ```
#[derive(Debug)]
pub struct LimitLayer<E: Admission = Infallible, R = AsError<E>, H = UntilResponse, M = OnCall> {
    limiter: SharedLimiter<E>,
    refusals: R,
    hold: H,
    mode: M,
    site: CallSite,
}

impl<E: Admission> LimitLayer<E> {
    /// Makes a layer with this limiter: `&STATIC`, an `Arc<Limiter>`, or a limiter of its own.
    #[must_use]
    #[track_caller]
    pub fn new(limiter: impl Into<SharedLimiter<E>>) -> Self {
        let (refusals, hold, mode) = (AsError::new(), UntilResponse, OnCall);
        let site = CallSite::caller().of_polled();
        Self { limiter: limiter.into(), refusals, hold, mode, site }
    }
}

impl<E: Admission, R, H, M> LimitLayer<E, R, H, M> {
    /// Asks a function about each response whether it says that the backend is overloaded: 429, 503, or another answer
    /// of that kind. A limit that [adapts](crate::Limiter::adaptive) goes down when more than a tenth of the calls say
    /// so. A duration holds new calls off for that long, as `Retry-After` asks for. Call it last.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    /// use limit_runtime::tower::LimitLayer;
    /// use std::convert::Infallible;
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// static UPSTREAM: Limiter = Limiter::adaptive("layer-overload", 4..=200);
    ///
    /// /// Returns whether a status of HTTP says that the backend is overloaded.
    /// fn is_overloaded(status: &u16) -> bool {
    ///     matches!(status, 429 | 503)
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Infallible> {
    /// let service = ServiceBuilder::new()
    ///     .layer(LimitLayer::new(&UPSTREAM).overload(is_overloaded))
    ///     .service(service_fn(async |()| Ok::<_, Infallible>(200)));
    /// assert_eq!(service.oneshot(()).await?, 200);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn overload<F, Response, V>(self, overload: F) -> LimitLayer<E, R, Overloads<F, H>, M>
    where
        F: FnOnce(&Response) -> V + Clone,
        V: Overload,
    {
        let Self { limiter, refusals, hold, mode, site } = self;
        LimitLayer { limiter, refusals, hold: Overloads { overload, hold }, mode, site }
    }

    /// Returns the limiter.
    #[must_use]
    pub fn limiter(&self) -> &SharedLimiter<E> {
        &self.limiter
    }
}

// Only these: a verdict of `overload` would be lost if another hold took its place.
impl<E: Admission, R, M> LimitLayer<E, R, UntilResponse, M> {
    /// Gives the permit to a function, which puts it into the response: a connection or a stream,
    /// for example.
    ///
    /// The permit is `None` if the call was refused and [`on_reject`](LimitLayer::on_reject) has
    /// made the response. If the compiler asks for the response's type, write it: `|response:
    /// Response<Body>, permit| …`.
    ///
    /// A connection that is idle in a client's pool holds its permit too. Give hyper's legacy
    /// client a `pool_idle_timeout` and a `pool_timer`, without which it keeps idle connections for
    /// ever. reqwest takes its own type of connection only, so there a permit covers no more than
    /// the connecting.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::tower::LimitLayer;
    /// use limit_runtime::{Limiter, Permit};
    /// use std::convert::Infallible;
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// struct Connection { id: u32, _permit: Option<Permit> }
    ///
    /// static CONNECTIONS: Limiter = Limiter::new("connections", 100);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Infallible> {
    /// let connect = ServiceBuilder::new()
    ///     .layer(LimitLayer::new(&CONNECTIONS).hand_over(|id, permit| Connection { id, _permit: permit }))
    ///     .service(service_fn(async |()| Ok::<_, Infallible>(7)));
    /// let connection = connect.oneshot(()).await?;
    /// assert_eq!((connection.id, CONNECTIONS.snapshot().total.in_use), (7, 1));
    /// drop(connection);
    /// assert_eq!(CONNECTIONS.snapshot().total.in_use, 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn hand_over<F, Response, Held>(self, hand_over: F) -> LimitLayer<E, R, HandOver<F>, M>
    where
        F: FnOnce(Response, Option<Permit>) -> Held + Clone,
    {
        self.with_hold(HandOver(hand_over))
    }

    /// Holds the permit to the end of the body of an HTTP response: until the body has ended or
    /// failed, or is dropped.
    ///
    /// (A server that sends a response without its body drops the body: to HEAD, or with status 204
    /// or 304.)
    ///
    /// **An upgraded connection has no body.** After a response with status 101, or with 2xx to
    /// CONNECT, the connection goes on without the service. Its handler takes the permit along,
    /// from the request's extensions, where it is a [`SharedPermit`](super::SharedPermit).
    /// Otherwise the limit counts the handshakes and not the connections. (For a client's
    /// connections there is [`hand_over`](Self::hand_over).)
    ///
    /// # Examples
    ///
    /// A layer of axum, which answers refused calls with the figures and `Retry-After` (feature
    /// `axum-08`):
    ///
    /// ```
    /// # #[cfg(feature = "axum-08")] {
    /// use axum_core::response::IntoResponse; // axum::response::IntoResponse
    /// use limit_runtime::tower::LimitLayer;
    /// use limit_runtime::{Limiter, Rejected};
    ///
    /// static DOWNLOADS: Limiter<Rejected> = Limiter::new("layer-downloads", 20).max_waiting(100);
    ///
    /// let layer = LimitLayer::new(&DOWNLOADS).on_reject(Rejected::into_response).until_body_end();
    /// // Router::new().route("/file", get(file)).layer(layer)
    /// # let _ = layer;
    /// # }
    /// ```
    #[cfg(feature = "http-body")]
    #[cfg_attr(docsrs, doc(cfg(feature = "http-body")))]
    #[must_use]
    pub fn until_body_end(self) -> LimitLayer<E, R, super::UntilBodyEnd, M> {
        self.with_hold(super::UntilBodyEnd)
    }

    fn with_hold<I>(self, hold: I) -> LimitLayer<E, R, I, M> {
        let Self { limiter, refusals, mode, site, hold: _ } = self;
        LimitLayer { limiter, refusals, hold, mode, site }
    }
}

impl<R, H, M> LimitLayer<Rejected, R, H, M> {
    /// Makes a response of each refusal, in place of an error. The service's error is then the
    /// inner service's.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::tower::LimitLayer;
    /// use limit_runtime::{Limiter, Rejected};
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// static SEARCHES: Limiter<Rejected> = Limiter::new("searches", 1).max_waiting(0);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let search = ServiceBuilder::new()
    ///     .layer(LimitLayer::new(&SEARCHES).on_reject(|rejected| rejected.to_string()))
    ///     .service(service_fn(async |_words: &str| Ok::<_, std::io::Error>(String::from("found"))));
    /// let permit = SEARCHES.try_acquire()?;
    /// assert_eq!(
    ///     search.oneshot("words").await?,
    ///     "concurrency limit `searches` reached: 1 of 1 permits in use, 0 waiting",
    /// );
    /// # drop(permit);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn on_reject<F, Response>(self, on_reject: F) -> LimitLayer<Rejected, OnReject<F>, H, M>
    where
        F: FnOnce(Rejected) -> Response + Clone,
    {
        let Self { limiter, hold, mode, site, refusals: _ } = self;
        LimitLayer { limiter, refusals: OnReject(on_reject), hold, mode, site }
    }
}

impl<E: Admission, R: Clone, H: Clone, M: Clone> Clone for LimitLayer<E, R, H, M> {
    fn clone(&self) -> Self {
        let Self { limiter, refusals, hold, mode, site } = self;
        Self {
            limiter: limiter.clone(),
            refusals: refusals.clone(),
            hold: hold.clone(),
            mode: mode.clone(),
            site: *site,
        }
    }
}

impl<E: Admission, R, H, M> LimitLayer<E, R, H, M> {
    pub(super) fn with_mode<N>(self, mode: N) -> LimitLayer<E, R, H, N> {
        let Self { limiter, refusals, hold, site, mode: _ } = self;
        LimitLayer { limiter, refusals, hold, mode, site }
    }

    pub(super) fn mode(&self) -> &M {
        &self.mode
    }

    /// Takes a permit for a call of a share, or of none.
    pub(super) fn acquire(&self, share: Option<InShare>) -> AcquireShared<E> {
        self.limiter.acquire_shared(share, self.site)
    }

    pub(super) fn refusals(&self) -> &R {
        &self.refusals
    }

    pub(super) fn hold(&self) -> &H {
        &self.hold
    }
}
