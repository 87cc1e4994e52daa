//! The stand-in for a server that the programs of the cookbook use.
#![forbid(unsafe_code)]

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// A server that takes 100 ms for a page, and records each request and its time.
///
/// All clones share one server. `Display` prints the pages in the order of their requests.
#[derive(Clone, Debug)]
pub struct Server {
    latency: fn(u32) -> Duration,
    requests: Arc<Mutex<Requests>>,
}

#[derive(Debug, Default)]
struct Requests {
    now: usize,
    most: usize,
    begun: Vec<(Instant, u32)>,
}

/// A request that the server works on until this value is dropped.
struct Request(Server);

impl Server {
    /// The time that a page takes.
    pub const LATENCY: Duration = Duration::from_millis(100);

    /// Returns a server that has had no request yet.
    #[must_use]
    pub fn new() -> Self {
        Self::with_latency(|_page| Self::LATENCY)
    }

    /// Returns a server that takes `latency(page)` for a page.
    #[must_use]
    pub fn with_latency(latency: fn(u32) -> Duration) -> Self {
        Self { latency, requests: Arc::default() }
    }

    /// Gets a page. The future borrows nothing, so a task can run it.
    ///
    /// # Panics
    ///
    /// The future panics for page 0, which does not exist.
    pub fn get(&self, page: u32) -> impl Future<Output = String> + Send + use<> {
        let server = self.clone();
        async move {
            let _request = Request::begin(server.clone(), page);
            sleep((server.latency)(page)).await;
            assert!(page > 0, "there is no page 0");
            format!("page {page}")
        }
    }

    /// Returns the number of requests that the server works on now.
    #[must_use]
    pub fn now(&self) -> usize {
        self.requests().now
    }

    /// Returns the largest number of requests that the server has worked on at once.
    #[must_use]
    pub fn most(&self) -> usize {
        self.requests().most
    }

    /// Returns the pages in the order of their requests, each with the time since the first.
    #[must_use]
    pub fn begun(&self) -> Vec<(Duration, u32)> {
        let begun = &self.requests().begun;
        begun.iter().map(|&(time, page)| (time - begun[0].0, page)).collect()
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Request {
    fn begin(server: Server, page: u32) -> Self {
        let mut requests = server.requests();
        requests.now += 1;
        requests.most = requests.most.max(requests.now);
        requests.begun.push((Instant::now(), page));
        drop(requests);
        Self(server)
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.0.requests().now -= 1;
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = |(time, _): &(Duration, u32)| (time.as_millis() + 50) / 100;
        for together in self.begun().chunk_by(|a, b| tenths(a) == tenths(b)) {
            let time = together[0].0.as_secs_f64();
            let pages: Vec<_> = together.iter().map(|(_, page)| page.to_string()).collect();
            writeln!(f, "after {time:.1} s: {}", pages.join(", "))?;
        }
        write!(f, "at most {} at once", self.most())
    }
}
