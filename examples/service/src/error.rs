//! The error of a request, and its response.

use std::fmt;

use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::http::status::StatusCode;
use axum::response::{IntoResponse, Response};
use limit_runtime::Rejected;

/// The reason why a request has no answer.
#[derive(Debug)]
pub(crate) enum Error {
    /// A refusal by a limiter.
    Refused(Rejected),
    Database(sqlx::Error),
    Exchange(reqwest::Error),
    /// A request for something that does not exist.
    NotFound(String),
}

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        Self::Refused(rejected)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        Self::Exchange(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(rejected) => rejected.fmt(f),
            Self::Database(error) => error.fmt(f),
            Self::Exchange(error) => error.fmt(f),
            Self::NotFound(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Error {}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let text = format!("{self}\n");
        match self {
            Self::Refused(rejected) => refusal(rejected),
            Self::Database(_) => (StatusCode::INTERNAL_SERVER_ERROR, text).into_response(),
            Self::Exchange(_) => (StatusCode::BAD_GATEWAY, text).into_response(),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, text).into_response(),
        }
    }
}

/// Returns the response to a refusal: always a 503 with `Retry-After`.
fn refusal(rejected: Rejected) -> Response {
    let mut response = rejected.into_response();
    // A 504, for a call that timed out in the queue, would blame another server.
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    // A limiter that is closed or has seen too few calls gives no time: the header then says 1 s.
    response.headers_mut().entry(RETRY_AFTER).or_insert(HeaderValue::from_static("1"));
    response
}
