//! A server that serves nothing but the console.

use crate::options::Options;
use crate::router::router;
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Serves the page on a loopback address, read-only, until the future is dropped.
///
/// # Errors
///
/// [`InvalidInput`](io::ErrorKind::InvalidInput) if the address is not loopback, or the error of
/// listening at the address.
///
/// # Panics
///
/// If tokio's I/O or timer is not enabled.
///
/// # Examples
///
/// ```no_run
/// # async fn run() -> std::io::Result<()> {
/// limit_console::serve(([127, 0, 0, 1], 9999)).await
/// # }
/// ```
pub async fn serve(address: impl Into<SocketAddr>) -> io::Result<()> {
    serve_with(address, Options::new()).await
}

/// Serves the page with options, until the future is dropped, or until [`Options::until`] is ready. In the second
/// case it closes all connections, and returns.
///
/// With a token, the address need not be loopback. If it is not, reading needs the token too.
///
/// # Errors
///
/// [`InvalidInput`](io::ErrorKind::InvalidInput) if the address is not loopback and there is no token,
/// or the error of listening at the address.
///
/// # Panics
///
/// If tokio's I/O or timer is not enabled.
///
/// # Examples
///
/// ```no_run
/// use limit_console::{Options, serve_with};
///
/// # async fn run(token: String) -> std::io::Result<()> {
/// let options = Options::new().writable(token).allow_host("ops.example.com");
/// serve_with(([0, 0, 0, 0], 9999), options).await
/// # }
/// ```
pub async fn serve_with(address: impl Into<SocketAddr>, mut options: Options) -> io::Result<()> {
    let address = address.into();
    if !address.ip().to_canonical().is_loopback() {
        if !options.has_token() {
            let text = format!(
                "the console does not listen at {address} without a token, because that is not a \
                 loopback address; use `serve_with` and `Options::writable(token)`, or 127.0.0.1"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        options = options.private();
    }
    let listener = TcpListener::bind(address).await?;
    tracing::info!(target: "limit_console", "the console is at http://{}/", listener.local_addr()?);
    let stopped = options.share_until();
    let service = router(options).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stopped).await
}
