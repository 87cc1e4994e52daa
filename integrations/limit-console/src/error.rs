//! Answers to requests that are refused.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use limit_runtime::Unsupported;
use serde::Serialize;

/// A request is refused. The text says why, and what to do instead.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    text: String,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    /// There is no limiter of that name.
    pub(crate) fn no_limiter(name: &str) -> Self {
        let text = format!(
            "there is no limiter `{name}`: none of that name has been used, or it was dropped"
        );
        Self::new(StatusCode::NOT_FOUND, text)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            error: String,
        }
        (self.status, Json(Body { error: self.text })).into_response()
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(
            rejection.status(),
            "a parameter after the `?` is missing or wrong; see `openapi.json`",
        )
    }
}

impl From<Unsupported> for ApiError {
    fn from(unsupported: Unsupported) -> Self {
        Self::new(StatusCode::CONFLICT, unsupported.to_string())
    }
}
