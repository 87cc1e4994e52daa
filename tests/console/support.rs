//! Requests and answers.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use limit_console::{Options, router};
use serde_json::Value;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, yield_now};
use tower::ServiceExt;

pub(crate) const TOKEN: &str = "correct horse battery staple";

/// A console that is asked without a server.
pub(crate) struct Console(Router);

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Console {
    pub(crate) fn new(options: Options) -> Self {
        Self(router(options))
    }

    pub(crate) fn read_only() -> Self {
        Self::new(Options::new())
    }

    pub(crate) fn writable() -> Self {
        Self::new(Options::new().writable(TOKEN))
    }

    pub(crate) fn of(router: Router) -> Self {
        Self(router)
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response {
        self.0.clone().oneshot(request).await.expect("a router always answers")
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.send(request).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), 100 << 20).await.expect("the whole body");
        let body = String::from_utf8(body.to_vec()).expect("text");
        Answer { status, headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(get(path)).await
    }

    /// Sends a change as the page does.
    pub(crate) async fn set(&self, wanted: Value) -> Answer {
        self.ask(post(wanted.to_string())).await
    }

    /// Returns the row of a limiter; `null` if there is none.
    pub(crate) async fn row(&self, name: &str) -> Value {
        let all = self.get("/api/limiters").await.json();
        let rows = all["limiters"].as_array().expect("a list");
        rows.iter().find(|row| row["name"] == name).cloned().unwrap_or_default()
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// Returns the reason why a request was refused.
    #[track_caller]
    pub(crate) fn error(&self) -> String {
        assert!(!self.status.is_success(), "{}", self.body);
        let body: Value = serde_json::from_str(&self.body).expect("JSON");
        body["error"].as_str().expect("words").to_owned()
    }
}

pub(crate) fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "127.0.0.1:9999")
}

pub(crate) fn get(path: &str) -> Request<Body> {
    request("GET", path).body(Body::empty()).expect("a request")
}

/// Makes the text of a request over a connection.
pub(crate) fn get_with_host(path: &str, host: SocketAddr) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

/// Makes a request for a change, with everything that it needs.
pub(crate) fn post(body: String) -> Request<Body> {
    request("POST", "/api/settings")
        .header("origin", "http://127.0.0.1:9999")
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("content-type", "application/json")
        .body(Body::from(body))
        .expect("a request")
}

/// Serves a console by itself, at a free port. If another program takes the port just before, tries another
/// port.
pub(crate) async fn served<F>(
    ip: Ipv4Addr,
    serve: impl Fn(SocketAddr) -> F,
) -> (SocketAddr, JoinHandle<io::Result<()>>)
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    loop {
        let free = TcpListener::bind((ip, 0)).and_then(|free| free.local_addr());
        let address = free.expect("a free port");
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()));
        let server = tokio::spawn(serve(address));
        while !server.is_finished() && TcpStream::connect(loopback).await.is_err() {
            yield_now().await;
        }
        if !server.is_finished() {
            return (loopback, server);
        }
        let ended = server.await.expect("no panic").expect_err("it serves for ever");
        assert_eq!(ended.kind(), io::ErrorKind::AddrInUse, "{ended}");
    }
}

/// Makes a client that needs no certificates.
pub(crate) fn http_client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client")
}
