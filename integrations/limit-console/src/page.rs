//! The page and its files.

use crate::console::Console;
use crate::error::ApiError;
use axum::Router;
use axum::extract::OriginalUri;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::fmt::Write;
use std::future::ready;

/// A file of the page.
struct File {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const ICON: &str = "image/svg+xml";

/// Lists files of the folder `page`, each with its type.
macro_rules! files {
    ($($name:literal: $kind:expr),* $(,)?) => {
        &[$(File { name: $name, kind: $kind, text: include_str!(concat!("page/", $name)) }),*]
    };
}

/// The files that the page loads. Each lies beside the page, under its own name.
const FILES: &[File] = files![
    "console.css": CSS,
    "detail.css": CSS,
    "table.css": CSS,
    "icon.svg": ICON,
    "adaptive.js": SCRIPT,
    "address.js": SCRIPT,
    "api.js": SCRIPT,
    "calls.js": SCRIPT,
    "cards.js": SCRIPT,
    "charts.js": SCRIPT,
    "choices.js": SCRIPT,
    "connection.js": SCRIPT,
    "console.js": SCRIPT,
    "deadlocks.js": SCRIPT,
    "detail.js": SCRIPT,
    "drawing.js": SCRIPT,
    "elements.js": SCRIPT,
    "events.js": SCRIPT,
    "fleet.js": SCRIPT,
    "format.js": SCRIPT,
    "history.js": SCRIPT,
    "knob.js": SCRIPT,
    "known.js": SCRIPT,
    "limiter.js": SCRIPT,
    "log.js": SCRIPT,
    "numbers.js": SCRIPT,
    "opened.js": SCRIPT,
    "order.js": SCRIPT,
    "outcome.js": SCRIPT,
    "row.js": SCRIPT,
    "scale.js": SCRIPT,
    "severity.js": SCRIPT,
    "strip.js": SCRIPT,
    "table.js": SCRIPT,
    "verdict.js": SCRIPT,
];

/// Makes a route for each file of the page.
pub(crate) fn files() -> Router<Console> {
    FILES.iter().fold(Router::new(), |router, file| {
        let serve = || ready(answer(file.kind, file.text));
        router.route(&format!("/{}", file.name), get(serve))
    })
}

/// Serves the page at any path. The page names its files relative to that path, so that a browser finds them
/// behind a proxy too: from `/limits`, where `nest` puts the page, as `limits/console.js`; from `/limits/` as
/// `console.js`.
pub(crate) async fn html(OriginalUri(uri): OriginalUri) -> Response {
    let (_, last) = uri.path().rsplit_once('/').unwrap_or_default();
    let folder = if last.is_empty() { String::new() } else { format!("./{}/", in_attribute(last)) };
    let mut html = include_str!("page/index.html").to_owned();
    for File { name, .. } in FILES {
        html = html.replace(&format!("\"{name}\""), &format!("\"{folder}{name}\""));
    }
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}

/// Escapes a part of a path, so that nothing in it ends an attribute of HTML.
fn in_attribute(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
    path.bytes().fold(String::new(), |mut text, byte| {
        if is_plain(byte) {
            text.push(byte.into());
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// Serves the description of the API.
pub(crate) async fn openapi() -> Response {
    answer("application/json", include_str!("openapi.json"))
}

fn answer(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], text).into_response()
}

pub(crate) async fn not_found() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "there is nothing here; see `openapi.json`")
}

pub(crate) async fn other_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "not with this method; see `openapi.json`")
}
