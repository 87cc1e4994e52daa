//! Limits as a layer of a client's connector.

use super::until;
use futures::future::join_all;
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use limit_runtime::tower::LimitLayer;
use limit_runtime::{Limiter, Permit, Rejected, RejectedKind};
use limit_tests::figures::assert_figures;
use limit_tests::occupancy::{Guest, Inside};
use limit_tests::watchdog::in_time;
use std::error::Error;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, yield_now};
use tower::util::MapFutureLayer;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

/// Counts its connections. Answers the first request once `together` connections have been open at
/// the same time, however slowly they come.
async fn server(together: usize) -> (SocketAddr, Arc<Inside>, JoinHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let open = Arc::new(Inside::default());
    let counted = Arc::clone(&open);
    let task = tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(serve(connection, counted.enter_owned(), together));
        }
    });
    (address, open, task)
}

async fn serve(mut connection: TcpStream, guest: Guest, together: usize) {
    let mut read = Vec::new();
    while connection.read_buf(&mut read).await.is_ok_and(|bytes| bytes > 0) {
        if read.ends_with(b"\r\n\r\n") {
            read.clear();
            while guest.most() < together {
                yield_now().await;
            }
            // Gives one connection too many the time to come.
            for _ in 0..50 {
                yield_now().await;
            }
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone";
            if connection.write_all(answer).await.is_err() {
                break;
            }
        }
    }
}

/// A connection with a value, which it drops after it has closed.
struct Kept<T> {
    connection: TokioIo<TcpStream>,
    _kept: T,
}

impl<T> Kept<T> {
    fn new(connection: TokioIo<TcpStream>, kept: T) -> Self {
        Self { connection, _kept: kept }
    }
}

impl<T: Unpin> Read for Kept<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_read(context, buffer)
    }
}

impl<T: Unpin> Write for Kept<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write_vectored(context, bytes)
    }
}

impl<T> Connection for Kept<T> {
    fn connected(&self) -> Connected {
        self.connection.connected()
    }
}

/// A guest among those who are connected, and a call's permit. They are dropped in this order.
type Held = (Guest, Option<Permit>);

/// Makes `times` requests at once through a client with this connector. The client keeps `idle`
/// idle connections for a moment.
async fn ask<C>(connector: C, address: SocketAddr, times: usize, idle: usize)
where
    C: hyper_util::client::legacy::connect::Connect + Clone + Send + Sync + 'static,
{
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(idle)
        .pool_idle_timeout(Duration::from_millis(1))
        .pool_timer(TokioTimer::new())
        .build(connector);
    let asked = (0..times).map(|_| async {
        let request = Request::get(format!("http://{address}/")).body(Empty::new());
        let response = client.request(request.expect("a request")).await.expect("it answers");
        response.into_body().collect().await.expect("a body").to_bytes()
    });
    for answer in in_time(join_all(asked)).await {
        assert_eq!(answer, "done");
    }
}

#[tokio::test]
async fn hyper_has_no_more_connections_open_than_permits() {
    for idle in [0, 8] {
        let (address, accepted, task) = server(2).await;
        let limiter = Arc::new(Limiter::new("tower-connections", 2));
        let open = Arc::new(Inside::default());
        let counted = Arc::clone(&open);
        let layer = LimitLayer::new(&limiter).hand_over(move |connection, permit| {
            let held: Held = (counted.enter_owned(), permit);
            Kept::new(connection, held)
        });
        ask(layer.layer(HttpConnector::new()), address, 12, idle).await;
        assert_eq!(open.most(), 2, "{idle} may be idle");
        assert!(accepted.most() >= 1);
        // A connection in the pool has its permit until it has been idle for too long. hyper
        // finishes connections that it has begun while another came back, and keeps them too.
        until(|| {
            let total = limiter.snapshot().total;
            (total.in_use, total.waiting, open.now()) == (0, 0, 0)
        })
        .await;
        assert_eq!(open.most(), 2, "{idle} may be idle");
        task.abort();
    }
}

#[tokio::test]
async fn hyper_without_a_limit_has_more() {
    let (address, _accepted, task) = server(3).await;
    let open = Arc::new(Inside::default());
    let counted = Arc::clone(&open);
    let connector = HttpConnector::new().map_response(move |connection| {
        Kept::new(connection, (counted.enter_owned(), None::<Permit>))
    });
    ask(connector, address, 12, 0).await;
    assert!(open.most() > 2, "{}", open.most());
    task.abort();
}

#[tokio::test]
async fn a_connect_that_fails_gives_its_permit_back() {
    // No program listens there, and none can.
    let taken = TcpSocket::new_v4().expect("a socket");
    taken.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let address = taken.local_addr().expect("an address");
    let limiter = Arc::new(Limiter::new("tower-fails", 1));
    let mut connector = LimitLayer::new(&limiter).layer(HttpConnector::new());
    let uri: Uri = format!("http://{address}/").parse().expect("an address");
    for _ in 0..3 {
        connector.ready().await.expect("ready").call(uri.clone()).await.expect_err("it is closed");
        assert_figures(&limiter, 0, 0);
    }
}

/// Returns a closure that lets a guest in for each connection that is being made.
fn counting(connecting: &Arc<Inside>) -> impl Counting + use<> {
    let connecting = Arc::clone(connecting);
    move || connecting.enter_owned()
}

/// A closure that lets a guest in for each connection that is being made.
trait Counting: Fn() -> Guest + Clone + Send + Sync + 'static {}

impl<F: Fn() -> Guest + Clone + Send + Sync + 'static> Counting for F {}

/// Delays a connection for a while.
async fn slowly<F: Future>(future: F, _guest: Guest) -> F::Output {
    for _ in 0..50 {
        yield_now().await;
    }
    future.await
}

async fn ask_with_reqwest(builder: reqwest::ClientBuilder, address: SocketAddr, times: usize) {
    let client = builder.no_proxy().pool_max_idle_per_host(0).build().expect("a client");
    let asked = (0..times).map(|_| client.get(format!("http://{address}/")).send());
    for answer in in_time(join_all(asked)).await {
        assert_eq!(answer.expect("it answers").text().await.expect("a body"), "done");
    }
}

#[tokio::test]
async fn reqwest_makes_no_more_connections_at_once_than_permits() {
    let (address, accepted, task) = server(3).await;
    let limiter = Arc::new(Limiter::new("tower-connects", 2));
    let connecting = Arc::new(Inside::default());
    let enter = counting(&connecting);
    let layers = ServiceBuilder::new()
        .layer(LimitLayer::new(&limiter))
        .layer(MapFutureLayer::new(move |future| slowly(future, enter())));
    ask_with_reqwest(limit_tests::http::client().connector_layer(layers), address, 12).await;
    assert_eq!((connecting.most(), connecting.now()), (2, 0));
    assert!(accepted.most() > 2, "the permit is for the connect, not for the connection");
    assert_figures(&limiter, 0, 0);

    let connecting = Arc::new(Inside::default());
    let enter = counting(&connecting);
    let layer = MapFutureLayer::new(move |future| slowly(future, enter()));
    ask_with_reqwest(limit_tests::http::client().connector_layer(layer), address, 12).await;
    assert!(connecting.most() > 2, "without a limit: {}", connecting.most());
    task.abort();
}

#[tokio::test]
async fn reqwest_tells_of_a_connect_that_was_refused() {
    let (address, accepted, task) = server(1).await;
    let limiter = Arc::new(Limiter::new("tower-refused", 1).max_waiting(0));
    let layer = LimitLayer::new(&limiter);
    let client = limit_tests::http::client().connector_layer(layer);
    let client = client.build().expect("a client");
    let held = limiter.try_acquire().expect("a permit is free");
    let url = format!("http://{address}/");
    let error = client.get(&url).send().await.expect_err("it is refused");
    assert!(error.is_connect(), "{error:?}");
    let mut sources = std::iter::successors(error.source(), |&error| error.source());
    let rejected = sources.find_map(|error| error.downcast_ref::<Rejected>());
    assert_eq!(rejected.expect("why").kind(), RejectedKind::QueueFull);
    assert_eq!(accepted.most(), 0);

    drop(held);
    assert_eq!(client.get(&url).send().await.expect("it answers").status(), 200);
    assert_figures(&limiter, 0, 0);
    task.abort();
}
