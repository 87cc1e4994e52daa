//! A service of axum whose limit finds itself.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use limit_runtime::Limiter;
use limit_runtime::tower::LimitLayer;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tower::ServiceExt;

/// Calls the service from some clients, for a time.
async fn load(service: &Router, clients: u32, time: Duration) {
    let end = Instant::now() + time;
    let mut load = JoinSet::new();
    for client in 0..clients {
        let service = service.clone();
        load.spawn(async move {
            sleep(Duration::from_micros(331) * client).await;
            while Instant::now() < end {
                let request = Request::get("/report").body(Body::empty()).unwrap();
                assert!(service.clone().oneshot(request).await.unwrap().status().is_success());
            }
        });
    }
    load.join_all().await;
}

/// Returns the limit when no question is asked.
fn limit(limiter: &Limiter) -> usize {
    let figures = limiter.snapshot().adaptive.expect("it was called");
    if figures.is_asking { 2 * figures.limit } else { figures.limit }
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_a_service_comes_to_its_workers_and_follows_a_third() {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    static REPORTS: Limiter = Limiter::adaptive("adapting-axum", 1..=32);
    let workers = Arc::new(Semaphore::new(2));
    let report = {
        let workers = Arc::clone(&workers);
        move || async move {
            let _worker = workers.acquire().await;
            // Between 5 and 25 ms, in a fixed mix.
            let call = CALLS.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(5 + call * 7 % 21)).await;
            "done"
        }
    };
    let service = Router::new()
        .route("/report", get(report))
        .layer(LimitLayer::new(&REPORTS).until_body_end());

    load(&service, 40, Duration::from_secs(10)).await;
    let two = limit(&REPORTS);
    assert!((2..=4).contains(&two), "{two}");

    workers.add_permits(1);
    load(&service, 40, Duration::from_secs(30)).await;
    let three = limit(&REPORTS);
    assert!((3..=6).contains(&three), "{three}");
}
