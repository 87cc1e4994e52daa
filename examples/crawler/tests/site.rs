//! Sites on loopback that count the requests that they receive.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{Html, Response};
use axum::routing::get;
use tokio::net::TcpSocket;
use tokio::sync::{Barrier, Semaphore, watch};

use crate::Result;

/// A site that a task serves.
pub(crate) struct Site {
    address: SocketAddr,
    traffic: Arc<Traffic>,
    inside: watch::Receiver<usize>,
    gate: Arc<Semaphore>,
}

/// The requests that the server has seen.
struct Traffic {
    requests: Mutex<BTreeMap<String, usize>>,
    /// The number of requests that are being answered now.
    inside: watch::Sender<usize>,
    most_at_once: Mutex<usize>,
}

impl Site {
    /// Serves `router`, and counts the requests.
    pub(crate) async fn serve(router: Router) -> Result<Self> {
        let (sender, inside) = watch::channel(0);
        let traffic = Arc::new(Traffic {
            requests: Mutex::default(),
            inside: sender,
            most_at_once: Mutex::default(),
        });
        let router = router.layer(middleware::from_fn_with_state(Arc::clone(&traffic), count));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, traffic, inside, gate: Arc::new(Semaphore::new(0)) })
    }

    /// Serves a start page and `pages` more. The site answers those when `limit` of them are
    /// requested at once.
    pub(crate) async fn that_gathers(limit: usize, pages: usize) -> Result<Self> {
        let barrier = Arc::new(Barrier::new(limit));
        let page = get(async move || {
            barrier.wait().await;
            // The pause is long enough for a request over the limit to arrive, if there is one.
            tokio::time::sleep(Duration::from_millis(100)).await;
            Html("<title>One of many</title>")
        });
        Self::serve(star(pages).route("/page/{number}", page)).await
    }

    /// Serves a start page and `pages` more, which the site answers once it is open.
    pub(crate) async fn that_waits(pages: usize) -> Result<Self> {
        let gate = Arc::new(Semaphore::new(0));
        let closed = Arc::clone(&gate);
        let page = get(async move || {
            let _open = closed.acquire().await;
            Html("<title>Worth waiting for</title>")
        });
        let site = Self::serve(star(pages).route("/page/{number}", page)).await?;
        Ok(Self { gate, ..site })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers the requests that wait, and all others from now on.
    pub(crate) fn open(&self) {
        self.gate.close();
    }

    /// Waits until `count` requests are being answered.
    pub(crate) async fn until_inside(&mut self, count: usize) -> Result {
        self.inside.wait_for(|inside| *inside == count).await?;
        Ok(())
    }

    /// Returns how often each path was requested.
    pub(crate) fn requests(&self) -> BTreeMap<String, usize> {
        self.traffic.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the highest number of requests that were being answered at any time.
    pub(crate) fn most_at_once(&self) -> usize {
        *self.traffic.most_at_once.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns a router with a start page that links to `pages` others.
fn star(pages: usize) -> Router {
    let links = (0..pages).map(|number| format!("<a href='page/{number}'>{number}</a>"));
    let start = format!("<title>Start</title>{}", links.collect::<String>());
    Router::new().route("/", get(async move || Html(start)))
}

async fn count(State(traffic): State<Arc<Traffic>>, request: Request, next: Next) -> Response {
    let _inside = Inside::enter(traffic, request.uri().path());
    next.run(request).await
}

/// A request that is being answered. The answer ends when this value is dropped, also because the
/// client hangs up.
struct Inside(Arc<Traffic>);

impl Inside {
    fn enter(traffic: Arc<Traffic>, path: &str) -> Self {
        let mut requests = traffic.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry(path.to_owned()).or_default() += 1;
        drop(requests);
        let mut most = traffic.most_at_once.lock().unwrap_or_else(PoisonError::into_inner);
        traffic.inside.send_modify(|inside| *inside += 1);
        *most = (*most).max(*traffic.inside.borrow());
        drop(most);
        Self(traffic)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.inside.send_modify(|inside| *inside -= 1);
    }
}

/// An address where nobody listens. No other program can take it while this value exists.
pub(crate) struct ClosedPort {
    pub(crate) address: SocketAddr,
    _taken: TcpSocket,
}

pub(crate) fn closed_port() -> Result<ClosedPort> {
    let taken = TcpSocket::new_v4()?;
    taken.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    Ok(ClosedPort { address: taken.local_addr()?, _taken: taken })
}
