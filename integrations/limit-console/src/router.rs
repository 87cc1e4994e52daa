//! The routes of the console.

use crate::console::Console;
use crate::guard::guard;
use crate::options::Options;
use crate::paced::paced;
use crate::watch::Watch;
use crate::{detail, events, limiters, page, settings};
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Router, middleware};
use std::sync::Arc;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

/// The largest body of a request, in bytes.
const LARGEST_BODY: usize = 16 * 1024;

/// Makes the page and its API, to be nested at any path of an application.
///
/// With [`nest_service("/limits", …)`](Router::nest_service) the page is at `/limits` and at `/limits/`. With
/// [`nest`](Router::nest) axum has it at `/limits` alone.
///
/// Inside a tokio runtime, the task that reads starts at once, otherwise with the first request. The task needs
/// tokio's timer.
///
/// # Examples
///
/// ```
/// use axum::Router;
/// use limit_console::Options;
///
/// let app: Router = Router::new().nest_service("/limits", limit_console::router(Options::new()));
/// ```
pub fn router(options: Options) -> Router {
    let (access, until, process) = options.into_parts();
    if !access.is_readable() {
        tracing::warn!(
            target: "limit_console",
            "the console is private and has no token: nobody can read"
        );
    }
    let (access, watch) = (Arc::new(access), Watch::new(until));
    if tokio::runtime::Handle::try_current().is_ok() {
        watch.start();
    }
    Router::new()
        .route("/", get(page::html))
        .merge(page::files())
        .route("/openapi.json", get(page::openapi))
        .route("/api/limiters", get(limiters::list))
        .route("/api/stream", get(limiters::follow))
        .route("/api/limiter", get(detail::detail))
        .route("/api/changes", get(limiters::log))
        .route("/api/events", get(events::events))
        .route("/api/settings", post(settings::change))
        .fallback(page::not_found)
        .method_not_allowed_fallback(page::other_method)
        // The answers have few different words: the least effort is enough. Streams are compressed too, message by
        // message: what is there is sent when no more is ready.
        .layer(
            CompressionLayer::new()
                .quality(CompressionLevel::Fastest)
                .compress_when(SizeAbove::default()),
        )
        // Around the compression: a piece counts until the server has sent it.
        .layer(middleware::from_fn_with_state(watch.ended(), paced))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&access), guard))
        .with_state(Console::new(access, watch, process))
}
