//! The clients of the service.

use std::net::SocketAddr;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::Result;

/// A client that makes requests to one service, also many at once.
pub(crate) struct Clients {
    client: Client,
    service: SocketAddr,
}

/// The answer to one request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) text: String,
}

impl Answer {
    /// Returns the result as which the limiter counts the call, if the service refused it.
    pub(crate) fn refused(&self) -> Option<&'static str> {
        let reasons =
            [("reached", "queue_full"), ("no permit", "timed_out"), ("is closed", "closed")];
        let (_, result) = reasons.into_iter().find(|(text, _)| self.text.contains(text))?;
        (self.status == 503).then_some(result)
    }

    /// Checks that this is a refusal with this result, and that it says when to try again.
    pub(crate) fn assert_refused(&self, result: &str) {
        assert_eq!(self.refused(), Some(result), "{self:?}");
        let seconds = self.retry_after.as_deref().and_then(|seconds| seconds.parse().ok());
        assert!(seconds >= Some(1), "{self:?}");
    }
}

impl Clients {
    pub(crate) fn of(service: SocketAddr) -> Result<Self> {
        // The error means that a provider is installed already, which will do as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().tls_certs_only([]).build()?;
        Ok(Self { client, service })
    }

    /// Sends a request, and waits for the whole answer.
    pub(crate) fn get(&self, path: &str) -> impl Future<Output = reqwest::Result<Answer>> + use<> {
        let request = self.client.get(format!("http://{}/{path}", self.service));
        async move {
            let response = request.send().await?;
            let status = response.status().as_u16();
            let later = response.headers().get(RETRY_AFTER);
            let retry_after = later.and_then(|value| Some(value.to_str().ok()?.to_owned()));
            Ok(Answer { status, retry_after, text: response.text().await? })
        }
    }

    /// Sends a change as JSON, with a token.
    pub(crate) async fn post(&self, path: &str, token: &str, json: &str) -> Result<Answer> {
        let request = self.client.post(format!("http://{}/{path}", self.service));
        let request = request.bearer_auth(token).header(CONTENT_TYPE, "application/json");
        let response = request.body(json.to_owned()).send().await?;
        let status = response.status().as_u16();
        Ok(Answer { status, retry_after: None, text: response.text().await? })
    }

    /// Sends a request, and waits for the beginning of the answer.
    pub(crate) async fn open(&self, path: &str) -> Result<Response> {
        let request = self.client.get(format!("http://{}/{path}", self.service));
        Ok(request.send().await?.error_for_status()?)
    }

    /// Sends this many requests at once.
    pub(crate) fn ask(&self, path: &str, times: usize) -> Asked {
        let mut asked = Asked(JoinSet::new());
        for _ in 0..times {
            asked.0.spawn(self.get(path));
        }
        asked
    }

    /// Sends a request, which the returned handle aborts.
    pub(crate) fn ask_for_now(&self, path: &str) -> AbortHandle {
        tokio::spawn(self.get(path)).abort_handle()
    }

    /// Begins to download this many megabytes, and takes only the beginning.
    pub(crate) async fn download(&self, megabytes: u64) -> Result<Download> {
        let socket = TcpSocket::new_v4()?;
        // The service can send as much as the client's kernel buffers, so the buffer is small.
        socket.set_recv_buffer_size(16 * 1024)?;
        let mut connection = socket.connect(self.service).await?;
        let head = format!(
            "GET /download/{megabytes} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(connection.read_u8().await?);
        }
        let head = String::from_utf8(head)?;
        if head.starts_with("HTTP/1.1 200 OK\r\n") {
            Ok(Download(connection))
        } else {
            Err(head.into())
        }
    }
}

/// Requests that are under way.
pub(crate) struct Asked(JoinSet<reqwest::Result<Answer>>);

impl Asked {
    /// Waits for the answers to all requests, and returns them.
    pub(crate) async fn answers(self) -> Result<Vec<Answer>> {
        Ok(self.0.join_all().await.into_iter().collect::<reqwest::Result<_>>()?)
    }
}

/// A download that has begun. It holds its permit until the client takes the rest.
pub(crate) struct Download(TcpStream);

impl Download {
    /// Takes the rest, and returns its number of bytes.
    pub(crate) async fn finish(mut self) -> Result<usize> {
        let mut bytes = Vec::new();
        Ok(self.0.read_to_end(&mut bytes).await?)
    }
}
