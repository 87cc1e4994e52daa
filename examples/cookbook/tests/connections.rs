//! Tests the program against a server on loopback, on the real clock. Each test waits for the event
//! that it expects, and for nothing else.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use futures_util::stream;
use tokio::net::TcpListener;
use tokio::sync::Barrier;
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;
use tower::{Layer, Service};

use crate::Result;
use crate::programs::connections::{Http, builder};

/// A time longer than any wait of these tests, even on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A barrier for a number of participants. It also counts the most that were there at once.
#[derive(Clone)]
struct Meeting {
    barrier: Arc<Barrier>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Meeting {
    fn of(size: usize) -> Self {
        let barrier = Arc::new(Barrier::new(size));
        Self { barrier, now: Arc::default(), most: Arc::default() }
    }

    /// Waits until all participants are there. The caller leaves when it drops the returned value.
    async fn meet(&self) -> impl Drop + Send + use<> {
        struct Leave(Arc<AtomicUsize>);
        impl Drop for Leave {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let leave = Leave(Arc::clone(&self.now));
        self.barrier.wait().await;
        // If more participants can come, they come now: the whole test is on one thread.
        for _ in 0..100 {
            yield_now().await;
        }
        leave
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

/// Starts a site whose answers end when as many are under way at once as the meeting wants.
/// Returns the site's address.
async fn serve(meeting: Meeting) -> Result<String> {
    let page = async move || {
        // The server sends the head at once, and the rest when all answers have met.
        let rest = async move {
            let _here = meeting.meet().await;
            Ok::<_, Infallible>("the page")
        };
        Body::from_stream(stream::once(rest))
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, Router::new().route("/", get(page))).into_future());
    Ok(url)
}

async fn get_all(http: Http, url: &str, count: usize) -> Result {
    let http = Arc::new(http);
    let mut calls = JoinSet::new();
    for _ in 0..count {
        let (http, url) = (Arc::clone(&http), url.to_owned());
        calls.spawn(async move { http.get(&url).await });
    }
    while let Some(call) = timeout(PATIENCE, calls.join_next()).await? {
        assert_eq!(call??, "the page");
    }
    Ok(())
}

#[tokio::test]
async fn as_many_connections_are_in_use_as_the_limit_and_never_more() -> Result {
    let in_use = Meeting::of(4);
    let url = serve(in_use.clone()).await?;
    get_all(Http::new(builder(), 4, 2)?, &url, 40).await?;
    assert_eq!(in_use.most(), 4);
    Ok(())
}

#[tokio::test]
async fn as_many_connections_are_opened_at_once_as_the_limit_and_never_more() -> Result {
    let (in_use, opening) = (Meeting::of(8), Meeting::of(2));
    let url = serve(in_use.clone()).await?;
    // No connection can be used twice before all eight calls have met, so eight are opened.
    let client = builder().connector_layer(Opening(opening.clone()));
    get_all(Http::new(client, 8, 2)?, &url, 8).await?;
    assert_eq!((in_use.most(), opening.most()), (8, 2));
    Ok(())
}

/// A layer inside the program's own. Connections that are being opened meet in it.
#[derive(Clone)]
struct Opening(Meeting);

#[derive(Clone)]
struct Opened<S> {
    connector: S,
    meeting: Meeting,
}

impl<S> Layer<S> for Opening {
    type Service = Opened<S>;

    fn layer(&self, connector: S) -> Opened<S> {
        Opened { connector, meeting: self.0.clone() }
    }
}

impl<S, Request> Service<Request> for Opened<S>
where
    S: Service<Request, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = std::result::Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<std::result::Result<(), S::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (meeting, opened) = (self.meeting.clone(), self.connector.call(request));
        Box::pin(async move {
            let _here = meeting.meet().await;
            opened.await
        })
    }
}
