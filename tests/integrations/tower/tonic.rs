//! Limits as a layer of servers and clients of tonic, over a real connection.

use super::until;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::future::join_all;
use limit_runtime::tower::LimitLayer;
use limit_runtime::{Limiter, Rejected, RejectedKind};
use limit_tests::figures::assert_figures;
use limit_tests::watchdog::in_time;
use std::error::Error;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tower::ServiceBuilder;

/// A health service: the test lets checks be answered, and sends the answers of a watch.
#[derive(Clone)]
struct Upstream {
    inside: Arc<limit_tests::occupancy::Inside>,
    answers: Arc<Semaphore>,
    watched: Arc<Mutex<Option<UnboundedReceiver<Answer>>>>,
}

type Answer = Result<HealthCheckResponse, Status>;

impl Upstream {
    fn new() -> (Self, UnboundedSender<Answer>) {
        let (feed, watched) = unbounded();
        let inside = Arc::default();
        let answers = Arc::new(Semaphore::new(0));
        (Self { inside, answers, watched: Arc::new(Mutex::new(Some(watched))) }, feed)
    }

    /// Lets this many checks be answered.
    fn answer(&self, checks: usize) {
        self.answers.add_permits(checks);
    }

    fn service(&self) -> HealthServer<Self> {
        HealthServer::new(self.clone())
    }
}

#[tonic::async_trait]
impl Health for Upstream {
    async fn check(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let _guest = self.inside.enter_owned();
        let let_go = self.answers.acquire().await.map_err(|_| Status::aborted("closed"))?;
        let_go.forget();
        Ok(Response::new(HealthCheckResponse { status: 1 }))
    }

    type WatchStream = UnboundedReceiver<Answer>;

    async fn watch(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let watched = self.watched.lock().expect("no panic").take();
        watched.map(Response::new).ok_or_else(|| Status::not_found("watched already"))
    }
}

/// Connects a client to a server that runs until the task is aborted.
async fn connect<F>(serve: impl FnOnce(TcpIncoming) -> F) -> (Channel, JoinHandle<F::Output>)
where
    F: Future<Output = Result<(), tonic::transport::Error>> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let task = tokio::spawn(serve(TcpIncoming::from(listener)));
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    (endpoint.connect().await.expect("the server listens"), task)
}

fn request() -> HealthCheckRequest {
    HealthCheckRequest { service: String::new() }
}

/// Makes eight checks at the same time, and asserts that two run and six wait.
async fn assert_two_at_a_time<F>(limiter: &Limiter, upstream: &Upstream, check: impl Fn() -> F)
where
    F: Future<Output = Result<Response<HealthCheckResponse>, Status>> + Send + 'static,
{
    let calls: Vec<_> = (0..8).map(|_| tokio::spawn(check())).collect();
    until(|| limiter.snapshot().total.waiting == 6 && upstream.inside.now() == 2).await;
    upstream.answer(8);
    for call in in_time(join_all(calls)).await {
        assert_eq!(call.expect("no panic").expect("it answers").into_inner().status, 1);
    }
    assert_eq!(upstream.inside.most(), 2);
}

#[tokio::test]
async fn a_servers_calls_keep_to_the_limit() {
    let (upstream, _feed) = Upstream::new();
    let limiter = Arc::new(Limiter::new("tower-server", 2));
    let layer = LimitLayer::new(&limiter).until_body_end();
    let router = Server::builder().layer(layer).add_service(upstream.service());
    let (channel, server) = connect(|incoming| router.serve_with_incoming(incoming)).await;

    assert_two_at_a_time(&limiter, &upstream, || {
        let mut client = HealthClient::new(channel.clone());
        async move { client.check(request()).await }
    })
    .await;
    until(|| limiter.snapshot().total.in_use == 0).await;
    server.abort();
}

#[tokio::test]
async fn a_refused_call_has_its_status() {
    let (upstream, _feed) = Upstream::new();
    let limiter = Arc::new(Limiter::named("tower-tonic-layer", 1).max_waiting(0));
    let layer = LimitLayer::new(&limiter)
        .on_reject(|rejected| Status::from(rejected).into_http())
        .until_body_end();
    let router = Server::builder().layer(layer).add_service(upstream.service());
    let (channel, server) = connect(|incoming| router.serve_with_incoming(incoming)).await;
    let mut client = HealthClient::new(channel);

    let held = limiter.try_acquire().expect("a permit is free");
    let status = client.check(request()).await.expect_err("it is refused");
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(
        status.message(),
        "concurrency limit `tower-tonic-layer` reached: 1 of 1 permits in use, 0 waiting"
    );
    assert_eq!(status.metadata().get("grpc-retry-pushback-ms").expect("it is told"), "1000");
    let status = client.watch(request()).await.expect_err("it is refused");
    assert_eq!(status.code(), Code::ResourceExhausted, "a stream as well");
    drop(held);

    upstream.answer(1);
    client.check(request()).await.expect("it answers");
    until(|| limiter.snapshot().total.in_use == 0).await;
    let _held = limiter.try_acquire().expect("a permit is free");
    let status = client.check(request()).await.expect_err("it is refused");
    let pushback = status.metadata().get("grpc-retry-pushback-ms").expect("there is an estimate");
    pushback.to_str().expect("visible characters").parse::<u32>().expect("milliseconds");
    server.abort();
}

#[tokio::test]
async fn a_servers_stream_holds_the_permit_to_its_end() {
    for ends in [true, false] {
        let (upstream, feed) = Upstream::new();
        let limiter = Arc::new(Limiter::new("tower-stream", 1));
        let layer = LimitLayer::new(&limiter).until_body_end();
        let router = Server::builder().layer(layer).add_service(upstream.service());
        let (channel, server) = connect(|incoming| router.serve_with_incoming(incoming)).await;
        let mut client = HealthClient::new(channel);

        let mut watch = client.watch(request()).await.expect("it streams").into_inner();
        let mut other = client.clone();
        let waits = tokio::spawn(async move { other.check(request()).await });
        until(|| limiter.snapshot().total.waiting == 1).await;
        for status in [1, 2] {
            feed.unbounded_send(Ok(HealthCheckResponse { status })).expect("it is there");
            let message = watch.message().await.expect("no error").expect("a message");
            assert_eq!(message.status, status);
            assert_figures(&limiter, 1, 1);
        }
        upstream.answer(1);
        if ends {
            feed.unbounded_send(Err(Status::data_loss("it fails"))).expect("it is there");
            assert_eq!(watch.message().await.expect_err("its end").code(), Code::DataLoss);
        } else {
            drop(watch); // The client goes away.
        }
        in_time(waits).await.expect("no panic").expect("it answers");
        until(|| limiter.snapshot().total.in_use == 0).await;
        server.abort();
    }
}

#[tokio::test]
async fn a_clients_calls_keep_to_the_limit() {
    let (upstream, feed) = Upstream::new();
    let router = Server::builder().add_service(upstream.service());
    let (channel, server) = connect(|incoming| router.serve_with_incoming(incoming)).await;
    let limiter = Arc::new(Limiter::new("tower-client", 2));
    let layer = LimitLayer::new(&limiter).until_body_end();
    let client = HealthClient::new(ServiceBuilder::new().layer(layer).service(channel));

    assert_two_at_a_time(&limiter, &upstream, || {
        let mut client = client.clone();
        async move { client.check(request()).await }
    })
    .await;
    assert_figures(&limiter, 0, 0);

    let mut watch = client.clone().watch(request()).await.expect("it streams").into_inner();
    assert_figures(&limiter, 1, 0);
    drop(feed);
    assert!(watch.message().await.expect("no error").is_none());
    assert_figures(&limiter, 0, 0);
    server.abort();
}

#[tokio::test]
async fn a_clients_refused_call_tells_why() {
    let (upstream, _feed) = Upstream::new();
    upstream.answer(2);
    let router = Server::builder().add_service(upstream.service());
    let (channel, server) = connect(|incoming| router.serve_with_incoming(incoming)).await;
    let limiter = Arc::new(Limiter::new("tower-refusing", 1).max_waiting(0));
    let layer = LimitLayer::new(&limiter);
    let mut client = HealthClient::new(ServiceBuilder::new().layer(layer).service(channel.clone()));

    let held = limiter.try_acquire().expect("a permit is free");
    let status = client.check(request()).await.expect_err("it is refused");
    let mut sources = std::iter::successors(status.source(), |&error| error.source());
    let rejected = sources.find_map(|error| error.downcast_ref::<Rejected>());
    assert_eq!(rejected.expect("why").kind(), RejectedKind::QueueFull, "{status:?}");

    // The status is the same as from a server.
    let layer = LimitLayer::new(&limiter)
        .on_reject(|rejected| Status::from(rejected).into_http::<tonic::body::Body>());
    let mut answers = HealthClient::new(ServiceBuilder::new().layer(layer).service(channel));
    let status = answers.check(request()).await.expect_err("it is refused");
    assert_eq!(status.code(), Code::ResourceExhausted);

    drop(held);
    client.check(request()).await.expect("it answers");
    answers.check(request()).await.expect("it answers");
    assert_figures(&limiter, 0, 0);
    server.abort();
}

#[tokio::test]
async fn a_limit_over_a_limit_refuses_as_well() {
    let (upstream, _feed) = Upstream::new();
    upstream.answer(1);
    let limiter = Arc::new(Limiter::new("tower-outer", 1).max_waiting(0));
    let outer = LimitLayer::new(&limiter).on_reject(|rejected| Status::from(rejected).into_http());
    let inner = LimitLayer::new(Limiter::new("tower-inner", 1)).until_body_end();
    let router = Server::builder().layer(outer).layer(inner).add_service(upstream.service());
    let (channel, server) = connect(|incoming| router.serve_with_incoming(incoming)).await;
    let mut client = HealthClient::new(channel);
    let held = limiter.try_acquire().expect("a permit is free");
    let status = client.check(request()).await.expect_err("it is refused");
    assert_eq!(status.code(), Code::ResourceExhausted);
    drop(held);
    client.check(request()).await.expect("it answers");
    server.abort();
}
