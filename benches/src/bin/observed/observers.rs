//! The console and a scraper, each on a thread of its own.

use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use futures_util::StreamExt;
use limit_console::Options;
use limit_exporters::prometheus::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tower::ServiceExt;

/// Opens a page of a console, and returns it when it has received all limiters.
pub(crate) async fn open_page() -> BodyDataStream {
    let request = Request::get("/api/stream").header("host", "localhost").body(Body::empty());
    let response = limit_console::router(Options::new()).oneshot(request.expect("a request")).await;
    let mut page = response.expect("an answer").into_body().into_data_stream();
    page.next().await.expect("all limiters").expect("no error");
    page
}

/// The console, which runs on a thread of its own until it is dropped.
pub(crate) struct Console {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Console {
    pub(crate) fn start() -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_time().build();
            runtime.expect("one thread").block_on(async {
                let mut page = open_page().await;
                let read = async { while page.next().await.is_some() {} };
                tokio::select! {
                    () = read => {}
                    _ = stopped => {}
                }
            });
        });
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it does not panic");
        }
    }
}

/// A thread that scrapes every second until this value is dropped.
pub(crate) struct Scraper {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Scraper {
    pub(crate) fn start() -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Collector::new()));
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut text = String::new();
            loop {
                text.clear();
                encode(&mut text, &registry).expect("text can be written");
                let wait = stopped.recv_timeout(Duration::from_secs(1));
                if wait != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Scraper {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it does not panic");
        }
    }
}
