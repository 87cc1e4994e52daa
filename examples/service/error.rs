//! What a request gets that gets no answer.

use std::fmt;

use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::http::status::StatusCode;
use axum::response::{IntoResponse, Response};
use limit_runtime::Rejected;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Error {
    /// The limit was reached.
    Refused(Rejected),
    Database(sqlx::Error),
    Exchange(reqwest::Error),
    /// What was asked for is not there.
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

/// A refusal is a response already. Here it always is a 503 that says when to come again.
fn refusal(rejected: Rejected) -> Response {
    let mut response = rejected.into_response();
    // A 504, for a call that timed out in the queue, would put the blame on others.
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    // The limiter knows once it has seen calls come and go. Until then, and when it is closed: soon.
    response.headers_mut().entry(RETRY_AFTER).or_insert(HeaderValue::from_static("1"));
    response
}
