//! A client limited to 100 connections.
//!
//! ```python
//! async def fetch_all(urls):
//!     connector = aiohttp.TCPConnector(limit=100)
//!     async with aiohttp.ClientSession(connector=connector) as session:
//!         async def fetch(url):
//!             async with session.get(url) as response:
//!                 return await response.text()
//!         return await asyncio.gather(*map(fetch, urls))
//! ```
//!
//! aiohttp limits the connections in use. A layer around reqwest's connector sees a connection only
//! while it is *opened*. The layer has a limit of its own, which keeps a burst of requests from
//! becoming a storm of handshakes. A request uses a connection until the end of the response's
//! body, so `get` has the limit of 100. (With HTTP/2, many requests share a connection, and fewer
//! than 100 connections are open.)
#![forbid(unsafe_code)]

use std::error::Error;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use cookbook::Server;
use limit_runtime::tower::LimitLayer;
use limit_runtime::{Limiter, concurrency_limit, task};
use reqwest::{Client, ClientBuilder};
use tokio::net::TcpListener;

pub(crate) struct Http {
    client: Client,
    in_use: Limiter,
}

impl Http {
    pub(crate) fn new(
        client: ClientBuilder,
        in_use: usize,
        opening: usize,
    ) -> reqwest::Result<Self> {
        let opening = LimitLayer::new(Limiter::new("connections being opened", opening));
        let client = client.connector_layer(opening).build()?;
        Ok(Self { client, in_use: Limiter::new("connections in use", in_use) })
    }

    #[concurrency_limit(limiter = self.in_use)]
    pub(crate) async fn get(&self, url: &str) -> reqwest::Result<String> {
        // The call reads the body under the limit, because the connection is in use until then.
        self.client.get(url).send().await?.text().await
    }
}

/// Returns a client builder for a site on loopback.
///
/// The first line installs the TLS provider, because this workspace builds reqwest without one.
pub(crate) fn builder() -> ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().tls_certs_only([])
}

async fn page(State(server): State<Server>, Path(page): Path<u32>) -> String {
    server.get(page).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::new();
    let site = Router::new().route("/{page}", get(page)).with_state(server.clone());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, site).into_future());

    let http = Http::new(builder(), 100, 10)?;
    let http = &http;
    let requests =
        (1..=300).map(|page| async move { http.get(&format!("http://{address}/{page}")).await });
    let texts = task::local::try_gather(usize::MAX, requests).await?;
    println!("{} pages, at most {} at once", texts.len(), server.most());
    println!("{}", http.in_use.snapshot());
    Ok(())
}
