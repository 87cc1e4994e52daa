//! A call of another service, which has its slow moments.

use std::time::Duration;

use anyhow::Context;
use limit_runtime::concurrency_limit;
use reqwest::{Client, ClientBuilder, StatusCode};

use crate::bank;
use crate::error::Error;

/// How long the bank may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What asks the bank for exchange rates.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    client: Client,
    bank: String,
}

impl Exchange {
    pub(crate) async fn open() -> anyhow::Result<Self> {
        let client = client().timeout(PATIENCE).build().context("cannot set up the HTTP client")?;
        let bank = bank::serve().await.context("cannot serve the bank")?;
        Ok(Self { client, bank: format!("http://{bank}") })
    }

    /// What a hundred euros are in another currency. When the bank is slow, callers queue here for a
    /// moment instead of there, and then are told to come again.
    #[concurrency_limit(6, name = "exchange-rate", max_waiting = 30, max_wait = "2s")]
    pub(crate) async fn rate(&self, currency: &str) -> Result<String, Error> {
        let response = self.client.get(format!("{}/{currency}", self.bank)).send().await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Err(Error::NotFound(format!("the bank has no {currency}")));
        }
        // Until here the connection is in use.
        Ok(response.error_for_status()?.text().await?)
    }
}

/// For what is on loopback, which needs neither proxy nor certificates.
pub(crate) fn client() -> ClientBuilder {
    // An error says that one is installed already, which will do as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().tls_certs_only([])
}
