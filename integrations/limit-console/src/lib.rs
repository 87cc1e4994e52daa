//! A page that shows all limiters live, and a knob to turn.
//!
//! ```
//! use axum::Router;
//! use limit_runtime::console::{self, Options};
//!
//! # fn token() -> String { "a secret".to_owned() }
//! let app: Router = Router::new()
//!     // ... the service's own routes ...
//!     .nest("/limits", console::router(Options::new().writable(token())));
//! ```
//!
//! Then open `/limits` in a browser. Or alone, beside whatever the program does:
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! limit_runtime::console::serve(([127, 0, 0, 1], 9999)).await
//! # }
//! ```
//!
//! # What it shows
//!
//! All limiters that have been used, those first at which the most time is lost waiting: in use and limit,
//! waiting, admitted and refused a second, how long calls wait. Of each, the last ten minutes, its
//! runtimes, its busiest keys, who changed what, and with the feature `diagnostics`, as far as
//! it [records](crate::diagnostics), who holds permits and who waits, and where.
//!
//! Once a second a task reads the figures of all limiters; calls do nothing for it. It begins when the router is
//! made, or with the first request if it is made outside of any runtime, and ends with the router. It needs
//! tokio's timer. If its runtime ends, or nobody drives that any more, a task of a runtime where somebody
//! waits for figures takes over after three seconds. (Only while somebody follows the events of a limiter,
//! every call of that one takes its lock: see [`Limiter::subscribe`](crate::Limiter::subscribe).) The last
//! ten minutes are kept of what has changed, at most a million readings (64 MB): with very many busy
//! limiters, fewer minutes.
//!
//! A row is that of a name: of all limiters that have it, one after another, as with a limiter for each request.
//! Its rates, its line and its history go on; settings, changes and figures in detail are those of the one that
//! has the name now. One that is dropped leaves the table, and its history is kept no longer than ten minutes.
//!
//! A busy key is shown as it is if it is a text, a number or an address, else by its type and a hash. Where
//! keys are nobody else's business, neither is the page.
//!
//! # Who may see and do what
//!
//! | | |
//! |---|---|
//! | Where it listens | [`serve`]: loopback only, unless there is a token. [`router`]: where the application does |
//! | `Host` of a request | `localhost` or a loopback address, or as [`Options::allow_host`] says: else a page of somebody else could reach it by a name of its own that leads to 127.0.0.1 (*DNS rebinding*) |
//! | `Origin` of a request | None, or that of the page itself. No other site is given leave (no CORS) |
//! | Reading | Whoever can reach it; with [`Options::private`], and with [`serve_with`] on an address that is not loopback, with the token only: as a bearer's, or as the password that the browser asks for |
//! | Writing | Nobody, unless there is a token: [`Options::writable`]. Then by `POST` with the header `Authorization: Bearer`, in JSON |
//! | Page | One script, one stylesheet, both the page's own: a `Content-Security-Policy` forbids anything else, and frames |
//!
//! A token goes over the wire as it is: beyond loopback, put TLS before it.
//!
//! Each change is logged (by `tracing`, at level `INFO`): limiter, setting, what it was and is, and by whom.
//!
//! # API
//!
//! What the page uses is there for others too: `openapi.json`, beside the page, describes it.
//!
//! # Streams
//!
//! A page follows by one stream, and by none while nobody sees it, in another tab for instance: over HTTP/1.1 a
//! browser has six connections to a server, for all pages together. When it is shown again it takes up what has
//! been meanwhile, but for the events of a limiter. At most 64 pages and other readers follow at a time.
//!
//! Proxies are asked not to collect what they send on (`X-Accel-Buffering: no`, which nginx understands) and not to
//! pack it (`Cache-Control: no-transform`).
//!
//! # Shutting down
//!
//! An open page keeps a connection open. A server that shuts down gracefully would wait for it to be
//! closed: tell the console when by [`Options::until`].

mod api;
mod change;
mod events;
mod guard;
mod history;
mod knob;
mod options;
mod rows;
mod watch;

pub use options::Options;

use axum::Router;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use watch::Watch;

/// The page and its API, to be nested wherever an application likes.
///
/// # Examples
///
/// See the [module's documentation](self).
pub fn router(options: Options) -> Router {
    let (options, until) = options.into_parts();
    let watch = Watch::new(until);
    if tokio::runtime::Handle::try_current().is_ok() {
        watch.start();
    }
    api::router(Arc::new(options), watch)
}

/// Serves the page on a loopback address, read-only.
///
/// It runs until it is dropped. Needs tokio's I/O and timer.
///
/// # Errors
///
/// If the address is not loopback ([`InvalidInput`](io::ErrorKind::InvalidInput)), or cannot be listened
/// at.
///
/// # Examples
///
/// See the [module's documentation](self).
pub async fn serve(address: impl Into<SocketAddr>) -> io::Result<()> {
    serve_with(address, Options::new()).await
}

/// The same, with options. With a token, on any address; if that is not loopback reading needs the token
/// too.
///
/// # Errors
///
/// If the address is not loopback and there is no token ([`InvalidInput`](io::ErrorKind::InvalidInput)),
/// or it cannot be listened at.
///
/// # Examples
///
/// ```no_run
/// use limit_runtime::console::{Options, serve_with};
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
            let what = format!(
                "the console does not listen at {address} without a token, because that is not a \
                 loopback address; use `serve_with` and `Options::writable(token)`, or 127.0.0.1"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        options = options.private();
    }
    let listener = TcpListener::bind(address).await?;
    tracing::info!("the console is at http://{}/", listener.local_addr()?);
    let service = router(options).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await
}
