//! A program that uses limiters and has a console.

use axum::Router;
use axum::body::Body;
use axum::middleware::map_response;
use axum::response::Response;
use futures::StreamExt;
use limit_console::Options;
use limit_runtime::{Limiter, diagnostics};
use std::future::{pending, ready};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

pub(crate) const TOKEN: &str = "a token of the tests";

/// A program: its calls, and on another runtime its console, which can be stopped.
pub(crate) struct Program {
    calls: Runtime,
    console: Option<Runtime>,
    address: SocketAddr,
    token: Option<&'static str>,
    streams: Arc<AtomicUsize>,
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

impl Program {
    pub(crate) fn read_only() -> Self {
        Self::new(None)
    }

    pub(crate) fn writable() -> Self {
        Self::new(Some(TOKEN))
    }

    fn new(token: Option<&'static str>) -> Self {
        diagnostics::record(true);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let streams = Arc::default();
        let mut program = Self { calls: runtime(), console: None, address, token, streams };
        program.start();
        program
    }

    /// Starts the console, at the address where it was before.
    pub(crate) fn start(&mut self) {
        let listener = TcpListener::bind(self.address).expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        self.address = listener.local_addr().expect("an address");
        let options = Options::new().service("shop");
        let options = match self.token {
            Some(token) => options.writable(token),
            None => options,
        };
        let console = runtime();
        let streams = Arc::clone(&self.streams);
        console.spawn(async move {
            let count = move |response: Response| ready(counted(response, &streams));
            let app = Router::new()
                .nest("/limits", limit_console::router(options))
                .layer(map_response(count));
            let listener = tokio::net::TcpListener::from_std(listener).expect("a runtime");
            let service = app.into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, service).await
        });
        self.console = Some(console);
    }

    /// Stops the console without a word to anybody, as when a program crashes.
    pub(crate) fn stop(&mut self) {
        if let Some(console) = self.console.take() {
            console.shutdown_timeout(Duration::from_secs(120));
        }
    }

    /// Freezes the console until the sender is dropped: its connections stay, but it says nothing.
    pub(crate) fn freeze(&self) -> Sender<()> {
        let (thaw, thawed) = mpsc::channel();
        let console = self.console.as_ref().expect("it runs");
        // This blocks the console's only thread.
        console.spawn(async move { thawed.recv() });
        thaw
    }

    /// Returns the number of open streams.
    pub(crate) fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/limits", self.address)
    }

    /// Returns the address of the page with a limiter open.
    pub(crate) fn url_of(&self, name: &str) -> String {
        format!("{}#name={}", self.url(), name.replace(':', "%3A"))
    }

    /// Makes so many calls. Each keeps its permit to the end of the program.
    pub(crate) fn calls(&self, limiter: &'static Limiter, calls: usize) {
        let before = limiter.snapshot().total;
        for _ in 0..calls {
            self.calls.spawn(async {
                let _permit = limiter.acquire().await;
                pending::<()>().await;
            });
        }
        wait_until(|| {
            let now = limiter.snapshot().total;
            now.in_use + now.waiting == before.in_use + before.waiting + calls
        });
    }

    /// Runs a future beside everything else, to the end of the program.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.calls.spawn(future);
    }

    /// Calls something again and again, to the end of the program.
    pub(crate) fn again_and_again(&self, call: impl Fn() + Send + 'static) {
        self.calls.spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(10));
            loop {
                ticks.tick().await;
                call();
            }
        });
    }

    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.calls.block_on(future)
    }
}

/// Counts an answer among the open streams, if it is one, until it or its connection has ended.
fn counted(response: Response, streams: &Arc<AtomicUsize>) -> Response {
    struct Open(Arc<AtomicUsize>);

    impl Drop for Open {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }

    let kind = response.headers().get("content-type");
    if kind.is_none_or(|kind| kind != "text/event-stream") {
        return response;
    }
    streams.fetch_add(1, Ordering::Relaxed);
    let open = Open(Arc::clone(streams));
    response.map(|body| {
        let data = body.into_data_stream().inspect(move |_| {
            let _ = &open;
        });
        Body::from_stream(data)
    })
}

#[track_caller]
pub(crate) fn wait_until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "not within a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
}
