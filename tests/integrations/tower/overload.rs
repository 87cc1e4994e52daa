//! Responses that say that the backend is overloaded.

use axum::body::Bytes;
use futures::FutureExt;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use limit_runtime::tower::LimitLayer;
use limit_runtime::{Limiter, Rejected};
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

/// Returns how long an answer asks to be left alone, if it says that the backend is overloaded.
fn retry_after(response: &Response<String>) -> Option<Duration> {
    if response.status() != StatusCode::SERVICE_UNAVAILABLE {
        return None;
    }
    let seconds = |headers: &HeaderMap| headers.get("retry-after")?.to_str().ok()?.parse().ok();
    Some(Duration::from_secs(seconds(response.headers()).unwrap_or(0)))
}

/// Answers every second call with 503.
async fn answer(call: u32) -> Result<Response<String>, Infallible> {
    sleep(Duration::from_millis(1)).await;
    let mut response = Response::new(String::new());
    if call % 2 == 0 {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}

#[tokio::test(start_paused = true)]
async fn answers_that_say_so_lower_the_limit() {
    static API: Limiter = Limiter::adaptive("layer-lowers", 1..=100).start(50);
    let layer = LimitLayer::new(&API).overload(retry_after);
    let mut service = ServiceBuilder::new().layer(layer).service(service_fn(answer));
    for call in 0..1_000 {
        let _response = service.ready().await.unwrap().call(call).await.unwrap();
    }
    assert!(API.limit() < Some(10), "{:?}", API.limit());
    assert_eq!(API.snapshot().total.in_use, 0);
}

#[tokio::test(start_paused = true)]
async fn retry_after_holds_new_calls_off() {
    static API: Limiter = Limiter::adaptive("layer-retry-after", 1..=100).start(50);
    let layer = LimitLayer::new(&API).reserving().overload(retry_after);
    let mut service = ServiceBuilder::new().layer(layer).service(service_fn(async |()| {
        let response = Response::builder().status(503).header("retry-after", 3);
        Ok::<_, Infallible>(response.body(String::new()).unwrap())
    }));
    let start = Instant::now();
    for _ in 0..4 {
        let _response = service.ready().await.unwrap().call(()).await.unwrap();
    }
    assert_eq!(start.elapsed(), Duration::from_secs(9));
}

#[tokio::test(start_paused = true)]
async fn a_body_keeps_its_permit_whatever_the_verdict() {
    static API: Limiter = Limiter::adaptive("layer-body", 1..=100).start(50);
    let is_overloaded = |response: &Response<Full<Bytes>>| !response.status().is_success();
    let layer = LimitLayer::new(&API).until_body_end().overload(is_overloaded);
    let service = ServiceBuilder::new().layer(layer).service(service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::builder().status(503).body(Full::from("busy")).unwrap())
    }));
    let overloaded = service.oneshot(Request::new(())).await.unwrap();
    assert_eq!(API.snapshot().total.in_use, 1);
    drop(overloaded);
    assert_eq!(API.snapshot().total.in_use, 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_no_verdict() {
    static API: Limiter<Rejected> = Limiter::adaptive("layer-refusal", 1..=1).max_waiting(0);
    let layer = LimitLayer::new(&API)
        .on_reject(|_| Response::builder().status(503).body(String::new()).unwrap())
        .overload(|_: &Response<String>| -> bool { panic!("no response of the backend") });
    let service = ServiceBuilder::new().layer(layer).service(service_fn(answer));
    let _permit = API.try_acquire().unwrap();
    assert_eq!(service.oneshot(1).await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_soon_does_not_count() {
    static API: Limiter = Limiter::adaptive("layer-dropped", 4..=8).start(4);
    let inner = service_fn(async |admitted: Option<Arc<Notify>>| {
        if let Some(admitted) = admitted {
            admitted.notify_one();
        }
        sleep(Duration::from_millis(20)).await;
        Ok::<_, Infallible>(())
    });
    let service = ServiceBuilder::new().layer(LimitLayer::new(&API)).service(inner);
    let callers = (0..40).map(|caller| {
        let mut service = service.clone();
        async move {
            for _ in 0..100 {
                let service = service.ready().await.unwrap();
                if caller % 2 == 0 {
                    service.call(None).await.unwrap();
                    continue;
                }
                // Gives up a millisecond after the call was admitted.
                let admitted = Arc::new(Notify::new());
                let call = service.call(Some(Arc::clone(&admitted)));
                tokio::select! {
                    answer = call => answer.unwrap(),
                    () = async {
                        admitted.notified().await;
                        sleep(Duration::from_millis(1)).await;
                    } => {}
                }
            }
        }
    });
    futures::future::join_all(callers).await;
    let figures = API.snapshot().adaptive.expect("it adapts");
    assert_eq!(figures.time, Some(Duration::from_millis(20)), "{figures:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_service_panics_does_not_count() {
    static API: Limiter = Limiter::adaptive("layer-panics", 4..=8).start(4);
    let inner = service_fn(async |panics: bool| {
        sleep(Duration::from_millis(if panics { 1 } else { 20 })).await;
        if panics {
            resume_unwind(Box::new("of a test"));
        }
        Ok::<_, Infallible>(())
    });
    let service = ServiceBuilder::new().layer(LimitLayer::new(&API)).service(inner);
    let callers = (0..40).map(|caller| {
        let mut service = service.clone();
        async move {
            for _ in 0..100 {
                let call = service.ready().await.unwrap().call(caller % 2 == 1);
                let result = AssertUnwindSafe(call).catch_unwind().await;
                assert_eq!(result.is_err(), caller % 2 == 1);
            }
        }
    });
    futures::future::join_all(callers).await;
    let figures = API.snapshot().adaptive.expect("it adapts");
    assert_eq!(figures.time, Some(Duration::from_millis(20)), "{figures:?}");
}
