//! Visitors of the server, who come faster than the server can serve them.

use std::time::Duration;

use reqwest::Client;
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
    pub(crate) fn invite(url: &str) -> anyhow::Result<Self> {
        // An error means that a provider is already installed; any provider will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A server on loopback needs neither a proxy nor certificates.
        let client = Client::builder().no_proxy().tls_certs_only([]).build()?;
        let (enough, told) = oneshot::channel();
        Ok(Self { enough, all: tokio::spawn(come(client, url.to_owned(), told)) })
    }

    /// Stops new visitors, and waits until the last visitor has an answer.
    pub(crate) async fn end(self) {
        // An error means that the task has already ended.
        let _ = self.enough.send(());
        let _ = self.all.await;
    }
}

async fn come(client: Client, url: String, mut enough: oneshot::Receiver<()>) {
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

async fn visit(client: Client, url: String, number: u32) {
    let answer = async {
        let response = client.post(url).body("hello").send().await?;
        let status = response.status();
        let later = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let later = later.map_or(String::new(), |later| format!(", retry after {later} s"));
        let text = response.text().await?;
        reqwest::Result::Ok(format!("{}{later}: {text}", status.as_u16()))
    };
    match answer.await {
        Ok(answer) => println!("visitor {number:>2}: {answer}"),
        Err(error) => println!("visitor {number:>2}: no answer, {error}"),
    }
}
