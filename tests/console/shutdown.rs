//! The end of a server while clients follow.

use crate::support::{get_with_host, http_client, served};
use axum::Router;
use limit_console::{Options, router, serve, serve_with};
use limit_runtime::Limiter;
use limit_tests::programs::is_alone;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;
use tokio::sync::watch;

/// Much longer than the console waits for a client.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes limiters whose rows are more than the buffers of a connection hold: 12 MB.
fn large_rows() -> Vec<Limiter> {
    let name = |n| format!("shutdown::{n}::{}", "long".repeat(5_000));
    let limiters: Vec<_> = (0..600).map(|n| Limiter::named(name(n), 1)).collect();
    for limiter in &limiters {
        assert_eq!(limiter.snapshot().total.limit, 1);
    }
    limiters
}

/// Opens a stream and never reads it. Waits until the server has sent as much of it as there is room for.
async fn never_reads(address: SocketAddr, path: &str) -> TcpStream {
    let mut client = TcpStream::connect(address).expect("it listens");
    client.write_all(get_with_host(path, address).as_bytes()).expect("it reads");
    // Meanwhile another client reads, and hears of three readings.
    let url = format!("http://{address}{path}");
    let mut reader = http_client().get(url).send().await.expect("it answers");
    let (mut heard, mut before) = (0, Vec::new());
    while heard < 3 {
        let more = reader.chunk().await.expect("no error").expect("it goes on");
        before.extend_from_slice(&more);
        heard += before.windows(15).filter(|words| words == b"event: changes\n").count();
        before.drain(..before.len().saturating_sub(14));
    }
    client
}

/// Returns the options of a console that closes its streams, and two things: to stop it, and to learn of that.
fn stoppable() -> (Options, watch::Sender<bool>, watch::Receiver<bool>) {
    let (stop, stopped) = watch::channel(false);
    (Options::new().until(until(stopped.clone())), stop, stopped)
}

async fn until(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|&stopped| stopped).await;
}

#[test]
fn client_that_never_reads_its_stream_holds_up_no_shutdown() {
    if !is_alone("shutdown::client_that_never_reads_its_stream_holds_up_no_shutdown") {
        return;
    }
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let _limiters = large_rows();
    runtime().expect("a runtime").block_on(async {
        // The console's own server, and one of an application.
        let (stop, stopped) = watch::channel(false);
        let serve = |address| serve_with(address, Options::new().until(until(stopped.clone())));
        let (address, server) = served(Ipv4Addr::LOCALHOST, serve).await;
        let _client = never_reads(address, "/api/stream").await;
        stop.send_replace(true);
        let ended = tokio::time::timeout(PATIENCE, server).await.expect("nobody holds it up");
        ended.expect("no panic").expect("no error");

        let (options, stop, stopped) = stoppable();
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let app = Router::new().nest_service("/limits", router(options));
        let server = axum::serve(listener, app).with_graceful_shutdown(until(stopped));
        let server = tokio::spawn(server.into_future());
        let _client = never_reads(address, "/limits/api/stream").await;
        stop.send_replace(true);
        let ended = tokio::time::timeout(PATIENCE, server).await.expect("nobody holds it up");
        ended.expect("no panic").expect("no error");
    });

    // Without any word, the server ends with its runtime.
    let ending = runtime().expect("a runtime");
    let _client = ending.block_on(async {
        let (address, _server) = served(Ipv4Addr::LOCALHOST, serve).await;
        never_reads(address, "/api/stream").await
    });
    drop(ending);
}

#[tokio::test]
async fn server_of_the_console_alone_ends_when_it_is_told_to() {
    let (stop, stopped) = watch::channel(false);
    let serve = |address| serve_with(address, Options::new().until(until(stopped.clone())));
    let (address, server) = served(Ipv4Addr::LOCALHOST, serve).await;
    let mut reader =
        http_client().get(format!("http://{address}/api/stream")).send().await.expect("it answers");
    reader.chunk().await.expect("no error").expect("the first message");
    stop.send_replace(true);
    // The stream of a client that reads has a proper end.
    while reader.chunk().await.expect("no error").is_some() {}
    let ended = tokio::time::timeout(PATIENCE, server).await.expect("nobody holds it up");
    ended.expect("no panic").expect("no error");
}
