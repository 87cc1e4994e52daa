//! A call of another service, which is slow at times.

use std::time::Duration;

use anyhow::Context;
use limit_runtime::concurrency_limit;
use reqwest::{Client, ClientBuilder, StatusCode};

use crate::bank;
use crate::error::Error;

/// The time that the bank may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The client that asks the bank for exchange rates.
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

    /// Returns the value of 100 euros in another currency.
    ///
    /// When the bank is slow, calls wait here, for at most two seconds, and not at the bank. A call
    /// that waits longer is refused.
    #[concurrency_limit(6, name = "exchange-rate", max_waiting = 30, max_wait = "2s")]
    pub(crate) async fn rate(&self, currency: &str) -> Result<String, Error> {
        let response = self.client.get(format!("{}/{currency}", self.bank)).send().await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Err(Error::NotFound(format!("the bank has no {currency}")));
        }
        // The connection is in use until the text is read.
        Ok(response.error_for_status()?.text().await?)
    }
}

/// Returns a client builder for servers on loopback, which need neither a proxy nor certificates.
pub(crate) fn client() -> ClientBuilder {
    // An error means that a provider is already installed; any provider will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().tls_certs_only([])
}
