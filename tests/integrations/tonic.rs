//! Refusals as statuses of tonic.

use crate::refusals;
use limit_runtime::{Limiter, Rejected, RejectedKind};
use std::error::Error;
use std::time::Duration;
use tonic::{Code, Request, Response, Status};

/// Returns the time after which a client should retry, as the status says.
fn pushback(status: &Status) -> Option<&str> {
    let value = status.metadata().get("grpc-retry-pushback-ms");
    value.map(|value| value.to_str().expect("visible characters"))
}

#[tokio::test(start_paused = true)]
async fn each_kind_has_its_code_and_the_errors_text() {
    for rejected in refusals::all().await {
        let (kind, message) = (rejected.kind(), rejected.to_string());
        let status = Status::from(rejected);
        let code = match kind {
            RejectedKind::TimedOut => Code::DeadlineExceeded,
            RejectedKind::Unavailable => Code::Unavailable,
            _ => Code::ResourceExhausted,
        };
        assert_eq!(status.code(), code, "{kind:?}");
        assert_eq!(status.message(), message);
        // Nothing has come back at the limiter: there is no estimate.
        let milliseconds = match kind {
            RejectedKind::TooHeavy => Some("-1"),
            RejectedKind::Closed => None,
            _ => Some("1000"),
        };
        assert_eq!(pushback(&status), milliseconds, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_estimate_is_told_in_milliseconds() {
    let [no_permits, queue_full, timed_out] =
        refusals::with_an_estimate(Duration::from_millis(4001)).await;
    let status = Status::from(queue_full);
    assert_eq!(pushback(&status), Some("4001"));
    // The status as a server sends it.
    let response = status.into_http::<()>();
    assert_eq!(response.headers()["grpc-status"], "8");
    assert_eq!(response.headers()["grpc-retry-pushback-ms"], "4001");
    for rejected in [no_permits, timed_out] {
        assert_eq!(pushback(&Status::from(rejected)), Some("4001"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_refusal_is_the_statuss_source() {
    let [_, queue_full, ..] = refusals::all().await;
    let status = Status::from(queue_full);
    let rejected = status.source().and_then(|source| source.downcast_ref::<Rejected>());
    // Limiters of other tests have this name too, and a number if they live at the same time.
    assert!(rejected.is_some_and(|rejected| rejected.limiter().starts_with("full")));
}

#[tokio::test]
async fn a_method_passes_it_on() {
    static LIMITER: Limiter<Rejected> = Limiter::new("tonic-method", 1).max_waiting(0);

    async fn method(request: Request<u32>) -> Result<Response<u32>, Status> {
        let _permit = LIMITER.acquire().await?;
        Ok(Response::new(request.into_inner() + 1))
    }

    assert_eq!(method(Request::new(1)).await.map(Response::into_inner).ok(), Some(2));
    let _held = LIMITER.try_acquire().expect("a permit is free");
    let status = method(Request::new(1)).await.expect_err("the limit is reached");
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(
        status.message(),
        "concurrency limit `tonic-method` reached: 1 of 1 permits in use, 0 waiting"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_would_be_too_late_is_shed_and_told_when_to_come_back() {
    let status = Status::from(refusals::would_time_out().await);
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(pushback(&status), Some("3000"));
}
