//! The fetch of one page: the function with the limit.

use std::error::Error;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use limit_runtime::concurrency_limit;
use reqwest::header::{CONTENT_TYPE, HeaderName, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};

use crate::status::Status;

/// The longest body that the crawler reads, in bytes.
const LONGEST_BODY: usize = 8 * 1024 * 1024;

/// The server's answer to a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// An HTML page: its bytes as received, and the charset that its header names.
    Html { bytes: Vec<u8>, charset: Option<String> },
    /// The page is somewhere else, at this address (which may be relative).
    Moved { location: String },
    /// An answer without links.
    Nothing { status: Status, detail: String },
}

/// Fetches one page: at most three pages at once, however many tasks call the function.
///
/// Sets `begun` when the call has its permit, that is, when this body runs.
#[concurrency_limit(3)]
pub(crate) async fn fetch(client: &Client, url: &Url, begun: &AtomicBool) -> Answer {
    begun.store(true, Ordering::Relaxed);
    match get(client, url).await {
        Ok(answer) => answer,
        Err(error) => failure(&error),
    }
}

/// The name of `fetch`'s limiter: the module and the function.
const LIMITER: &str = concat!(module_path!(), "::fetch");

/// Sets the limit of `fetch` to `limit`. `find` knows a limiter only after its first use.
pub(crate) fn set_limit(limit: usize) {
    if let Some(limiter) = limit_runtime::find(LIMITER) {
        limiter.set_limit(limit);
    }
}

/// Returns how many calls of `fetch` run, and how many wait for a permit.
pub(crate) fn in_flight_and_queued() -> (usize, usize) {
    limit_runtime::find(LIMITER).map_or((0, 0), |limiter| {
        let total = limiter.snapshot().total;
        (total.in_use, total.waiting)
    })
}

/// Returns the client to crawl `start` with.
pub(crate) fn client(start: &Url, timeout: Duration) -> anyhow::Result<Client> {
    // An error means that a provider is already installed; any provider will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut client = Client::builder()
        .user_agent(concat!("limit-runtime-crawler/", env!("CARGO_PKG_VERSION")))
        // The crawl queues the target of a redirect like any link, so it fetches no page twice.
        .redirect(Policy::none())
        .timeout(timeout);
    if on_loopback(start) {
        client = client.no_proxy();
        if start.scheme() == "http" {
            // A machine without certificates can still crawl its own pages.
            client = client.tls_certs_only([]);
        }
    }
    client.build().context("cannot set up the HTTP client")
}

fn on_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

async fn get(client: &Client, url: &Url) -> reqwest::Result<Answer> {
    let response = client.get(url.clone()).send().await?;
    let status = response.status();
    if let (true, Some(location)) = (status.is_redirection(), header(&response, &LOCATION)) {
        return Ok(Answer::Moved { location });
    }
    if !status.is_success() {
        let detail = status.canonical_reason().unwrap_or_default().to_owned();
        return Ok(nothing(Status::Http(status.as_u16()), detail));
    }
    let content_type = header(&response, &CONTENT_TYPE).unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    if !matches!(&*kind, "text/html" | "application/xhtml+xml") {
        let kind = if kind.is_empty() { "no content type".to_owned() } else { kind };
        return Ok(nothing(Status::NotHtml, kind));
    }
    let charset = parts
        .filter_map(|part| part.split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("charset"))
        .map(|(_, value)| value.trim_matches('"').to_owned());
    Ok(match body(response).await? {
        Some(bytes) => Answer::Html { bytes, charset },
        None => nothing(Status::TooLarge, format!("more than {LONGEST_BODY} bytes")),
    })
}

/// Returns the whole body, or `None` if the body is longer than [`LONGEST_BODY`].
async fn body(mut response: Response) -> reqwest::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > LONGEST_BODY {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

fn header(response: &Response, name: &HeaderName) -> Option<String> {
    let value = response.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn nothing(status: Status, detail: String) -> Answer {
    Answer::Nothing { status, detail }
}

fn failure(error: &reqwest::Error) -> Answer {
    let status = if error.is_timeout() {
        Status::TimedOut
    } else if error.is_connect() {
        Status::Unreachable
    } else {
        Status::BrokenOff
    };
    // The last cause says what happened; the causes above it say where.
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    nothing(status, cause.to_string())
}
