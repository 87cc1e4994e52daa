//! Connections that go on after their response, over real sockets: the permit stays with them.

use super::until;
use axum::body::Bytes;
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{Either, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::ext::Protocol;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use limit_runtime::Limiter;
use limit_runtime::tower::{LimitLayer, SharedPermit};
use limit_tests::figures::assert_figures;
use limit_tests::occupancy::Inside;
use limit_tests::watchdog::in_time;
use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::{Layer, service_fn};

/// Sends all bytes back, on the connection that goes on after the answer.
async fn echo<B>(request: Request<B>, permit: Option<SharedPermit>, inside: Arc<Inside>) {
    let upgraded: Upgraded = hyper::upgrade::on(request).await.expect("it is upgraded");
    let guest = inside.enter_owned();
    let (mut from, mut to) = tokio::io::split(TokioIo::new(upgraded));
    // Copies until the other side has gone, in whatever way.
    let _ = tokio::io::copy(&mut from, &mut to).await;
    let _ = to.shutdown().await;
    drop((from, to));
    drop(guest);
    // The permit is held to here.
    drop(permit);
}

type Answer = Response<Either<Empty<Bytes>, Full<Bytes>>>;

/// Answers 101 to a request for an upgrade, 200 to CONNECT, and 200 with a body to others.
fn answer(
    mut request: Request<Incoming>,
    inside: &Arc<Inside>,
) -> Ready<Result<Answer, Infallible>> {
    let upgrades = request.headers().contains_key(UPGRADE);
    if !upgrades && request.method() != Method::CONNECT {
        return ready(Ok(Response::new(Either::Right(Full::new(Bytes::from_static(b"plain"))))));
    }
    let permit = request.extensions_mut().remove::<SharedPermit>();
    assert!(permit.is_some(), "the layer has put it there");
    tokio::spawn(echo(request, permit, Arc::clone(inside)));
    let mut response = Response::new(Either::Left(Empty::new()));
    if upgrades {
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        response.headers_mut().insert(UPGRADE, HeaderValue::from_static("echo"));
    }
    ready(Ok(response))
}

/// Accepts connections on loopback. All end when the returned set is dropped.
async fn accept<F: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(TokioIo<TcpStream>) -> F + Send + 'static,
) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let mut server = JoinSet::new();
    server.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((connection, _)) = listener.accept().await {
            connections.spawn(serve(TokioIo::new(connection)));
        }
    });
    (address, server)
}

async fn ask(address: SocketAddr, head: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).await.expect("the server listens");
    connection.write_all(head.as_bytes()).await.expect("the server reads");
    connection
}

async fn read_head(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(in_time(connection.read_u8()).await.expect("the server answers"));
    }
    String::from_utf8(head).expect("text")
}

async fn assert_echoes(connection: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    connection.write_all(b"hello").await.expect("it is there");
    let mut answer = [0; 5];
    in_time(connection.read_exact(&mut answer)).await.expect("it answers");
    assert_eq!(&answer, b"hello");
}

/// Makes three calls at once, which go on one after another.
async fn three_at_once(
    limiter: &Limiter,
    inside: &Inside,
    address: SocketAddr,
    head: &'static str,
    status: &'static str,
) {
    let begin = move || async move {
        let mut connection = ask(address, head).await;
        let answer = read_head(&mut connection).await;
        assert!(answer.starts_with(status), "{answer}");
        assert_echoes(&mut connection).await;
        connection
    };
    let mut first = begin().await;
    assert_figures(limiter, 1, 0);
    let others = [tokio::spawn(begin()), tokio::spawn(begin())];
    until(|| limiter.snapshot().total.waiting == 2).await;
    assert_echoes(&mut first).await;
    assert_figures(limiter, 1, 2);
    drop(first);
    for other in others {
        drop(in_time(other).await.expect("it is admitted"));
    }
    until(|| inside.now() == 0).await;
    until(|| limiter.snapshot().total.in_use == 0).await;
    assert_eq!(inside.most(), 1);
}

#[tokio::test]
async fn an_upgraded_connection_of_http_1_holds_its_permit() {
    let limiter = Arc::new(Limiter::new("tower-upgraded", 1));
    let inside = Arc::new(Inside::default());
    let service = LimitLayer::new(&limiter).until_body_end().layer(service_fn({
        let inside = Arc::clone(&inside);
        move |request| answer(request, &inside)
    }));
    let (address, _server) = accept(move |connection| {
        let service = TowerToHyperService::new(service.clone());
        async move {
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(connection, service).with_upgrades().await;
        }
    })
    .await;
    let upgrade =
        "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    three_at_once(&limiter, &inside, address, upgrade, "HTTP/1.1 101 ").await;
    let connect = "CONNECT localhost:7 HTTP/1.1\r\nhost: localhost:7\r\n\r\n";
    three_at_once(&limiter, &inside, address, connect, "HTTP/1.1 200 ").await;
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn a_handler_of_axum_takes_the_permit_as_an_extension() {
    use axum::extract::Extension;
    use axum::response::IntoResponse;

    let limiter = Arc::new(Limiter::new("tower-upgraded-axum", 1));
    let inside = Arc::new(Inside::default());
    let handler = axum::routing::get({
        let inside = Arc::clone(&inside);
        async move |Extension(permit): Extension<SharedPermit>, request: axum::extract::Request| {
            tokio::spawn(echo(request, Some(permit), inside));
            let headers = [(CONNECTION, "upgrade"), (UPGRADE, "echo")];
            (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
        }
    });
    let router =
        axum::Router::new().route("/", handler).layer(LimitLayer::new(&limiter).until_body_end());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let mut server = JoinSet::new();
    server.spawn(axum::serve(listener, router).into_future());
    let upgrade =
        "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    three_at_once(&limiter, &inside, address, upgrade, "HTTP/1.1 101 ").await;
}

#[tokio::test]
async fn an_upgrade_that_its_client_does_not_wait_for_gives_the_permit_back() {
    let limiter = Arc::new(Limiter::new("tower-not-upgraded", 1));
    let gone = Arc::new(Inside::default());
    let service = LimitLayer::new(&limiter).until_body_end().layer(service_fn({
        let gone = Arc::clone(&gone);
        move |mut request: Request<Incoming>| {
            let (permit, guest) =
                (request.extensions_mut().remove::<SharedPermit>(), gone.enter_owned());
            tokio::spawn(async move {
                let _held = (guest, permit.expect("the layer has put it there"));
                hyper::upgrade::on(request).await.map(drop)
            });
            std::future::pending::<Result<Response<Empty<Bytes>>, Infallible>>()
        }
    }));
    let (address, _server) = accept(move |connection| {
        let service = TowerToHyperService::new(service.clone());
        async move {
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(connection, service).with_upgrades().await;
        }
    })
    .await;
    let connect = "CONNECT localhost:7 HTTP/1.1\r\nhost: localhost:7\r\n\r\n";
    let connection = ask(address, connect).await;
    until(|| gone.now() == 1).await;
    assert_figures(&limiter, 1, 0);
    drop(connection);
    until(|| gone.now() == 0).await;
    until(|| limiter.snapshot().total.in_use == 0).await;
}

/// A connection of HTTP/2, which may carry several calls.
async fn http_2(address: SocketAddr) -> SendRequest<Empty<Bytes>> {
    let connection = TcpStream::connect(address).await.expect("the server listens");
    let (requests, connection) =
        handshake(TokioExecutor::new(), TokioIo::new(connection)).await.expect("it is HTTP/2");
    tokio::spawn(connection);
    requests
}

fn request(method: Method, uri: &str) -> Request<Empty<Bytes>> {
    let request = Request::builder().method(method).uri(uri).body(Empty::new());
    request.expect("a request")
}

#[tokio::test]
async fn a_connection_within_http_2_holds_its_permit() {
    let limiter = Arc::new(Limiter::new("tower-connect-2", 1));
    let inside = Arc::new(Inside::default());
    let service = LimitLayer::new(&limiter).until_body_end().layer(service_fn({
        let inside = Arc::clone(&inside);
        move |request| answer(request, &inside)
    }));
    let (address, _server) = accept(move |connection| {
        let service = TowerToHyperService::new(service.clone());
        async move {
            let mut http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let http = http.enable_connect_protocol();
            let _ = http.serve_connection(connection, service).await;
        }
    })
    .await;
    let mut requests = http_2(address).await;
    // The body is not sent. After the answer the client knows the server's settings.
    let head = in_time(requests.send_request(request(Method::HEAD, "http://localhost/"))).await;
    assert_eq!(head.expect("it answers").status(), StatusCode::OK);
    until(|| limiter.snapshot().total.in_use == 0).await;

    let mut connect = async |protocol: Option<&'static str>| {
        let uri = if protocol.is_some() { "http://localhost/" } else { "localhost:7" };
        let mut request = request(Method::CONNECT, uri);
        if let Some(protocol) = protocol {
            request.extensions_mut().insert(Protocol::from_static(protocol));
        }
        let response = requests.send_request(request).await.expect("it answers");
        assert_eq!(response.status(), StatusCode::OK);
        let upgraded = hyper::upgrade::on(response).await.expect("it is upgraded");
        let mut connection = TokioIo::new(upgraded);
        assert_echoes(&mut connection).await;
        connection
    };
    // The first is a web socket, the second a tunnel.
    for protocol in [Some("websocket"), None] {
        let mut first = in_time(connect(protocol)).await;
        assert_figures(&limiter, 1, 0);
        let mut second = std::pin::pin!(connect(protocol));
        let waits = async {
            until(|| limiter.snapshot().total.waiting == 1).await;
            assert_echoes(&mut first).await;
            assert_figures(&limiter, 1, 1);
            first.shutdown().await.expect("it goes");
            drop(first);
        };
        let (second, ()) = in_time(async { tokio::join!(second.as_mut(), waits) }).await;
        drop(second);
        until(|| limiter.snapshot().total.in_use == 0).await;
    }
    assert_eq!(inside.most(), 1);
}
