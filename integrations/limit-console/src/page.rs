//! The page and its files.

use crate::error::ApiError;
use axum::extract::OriginalUri;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use std::fmt::Write;

/// Serves the page at any path. The page names its files relative to that path, so that a browser finds them
/// behind a proxy too: from `/limits`, where `nest` puts the page, as `limits/console.js`; from `/limits/` as
/// `console.js`.
pub(crate) async fn html(OriginalUri(uri): OriginalUri) -> Response {
    let (_, last) = uri.path().rsplit_once('/').unwrap_or_default();
    let folder = if last.is_empty() { String::new() } else { format!("./{}/", in_attribute(last)) };
    let mut html = include_str!("page/index.html").to_owned();
    for file in ["console.css", "console.js", "icon.svg"] {
        html = html.replace(&format!("\"{file}\""), &format!("\"{folder}{file}\""));
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

pub(crate) async fn css() -> Response {
    file("text/css; charset=utf-8", include_str!("page/console.css"))
}

pub(crate) async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("page/console.js"))
}

pub(crate) async fn icon() -> Response {
    file("image/svg+xml", include_str!("page/icon.svg"))
}

/// Serves the description of the API.
pub(crate) async fn openapi() -> Response {
    file("application/json", include_str!("openapi.json"))
}

fn file(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], text).into_response()
}

pub(crate) async fn not_found() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "there is nothing here; see `openapi.json`")
}

pub(crate) async fn other_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "not with this method; see `openapi.json`")
}
