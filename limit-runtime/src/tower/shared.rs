//! The permit of an HTTP request, for connections that go on beyond the response.

use crate::permit::Permit;
use std::sync::Arc;

/// A permit with several owners. It comes back when the last owner drops it.
///
/// A layer with [`until_body_end`](super::LimitLayer::until_body_end) puts it into the extensions
/// of each request. The response's body is one owner. The code that serves a connection beyond the
/// response, such as a web socket, takes a clone and keeps it for as long. (A request that is kept
/// beyond the response, with its extensions, keeps the permit as well.)
///
/// If a request has come through several such layers, its `SharedPermit` holds all their permits.
///
/// # Examples
///
/// A handler of axum that upgrades to a web socket:
///
/// ```text
/// async fn socket(upgrade: WebSocketUpgrade, Extension(permit): Extension<SharedPermit>) -> Response {
///     upgrade.on_upgrade(async move |socket| {
///         let _permit = permit;
///         converse(socket).await;
///     })
/// }
/// ```
///
/// The same with hyper alone:
///
/// ```
/// use http::{Request, Response, StatusCode};
/// use limit_runtime::Limiter;
/// use limit_runtime::tower::{LimitLayer, SharedPermit};
/// use std::convert::Infallible;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// static SOCKETS: Limiter = Limiter::new("sockets", 100);
///
/// async fn upgrade(mut request: Request<()>) -> Result<Response<String>, Infallible> {
///     let permit = request.extensions_mut().remove::<SharedPermit>();
///     tokio::spawn(async move {
///         // hyper::upgrade::on(request).await, and then what is done with the connection:
///         # tokio::task::yield_now().await;
///         # assert_eq!(SOCKETS.snapshot().total.in_use, 1);
///         drop(permit);
///     });
///     let mut response = Response::new(String::new());
///     *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
///     Ok(response)
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Infallible> {
/// let service = ServiceBuilder::new()
///     .layer(LimitLayer::new(&SOCKETS).until_body_end())
///     .service(service_fn(upgrade));
/// let response = service.oneshot(Request::new(())).await?;
/// drop(response);
/// assert_eq!(SOCKETS.snapshot().total.in_use, 1); // the connection goes on
/// # while SOCKETS.snapshot().total.in_use == 1 { tokio::task::yield_now().await }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "the permit may come back as soon as this is dropped"]
pub struct SharedPermit {
    _permit: Arc<Permit>,
    /// The permit of the limit around this one.
    _outer: Option<Box<SharedPermit>>,
}

impl SharedPermit {
    /// Returns the permit for the response and the one for the request. `outer` is the permit that
    /// the request has from a limit around this one.
    pub(super) fn lend(permit: Permit, outer: Option<Self>) -> (Arc<Permit>, Self) {
        let permit = Arc::new(permit);
        (Arc::clone(&permit), Self { _permit: permit, _outer: outer.map(Box::new) })
    }
}
