//! Refusals as responses of axum.

use crate::refusals;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use limit_runtime::{Limiter, Permit, Rejected, RejectedKind, concurrency_limit};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

/// Answers `/WEIGHT` under the limit.
fn router(limiter: &Arc<Limiter<Rejected>>) -> Router {
    Router::new().route("/{weight}", get(handler)).with_state(Arc::clone(limiter))
}

async fn handler(
    State(limiter): State<Arc<Limiter<Rejected>>>,
    Path(weight): Path<u32>,
) -> Result<&'static str, Rejected> {
    let _permits = limiter.acquire().weight(weight).await?;
    Ok("done")
}

async fn call(router: &Router, path: &str) -> Response {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    router.clone().oneshot(request).await.expect("a router always answers")
}

async fn text(response: Response) -> String {
    let bytes = to_bytes(response.into_body(), 1024).await.expect("a short body");
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn retry_after(response: &Response) -> Option<&str> {
    response.headers().get(RETRY_AFTER).map(|value| value.to_str().expect("visible characters"))
}

#[tokio::test(start_paused = true)]
async fn each_kind_has_its_status_and_the_errors_text() {
    for rejected in refusals::all().await {
        let (kind, message) = (rejected.kind(), rejected.to_string());
        let response = rejected.into_response();
        let status = match kind {
            RejectedKind::TimedOut => 504,
            _ => 503,
        };
        assert_eq!(response.status(), status, "{kind:?}");
        assert_eq!(response.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
        // Nothing has come back at the limiter: there is no estimate.
        let seconds = match kind {
            RejectedKind::TooHeavy | RejectedKind::Closed => None,
            _ => Some("1"),
        };
        assert_eq!(retry_after(&response), seconds, "{kind:?}");
        assert_eq!(text(response).await, message);
    }
}

#[tokio::test(start_paused = true)]
async fn each_kind_is_a_status_by_itself_and_a_response() {
    for rejected in refusals::all().await {
        let kind = rejected.kind();
        let expected = match kind {
            RejectedKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        assert_eq!(StatusCode::from(rejected.clone()), expected, "{kind:?}");
        let response = Response::from(rejected.clone());
        assert_eq!(response.status(), expected, "{kind:?}");
        assert_eq!(retry_after(&response), retry_after(&rejected.into_response()), "{kind:?}");
        let rejected = response.extensions().get::<Rejected>().expect("it is there");
        assert_eq!(rejected.kind(), kind);
    }
}

#[tokio::test]
async fn handlers_with_a_limit_may_fail_with_a_status_or_a_response() {
    #[concurrency_limit(1, max_waiting = 0, permit = permit)]
    async fn status() -> Result<Extension<Arc<Permit>>, StatusCode> {
        Ok(Extension(Arc::new(permit)))
    }

    #[concurrency_limit(1, max_waiting = 0, permit = permit)]
    async fn response() -> Result<Extension<Arc<Permit>>, Response> {
        Ok(Extension(Arc::new(permit)))
    }

    #[concurrency_limit(1, max_waiting = 0, permit = permit)]
    async fn axums() -> axum::response::Result<Extension<Arc<Permit>>> {
        Ok(Extension(Arc::new(permit)))
    }

    let router = Router::new()
        .route("/status", get(status))
        .route("/response", get(response))
        .route("/axums", get(axums));
    for (path, tells_when) in [("/status", None), ("/response", Some("1")), ("/axums", Some("1"))] {
        let held = call(&router, path).await;
        assert_eq!(held.status(), StatusCode::OK, "{path}");
        let refused = call(&router, path).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(retry_after(&refused), tells_when, "{path}");
        drop(held);
        assert_eq!(call(&router, path).await.status(), StatusCode::OK, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_estimate_is_rounded_up_to_whole_seconds() {
    for (milliseconds, seconds) in [(2, "1"), (1000, "1"), (4001, "5")] {
        let time = Duration::from_millis(milliseconds);
        for rejected in refusals::with_an_estimate(time).await {
            let response = rejected.into_response();
            assert_eq!(retry_after(&response), Some(seconds), "{milliseconds} ms");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_layer_finds_the_refusal_in_the_response() {
    let [_, _, timed_out, ..] = refusals::all().await;
    let response = timed_out.into_response();
    let rejected = response.extensions().get::<Rejected>().expect("it is there");
    assert_eq!(rejected.kind(), RejectedKind::TimedOut);
    // Limiters of other tests have this name too, and a number if they live at the same time.
    assert!(rejected.limiter().starts_with("slow"));
}

#[tokio::test(start_paused = true)]
async fn a_handler_answers_or_passes_the_refusal_on() {
    let wait = Duration::from_millis(50);
    let limiter = Arc::new(Limiter::named("axum-handler", 2).max_waiting(1).max_wait(wait));
    let router = router(&limiter);
    let response = call(&router, "/1").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await, "done");
    assert_eq!(limiter.snapshot().total.in_use, 0);

    let response = call(&router, "/3").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "too heavy");

    let held = (limiter.try_acquire(), limiter.try_acquire());
    let (waits, full) = tokio::join!(call(&router, "/1"), call(&router, "/1"));
    assert_eq!(full.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        text(full).await,
        "concurrency limit `axum-handler` reached: 2 of 2 permits in use, 1 waiting"
    );
    assert_eq!(waits.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(
        text(waits).await,
        "no permit of concurrency limit `axum-handler` within 50ms: 2 of 2 permits in use, \
         0 waiting"
    );

    let (waits, ()) = tokio::join!(call(&router, "/1"), async { limiter.close() });
    assert_eq!(waits.status(), StatusCode::SERVICE_UNAVAILABLE, "closed while it waited");
    assert_eq!(call(&router, "/1").await.status(), StatusCode::SERVICE_UNAVAILABLE, "closed");
    limiter.reopen();
    drop(held);
    assert_eq!(call(&router, "/2").await.status(), StatusCode::OK);
}

/// Uses a paused clock, which nothing here waits for, because an estimate covers the last seconds.
#[tokio::test(start_paused = true)]
async fn a_client_sees_it_over_http() {
    let limiter = Arc::new(Limiter::named("axum-http", 1).max_waiting(0));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(axum::serve(listener, router(&limiter)).into_future());
    let ask = async || {
        let mut connection = TcpStream::connect(address).await.expect("the server listens");
        let request = b"GET /1 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        connection.write_all(request).await.expect("the server reads");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.expect("the server answers");
        answer
    };

    let held = limiter.try_acquire().expect("a permit is free");
    let answer = ask().await;
    assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
    let header = answer.lines().find_map(|line| line.strip_prefix("retry-after: "));
    assert_eq!(header, Some("1"), "nothing has come back yet: {answer}");
    let message = "concurrency limit `axum-http` reached: 1 of 1 permits in use, 0 waiting";
    assert!(answer.ends_with(&format!("\r\n\r\n{message}")), "{answer}");

    drop(held);
    tokio::time::advance(Duration::from_secs(4)).await;
    let answer = ask().await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");

    let _held = limiter.try_acquire().expect("a permit is free");
    let answer = ask().await;
    let header = answer.lines().find_map(|line| line.strip_prefix("retry-after: "));
    assert_eq!(header, Some("2"), "two permits came back in four seconds: {answer}");
    server.abort();
}

#[tokio::test(start_paused = true)]
async fn a_call_that_would_be_too_late_is_shed_and_told_when_to_come_back() {
    let response = refusals::would_time_out().await.into_response();
    assert_eq!(response.status(), 503);
    assert_eq!(retry_after(&response), Some("3"));
}
