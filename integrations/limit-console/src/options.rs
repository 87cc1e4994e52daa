//! Who may see and do what.

use axum::http::uri::Authority;
use futures_util::future::BoxFuture;
use std::fmt;
use std::future::Future;
use std::net::Ipv6Addr;

/// What the console lets whom do. Without more it is read-only, for requests to a loopback address.
///
/// # Examples
///
/// ```
/// use limit_runtime::console::Options;
///
/// let options = Options::new()
///     .writable("a secret")
///     .allow_host("ops.example.com")
///     .private();
/// # drop(options);
/// ```
#[derive(Default)]
#[must_use]
pub struct Options {
    access: Access,
    until: Option<BoxFuture<'static, ()>>,
}

#[derive(Default)]
pub(super) struct Access {
    pub(super) token: Option<String>,
    pub(super) hosts: Vec<String>,
    pub(super) private: bool,
}

impl Options {
    /// Read-only, for requests to a loopback address.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets those change settings who have this token: printable ASCII, as it goes into a header. White
    /// space around it, as the end of a line in a file, is not part of it. An empty one nobody has, nor one
    /// with other characters; that is logged as a warning.
    pub fn writable(mut self, token: impl Into<String>) -> Self {
        let token = token.into().trim().to_owned();
        let is_sendable = token.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        self.access.token = Some(token).filter(|token| !token.is_empty() && is_sendable);
        if self.access.token.is_none() {
            let what = if is_sendable { "is empty" } else { "is not printable ASCII" };
            tracing::warn!("the console's token {what}: it stays read-only");
        }
        self
    }

    /// Lets requests in that name this host: a name or an address, at whatever port. Besides `localhost`
    /// and loopback addresses.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        let host = host.into();
        // An address of IPv6 without brackets would be taken for a host and a port.
        let is_address = host.parse::<Ipv6Addr>().is_ok();
        let authority = host.parse::<Authority>().ok().filter(|_| !is_address);
        let name = authority.map_or(host, |authority| authority.host().to_owned());
        self.access.hosts.push(name);
        self
    }

    /// Lets only those read who have the token. (If there is none, nobody.)
    pub fn private(mut self) -> Self {
        self.access.private = true;
        self
    }

    /// Lets open pages go when this is ready, so that a server that shuts down gracefully does not wait
    /// for them. It is polled while there are open pages. For a client that does not read what it was sent,
    /// a server waits all the same, as with any other answer: give it a time after which it does no more.
    ///
    /// # Examples
    ///
    /// ```
    /// use axum::Router;
    /// use limit_runtime::console::{self, Options};
    /// use tokio::sync::watch;
    ///
    /// let (stop, stopped) = watch::channel(false);
    /// let until = |mut stopped: watch::Receiver<bool>| async move {
    ///     let _ = stopped.wait_for(|&stopped| stopped).await;
    /// };
    /// let options = Options::new().until(until(stopped.clone()));
    /// let app: Router = Router::new().nest("/limits", console::router(options));
    /// // axum::serve(listener, app).with_graceful_shutdown(until(stopped)).await
    /// # drop(stop);
    /// ```
    pub fn until(mut self, shutdown: impl Future<Output = ()> + Send + 'static) -> Self {
        self.until = Some(Box::pin(shutdown));
        self
    }

    pub(super) fn has_token(&self) -> bool {
        self.access.token.is_some()
    }

    pub(super) fn into_parts(self) -> (Access, Option<BoxFuture<'static, ()>>) {
        (self.access, self.until)
    }
}

/// Without the token.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("writable", &self.has_token())
            .field("hosts", &self.access.hosts)
            .field("private", &self.access.private)
            .finish_non_exhaustive()
    }
}
