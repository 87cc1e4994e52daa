//! A refusal as an HTTP response.

use super::ask_again_after;
use crate::rejected::{Rejected, RejectedKind};
use axum_core::response::{IntoResponse, Response};
use http::header::{HeaderValue, RETRY_AFTER};
use http::status::StatusCode;
use std::time::Duration;

/// With the feature `axum-08`: the status is 503 (service unavailable), or 504 (gateway timeout) if
/// the call timed out. The body is the error's text.
///
/// `Retry-After` is [`retry_after`](Rejected::retry_after) in whole seconds, rounded up, and at
/// least 1. It is also 1 if there is no estimate: if nothing has come back lately, as long as the fleet cannot
/// be reached, or after an eviction or a deadlock. Two kinds have no `Retry-After`: `TooHeavy`, because the same call would be refused again, and `Closed`,
/// because it is not known when the limiter opens.
///
/// The response's extensions contain the refusal, so that a layer can log it or write another body.
/// Note that the text names the limiter and its figures.
///
/// # Examples
///
/// ```
/// use axum_core::response::IntoResponse; // axum::response::IntoResponse
/// use limit_runtime::{Limiter, Rejected};
///
/// static REPORTS: Limiter<Rejected> = Limiter::new("axum-example", 4).max_waiting(100);
///
/// // A handler: `Router::new().route("/report", get(report))`.
/// async fn report() -> Result<String, Rejected> {
///     let _permit = REPORTS.acquire().await?;
///     Ok("all is well".to_owned())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(report().await.into_response().status(), 200);
///
/// REPORTS.close();
/// let response = report().await.into_response();
/// assert_eq!(response.status(), 503);
/// assert_eq!(response.extensions().get::<Rejected>().unwrap().limiter(), "axum-example");
/// # }
/// ```
impl IntoResponse for Rejected {
    fn into_response(self) -> Response {
        let mut response = (status(&self), self.to_string()).into_response();
        if let Some(after) = ask_again_after(&self) {
            let seconds = HeaderValue::from(whole_seconds(after));
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// With the feature `axum-08`: the same response, for a handler that returns `Result<_, Response>`.
///
/// # Examples
///
/// ```
/// use axum_core::response::Response; // axum::response::Response
/// use limit_runtime::concurrency_limit;
///
/// #[concurrency_limit(4, max_waiting = 100)]
/// async fn report() -> Result<String, Response> { Ok("all is well".to_owned()) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() { assert_eq!(report().await.unwrap(), "all is well"); }
/// ```
impl From<Rejected> for Response {
    fn from(rejected: Rejected) -> Self {
        rejected.into_response()
    }
}

/// With the feature `axum-08`: the status alone, for a handler that returns `Result<_,
/// StatusCode>`. The client learns neither which limit it was nor when to try again. A handler that
/// fails with [`Rejected`] tells both.
///
/// # Examples
///
/// ```
/// use http::StatusCode; // axum::http::StatusCode
/// use limit_runtime::concurrency_limit;
///
/// #[concurrency_limit(4, max_waiting = 100)]
/// async fn report() -> Result<String, StatusCode> { Ok("all is well".to_owned()) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() { assert_eq!(report().await.unwrap(), "all is well"); }
/// ```
impl From<Rejected> for StatusCode {
    fn from(rejected: Rejected) -> Self {
        status(&rejected)
    }
}

fn status(rejected: &Rejected) -> StatusCode {
    match rejected.kind() {
        RejectedKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        RejectedKind::NoPermits
        | RejectedKind::QueueFull
        | RejectedKind::WouldTimeOut
        | RejectedKind::TooHeavy
        | RejectedKind::Closed
        | RejectedKind::Evicted
        | RejectedKind::Unavailable
        | RejectedKind::Deadlock => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Rounds up to at least 1: "after 0 seconds" would bring all clients back at once.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0)).max(1)
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;
    use crate::rejected::tests::deadlock;

    #[test]
    fn a_client_may_ask_again_after_a_deadlock() {
        let response = deadlock().into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "1");
    }

    #[test]
    fn seconds_are_rounded_up_and_never_zero() {
        let seconds = |duration| whole_seconds(duration);
        assert_eq!(seconds(Duration::ZERO), 1);
        assert_eq!(seconds(Duration::from_nanos(1)), 1);
        assert_eq!(seconds(Duration::from_secs(1)), 1);
        assert_eq!(seconds(Duration::new(1, 1)), 2);
        assert_eq!(seconds(Duration::MAX), u64::MAX);
    }
}
