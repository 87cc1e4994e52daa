//! The options of a console: its service's name, who may read, who may write, and when open pages are closed.

use crate::process::Process;
use axum::http::uri::Authority;
use futures_util::future::BoxFuture;
use std::fmt;
use std::future::Future;
use std::net::Ipv6Addr;

/// The options of a console. By default it is read-only, and answers requests to a loopback address.
///
/// # Examples
///
/// ```
/// use limit_console::Options;
///
/// let options = Options::new()
///     .service("shop")
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
    service: Option<String>,
}

/// The access that requests have.
#[derive(Default)]
pub(crate) struct Access {
    /// The token for writing; `None` if the console is read-only.
    pub(crate) token: Option<String>,
    /// The hosts that requests may name besides loopback, without ports.
    pub(crate) hosts: Vec<String>,
    /// `true` if reading needs the token too.
    pub(crate) private: bool,
}

impl Access {
    /// Returns whether any request may read.
    pub(crate) fn is_readable(&self) -> bool {
        !self.private || self.token.is_some()
    }
}

impl Options {
    /// Makes the default options: read-only, for requests to a loopback address.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the service on the page. By default it has the name of the process's executable.
    ///
    /// Beside the name the page says the host, the process id, and for how long the console has run.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Lets requests that have this token change settings. White space around the token, such as the end of a
    /// line in a file, is not part of it.
    ///
    /// The token goes into a header, so it is printable ASCII. With an empty token, or one with other
    /// characters, the console stays read-only and logs a warning.
    pub fn writable(mut self, token: impl Into<String>) -> Self {
        let token = token.into().trim().to_owned();
        let is_sendable = token.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        self.access.token = Some(token).filter(|token| !token.is_empty() && is_sendable);
        if self.access.token.is_none() {
            let what = if is_sendable { "is empty" } else { "is not printable ASCII" };
            tracing::warn!(
                target: "limit_console",
                "the console's token {what}: it stays read-only"
            );
        }
        self
    }

    /// Answers requests that name this host too: a name or an address, at any port. `localhost` and loopback
    /// addresses are always answered.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        let host = host.into();
        // An `Authority` would take an IPv6 address without brackets for a host and a port.
        let is_address = host.parse::<Ipv6Addr>().is_ok();
        let authority = host.parse::<Authority>().ok().filter(|_| !is_address);
        let name = authority.map_or(host, |authority| authority.host().to_owned());
        self.access.hosts.push(name);
        self
    }

    /// Lets only requests that have the token read. Without a token ([`writable`](Self::writable)), nobody can
    /// read, and the console logs a warning.
    pub fn private(mut self) -> Self {
        self.access.private = true;
        self
    }

    /// Closes the streams of open pages when the future is ready, so that a server that shuts down gracefully
    /// does not wait for them. The future is polled while there are open pages.
    ///
    /// The server still waits for a client that does not read what was sent to it, as with any other answer:
    /// limit how long it waits.
    ///
    /// # Examples
    ///
    /// ```
    /// use axum::Router;
    /// use limit_console::Options;
    /// use tokio::sync::watch;
    ///
    /// let (stop, stopped) = watch::channel(false);
    /// let until = |mut stopped: watch::Receiver<bool>| async move {
    ///     let _ = stopped.wait_for(|&stopped| stopped).await;
    /// };
    /// let options = Options::new().until(until(stopped.clone()));
    /// let app: Router = Router::new().nest_service("/limits", limit_console::router(options));
    /// // axum::serve(listener, app).with_graceful_shutdown(until(stopped)).await
    /// # drop(stop);
    /// ```
    pub fn until(mut self, shutdown: impl Future<Output = ()> + Send + 'static) -> Self {
        self.until = Some(Box::pin(shutdown));
        self
    }

    pub(crate) fn has_token(&self) -> bool {
        self.access.token.is_some()
    }

    pub(crate) fn into_parts(self) -> (Access, Option<BoxFuture<'static, ()>>, Process) {
        (self.access, self.until, Process::new(self.service))
    }
}

/// Shows everything but the token.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("service", &self.service)
            .field("writable", &self.has_token())
            .field("hosts", &self.access.hosts)
            .field("private", &self.access.private)
            .finish_non_exhaustive()
    }
}
