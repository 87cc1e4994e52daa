//! The permit of an HTTP request, for what goes on beyond its response.

use crate::permit::Permit;
use std::sync::Arc;

/// A permit that several own: it goes back when the last of them has gone.
///
/// A layer with [`until_body_end`](super::LimitLayer::until_body_end) puts it into the extensions of each
/// request. The response's body is one owner. Whoever serves a connection beyond that, such as a web
/// socket, takes a clone and keeps it for as long. (A request that is kept, with its extensions, beyond
/// the response keeps the permit as well.)
///
/// Of a request that has come through several such layers it stands for the permits of all of them.
///
/// # Examples
///
/// With a protocol that is upgraded to. With axum and its web sockets:
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
/// With hyper alone it is the same:
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
#[must_use = "the permit may go back as soon as this is dropped"]
pub struct SharedPermit {
    _permit: Arc<Permit>,
    /// That of the limit around this one.
    _outer: Option<Box<SharedPermit>>,
}

impl SharedPermit {
    /// One for the response, and one for the request, in which that of a limit around this one may be.
    pub(super) fn lend(permit: Permit, outer: Option<Self>) -> (Arc<Permit>, Self) {
        let permit = Arc::new(permit);
        (Arc::clone(&permit), Self { _permit: permit, _outer: outer.map(Box::new) })
    }
}
