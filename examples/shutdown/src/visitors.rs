//! Visitors of the server, who come faster than the server can serve them.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::header::RETRY_AFTER;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::interval;

/// The time between two visitors.
const PACE: Duration = Duration::from_millis(300);

/// The visitors, who come until `end` is called.
pub(crate) struct Visitors {
    enough: oneshot::Sender<()>,
    all: JoinHandle<()>,
}

impl Visitors {
    pub(crate) fn invite(url: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let (enough, told) = oneshot::channel();
        Self { enough, all: tokio::spawn(come(client, url.to_owned(), told)) }
    }

    /// Stops new visitors, and waits until the last visitor has an answer.
    pub(crate) async fn end(self) {
        // An error means that the task has already ended.
        let _ = self.enough.send(());
        let _ = self.all.await;
    }
}

async fn come(client: Client<HttpConnector, Body>, url: String, mut enough: oneshot::Receiver<()>) {
    let mut ticks = interval(PACE);
    let mut visits = JoinSet::new();
    for number in 1.. {
        tokio::select! {
            _ = &mut enough => break,
            _ = ticks.tick() => visits.spawn(visit(client.clone(), url.clone(), number)),
        };
    }
    visits.join_all().await;
}

async fn visit(client: Client<HttpConnector, Body>, url: String, number: u32) {
    let answer = async {
        let response = client.request(Request::post(url).body("hello".into())?).await?;
        let status = response.status();
        let later = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let later = later.map_or(String::new(), |later| format!(", retry after {later} s"));
        let bytes = to_bytes(Body::new(response.into_body()), 1024 * 1024).await?;
        let text = String::from_utf8_lossy(&bytes);
        anyhow::Ok(format!("{}{later}: {text}", status.as_u16()))
    };
    match answer.await {
        Ok(answer) => println!("visitor {number:>2}: {answer}"),
        Err(error) => println!("visitor {number:>2}: no answer, {error}"),
    }
}
