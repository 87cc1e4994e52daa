//! Limits as a layer of axum, over a real connection.

use super::until;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get};
use futures::channel::mpsc;
use futures::future::join_all;
use limit_runtime::tower::LimitLayer;
use limit_runtime::{Limiter, Rejected};
use limit_tests::figures::assert_figures;
use limit_tests::occupancy::Inside;
use limit_tests::watchdog::in_time;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, yield_now};
use tower::ServiceBuilder;
use tower::limit::ConcurrencyLimitLayer;

/// A server on loopback, which stops when this is dropped.
struct Server {
    address: SocketAddr,
    task: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn new(router: Router) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        Self { address, task: tokio::spawn(axum::serve(listener, router).into_future()) }
    }

    /// Sends a request in a task of its own.
    fn get(&self, path: &str) -> JoinHandle<reqwest::Result<reqwest::Response>> {
        let client = limit_tests::http::client().build().expect("a client");
        tokio::spawn(client.get(format!("http://{}{path}", self.address)).send())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(asked: JoinHandle<reqwest::Result<reqwest::Response>>) -> reqwest::Response {
    in_time(asked).await.expect("no panic").expect("it answers")
}

/// Returns a handler that counts the requests inside. None leaves before `together` have been
/// inside at the same time, however slowly they come.
fn counted(inside: &Arc<Inside>, together: usize) -> MethodRouter {
    let inside = Arc::clone(inside);
    get(async move || {
        let _guest = inside.enter_owned();
        while inside.most() < together {
            yield_now().await;
        }
        // Gives one request too many the time to come.
        for _ in 0..100 {
            yield_now().await;
        }
        "done"
    })
}

#[tokio::test]
async fn all_routes_and_connections_share() {
    let limiter = Arc::new(Limiter::new("tower-routes", 2));
    let towers = Arc::new(Inside::default());
    let ours = Arc::new(Inside::default());
    let routes = |inside, together| {
        let counted = || counted(inside, together);
        Router::new().route("/a", counted()).route("/b", counted()).route("/c", counted())
    };
    let ask = async |router: Router| {
        let server = Server::new(router).await;
        let paths = ["/a", "/b", "/c"].into_iter().cycle().take(24);
        for asked in join_all(paths.map(|path| answer(server.get(path)))).await {
            assert_eq!(asked.status(), 200);
        }
    };
    ask(routes(&ours, 2).layer(LimitLayer::new(&limiter).until_body_end())).await;
    assert_eq!(ours.most(), 2);
    until(|| limiter.snapshot().total.in_use == 0).await;
    assert_figures(&limiter, 0, 0);

    // The trap: tower's layer has one limit for each service that it makes, and so one for each
    // route.
    ask(routes(&towers, 3).layer(ConcurrencyLimitLayer::new(2))).await;
    assert!(towers.most() > 2, "{}", towers.most());
}

/// Returns a route whose body the test sends by hand, chunk by chunk.
fn fed() -> (mpsc::UnboundedSender<Result<Bytes, Infallible>>, MethodRouter) {
    let (feed, chunks) = mpsc::unbounded();
    let chunks = Arc::new(Mutex::new(Some(chunks)));
    let handler = get(async move || {
        let chunks = chunks.lock().expect("no panic").take();
        chunks.map_or_else(|| "done".into_response(), |it| Body::from_stream(it).into_response())
    });
    (feed, handler)
}

#[tokio::test]
async fn a_streamed_body_holds_the_permit_to_its_end() {
    let limiter = Arc::new(Limiter::new("tower-streamed", 1));
    let (feed, route) = fed();
    let router = Router::new().route("/", route);
    let server = Server::new(router.layer(LimitLayer::new(&limiter).until_body_end())).await;

    let mut first = answer(server.get("/")).await;
    let second = server.get("/");
    until(|| limiter.snapshot().total.waiting == 1).await;
    for chunk in ["one", "two"] {
        feed.unbounded_send(Ok(chunk.into())).expect("it is there");
        assert_eq!(first.chunk().await.expect("it comes").as_deref(), Some(chunk.as_bytes()));
        assert_figures(&limiter, 1, 1);
    }
    drop(feed);
    assert_eq!(first.chunk().await.expect("the end"), None);
    assert_eq!(answer(second).await.text().await.expect("a body"), "done");
    until(|| limiter.snapshot().total.in_use == 0).await;
}

#[tokio::test]
async fn a_client_that_goes_away_half_way_frees_its_permit() {
    let limiter = Arc::new(Limiter::new("tower-gone", 1));
    let (feed, route) = fed();
    let router = Router::new().route("/", route);
    let server = Server::new(router.layer(LimitLayer::new(&limiter).until_body_end())).await;

    let mut first = answer(server.get("/")).await;
    feed.unbounded_send(Ok("one".into())).expect("it is there");
    assert!(first.chunk().await.expect("it comes").is_some());
    let second = server.get("/");
    until(|| limiter.snapshot().total.waiting == 1).await;
    drop(first);
    assert_eq!(answer(second).await.text().await.expect("a body"), "done");
    until(|| limiter.snapshot().total.in_use == 0).await;
    assert!(feed.is_closed(), "the body was dropped");
}

#[tokio::test]
async fn a_client_that_goes_away_before_the_answer_leaves_nothing() {
    let limiter = Arc::new(Limiter::new("tower-left", 1));
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let handler = get(async move || {
        opened.notified().await;
        "done"
    });
    let router = Router::new().route("/", handler);
    let server = Server::new(router.layer(LimitLayer::new(&limiter).until_body_end())).await;

    let runs = server.get("/");
    until(|| limiter.snapshot().total.in_use == 1).await;
    let waits = server.get("/");
    until(|| limiter.snapshot().total.waiting == 1).await;
    waits.abort();
    until(|| limiter.snapshot().total.waiting == 0).await;
    runs.abort();
    until(|| limiter.snapshot().total.in_use == 0).await;

    let last = server.get("/");
    until(|| limiter.snapshot().total.in_use == 1).await;
    gate.notify_one();
    assert_eq!(answer(last).await.status(), 200);
}

#[tokio::test]
async fn a_refused_request_has_its_status_and_when_to_come_again() {
    let limiter = Arc::new(Limiter::named("tower-axum-layer", 1).max_waiting(0));
    let calls = Arc::new(Inside::default());
    let layer = LimitLayer::new(&limiter).on_reject(Rejected::into_response).until_body_end();
    let router = Router::new().route("/", counted(&calls, 1)).layer(layer);
    let server = Server::new(router).await;

    let held = limiter.try_acquire().expect("a permit is free");
    let refused = answer(server.get("/")).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()[RETRY_AFTER], "1", "nothing has come back yet");
    assert_eq!(
        refused.text().await.expect("a body"),
        "concurrency limit `tower-axum-layer` reached: 1 of 1 permits in use, 0 waiting"
    );
    assert_eq!(calls.most(), 0, "the handler has not run");

    drop(held);
    let text = answer(server.get("/")).await.text().await;
    assert_eq!(text.expect("a body"), "done");
    until(|| limiter.snapshot().total.in_use == 0).await;

    let _held = limiter.try_acquire().expect("a permit is free");
    let refused = answer(server.get("/")).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    let seconds = refused.headers()[RETRY_AFTER].to_str().expect("visible characters");
    assert!(seconds.parse::<u64>().expect("whole seconds") >= 1);
    // The limit holds also where there is no route.
    assert_eq!(answer(server.get("/nowhere")).await.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_route_has_its_own_limit_beside_that_of_all() {
    static ALL: Limiter = Limiter::new("tower-all", 10);

    let limiter = Arc::new(Limiter::new("tower-late", 1).max_wait(Duration::from_millis(1)));
    let calls = Arc::new(Inside::default());
    let layer = LimitLayer::new(&limiter).on_reject(Rejected::into_response).until_body_end();
    let router = Router::new()
        .route("/limited", counted(&calls, 1).layer(layer))
        .route("/free", counted(&calls, 1))
        .route_layer(ServiceBuilder::new().layer(LimitLayer::new(&ALL).until_body_end()));
    let server = Server::new(router).await;
    let _held = limiter.try_acquire().expect("a permit is free");
    assert_eq!(answer(server.get("/limited")).await.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(answer(server.get("/free")).await.status(), StatusCode::OK);
    until(|| ALL.snapshot().total.in_use == 0).await;
    assert_eq!(ALL.snapshot().total.admitted_at_once, 2);
}

#[tokio::test]
async fn a_response_whose_body_is_not_sent_holds_nothing() {
    let limiter = Arc::new(Limiter::new("tower-not-sent", 1));
    let router = Router::new()
        .route("/some", get(async || "not sent to who asks for the head"))
        .route("/none", get(async || StatusCode::NO_CONTENT))
        .route("/same", get(async || (StatusCode::NOT_MODIFIED, "nor to who has it already")))
        .layer(LimitLayer::new(&limiter).until_body_end());
    let server = Server::new(router).await;
    let client = limit_tests::http::client().build().expect("a client");
    for _ in 0..3 {
        let head = client.head(format!("http://{}/some", server.address)).send().await;
        assert_eq!(head.expect("it answers").status(), StatusCode::OK);
        assert_eq!(answer(server.get("/none")).await.status(), StatusCode::NO_CONTENT);
        assert_eq!(answer(server.get("/same")).await.status(), StatusCode::NOT_MODIFIED);
    }
    until(|| limiter.snapshot().total.in_use == 0).await;
}
