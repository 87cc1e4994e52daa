//! Answers that say that the server is overloaded: 429, 503 and `Retry-After`, or their counterparts
//! in gRPC.
//!
//! ```python
//! async def get(session, semaphore, url):
//!     async with semaphore:
//!         response = await session.get(url)
//!         if response.status in (429, 503):  # only this call stops; the others go on
//!             await asyncio.sleep(int(response.headers.get("Retry-After", 0)))
//!         return response
//! ```
//!
//! `overload` names a function that looks at each result. If more than a tenth of the calls find the
//! server overloaded, the limit goes down. A duration holds all new calls off, for at most a minute.
//! The two functions are for results of `reqwest` and of `tonic`.
#![forbid(unsafe_code)]

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cookbook::Server;
use limit_runtime::{Limiter, concurrency_limit};
use reqwest::Client;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

/// Returns how long to leave a server alone, if a result of `reqwest` says that it is overloaded.
pub(crate) fn http_overload(result: &reqwest::Result<reqwest::Response>) -> Option<Duration> {
    let is_overloaded =
        |status| matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    match result {
        Ok(response) if is_overloaded(response.status()) => Some(retry_after(response.headers())),
        // An error of `error_for_status` has no headers any more.
        Err(error) if error.is_timeout() || error.status().is_some_and(is_overloaded) => {
            Some(Duration::ZERO)
        }
        _ => None,
    }
}

/// Reads `Retry-After` if it is a number of seconds. A date counts as no time.
fn retry_after(headers: &HeaderMap) -> Duration {
    let seconds = || headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok();
    Duration::from_secs(seconds().unwrap_or(0))
}

/// Returns how long to leave a server alone, if a result of `tonic` says that it is overloaded.
pub(crate) fn grpc_overload<T>(result: &Result<tonic::Response<T>, Status>) -> Option<Duration> {
    let status = result.as_ref().err()?;
    match status.code() {
        Code::ResourceExhausted | Code::Unavailable => Some(pushback(status.metadata())),
        Code::DeadlineExceeded => Some(Duration::ZERO),
        _ => None,
    }
}

/// Reads `grpc-retry-pushback-ms`. A negative number forbids to try again, and counts as no time.
fn pushback(metadata: &MetadataMap) -> Duration {
    let milliseconds = || metadata.get("grpc-retry-pushback-ms")?.to_str().ok()?.parse().ok();
    Duration::from_millis(milliseconds().unwrap_or(0))
}

pub(crate) static PAGES: Limiter = Limiter::adaptive("pages", 1..=100).start(20);

/// The permit comes back with the head of the response. A body that is large is read under the limit.
#[concurrency_limit(limiter = PAGES, overload = http_overload)]
pub(crate) async fn fetch(client: Client, url: String) -> reqwest::Result<reqwest::Response> {
    client.get(url).send().await
}

/// Stands for a method of a client that `tonic` generates.
#[concurrency_limit(..=100, overload = grpc_overload, name = "greetings")]
pub(crate) async fn greet(name: &str) -> Result<tonic::Response<String>, Status> {
    if name.is_empty() {
        return Err(Status::resource_exhausted("too many greetings"));
    }
    Ok(tonic::Response::new(format!("hello, {name}")))
}

/// Returns a client for a server on loopback.
///
/// The first line installs the TLS provider, because this workspace builds reqwest without one.
pub(crate) fn client() -> reqwest::Result<Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().tls_certs_only([]).build()
}

/// Answers four requests at a time. The next one gets a 503, which asks for a second of peace.
async fn page(State(server): State<Server>) -> Response {
    if server.now() >= 4 {
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")]).into_response();
    }
    server.get(1).await.into_response()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let site = Router::new().route("/", get(page)).with_state(Server::new());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, site).into_future());

    let client = client()?;
    for round in 1..=3 {
        let calls = (0..40).map(|_| fetch(client.clone(), url.clone()));
        let answers = calls.collect::<JoinSet<_>>().join_all().await;
        let answers = answers.into_iter().collect::<reqwest::Result<Vec<_>>>()?;
        let pages = answers.iter().filter(|answer| answer.status().is_success()).count();
        let is_held_off = PAGES.snapshot().adaptive.is_some_and(|figures| figures.is_held_off);
        let then = if is_held_off { "; the next wait for a second" } else { "" };
        println!("round {round}: {pages} of {} are pages{then}", answers.len());
    }
    println!("{}", greet("Ferris").await?.into_inner());
    Ok(())
}
