//! Starts of fleets.

use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::proxy::{Mode, Proxy};
use crate::servers::{Server, free_port};
use crate::workers::{
    DB, N, Worker, assert_most_in_all, assert_most_with_lease, end, now, until_most,
};

pub(crate) async fn a_limiter_that_was_used_before_the_fleet_started() {
    let server = Server::start(&[]);
    // So that calls come between the start and the first answer.
    let proxy = Proxy::start(server.port).await;
    proxy.set(Mode::Delay(Duration::from_millis(200)));
    let mut workers = vec![
        Worker::start(&server.url(), &json!({})),
        Worker::start(&proxy.url(), &json!({ "starts": false, "body": 50 })),
    ];
    until_most(&[&workers[0]], DB, N, 0).await;
    // Without a fleet it has the whole limit for itself.
    until_most(&[&workers[1]], DB, N, 0).await;
    workers[1].command("start");
    let (started, _) = workers[1].until_event("started").await;
    until_most(&[&workers[1]], DB, 3, started).await;
    until_most(&workers.iter().collect::<Vec<_>>(), DB, N, started).await;
    let mut logs = end(workers);
    let before = logs[1].calls.iter().filter(|call| call.begin < started).count();
    assert!(before >= N, "{before}");
    // From the start on no more than the limit begin. Those that ran before have no lease any more.
    logs[1].calls.retain(|call| call.begin >= started);
    assert_most_with_lease(&logs, DB, N);
    assert!(logs[1].calls.iter().all(|call| call.leased));
}

pub(crate) async fn a_process_starts_one_fleet_at_a_time() {
    let server = Server::start(&[]);
    let mut worker = Worker::start(&server.url(), &json!({}));
    worker.until_call(0).await;
    worker.command("start");
    let (failed, text) = worker.until_event("failed").await;
    assert_eq!(text, "failed this process belongs to a fleet already; stop that one first");
    worker.until_call(failed).await;
    worker.command("stop");
    let (left, _) = worker.until_event("left").await;
    worker.command("start");
    until_most(&[&worker], DB, N, left).await;
    let events: Vec<String> = worker.log().events.iter().map(|(_, text)| text.clone()).collect();
    assert_eq!(events, ["started", &text, "left", "started"]);
}

/// Returns the error of a start.
async fn error(url: &str) -> String {
    Worker::start(url, &json!({})).until_event("failed").await.1
}

pub(crate) async fn errors_say_what_to_do() {
    let server = Server::start(&["--requirepass", "right"]);
    let port = server.port;
    let text = error("postgres://127.0.0.1/db").await;
    assert!(text.contains("redis://"), "{text}");
    let text = error(&format!("redis://:wr0ng@127.0.0.1:{port}")).await;
    assert!(text.contains("check the user and the password of the address"), "{text}");
    assert!(text.contains(&port.to_string()) && !text.contains("wr0ng"), "{text}");
    let text = error(&format!("redis://127.0.0.1:{}", free_port())).await;
    assert!(text.contains("cannot be reached"), "{text}");
    assert!(
        text.contains("check that it runs, and that the address and the port are right"),
        "{text}"
    );

    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let text = error(&format!("redis://127.0.0.1:{port}")).await;
    assert!(text.contains("does not answer as a redis does"), "{text}");
    assert!(text.contains("check the host and the port"), "{text}");
}

pub(crate) async fn a_lazy_start_joins_when_the_server_comes() {
    let mut server = Server::start(&[]);
    server.kill();
    let settings = json!({ "lazily": true, "calls": "refuse" });
    let worker = Worker::start(&server.url(), &settings);
    let (started, _) = worker.until_event("started").await;
    assert_eq!(worker.until_refused(started).await, "unavailable");
    let comes = now();
    assert_eq!(worker.log().since(started).count(), 0, "no call before there is a server");
    server.start_again();
    until_most(&[&worker], DB, N, comes).await;
    // A fleet that does not start lazily fails, also if the password is wrong.
    let server = Server::start(&["--requirepass", "right"]);
    let denied = Worker::start(&server.url(), &settings);
    assert!(denied.until_event("failed").await.1.contains("check the user and the password"));
    assert_most_with_lease(&end(vec![worker]), DB, N);
}

pub(crate) async fn a_process_with_another_lease_gets_permits_when_the_others_have_left() {
    let server = Server::start(&[]);
    let mut first = Worker::start(&server.url(), &json!({}));
    first.until_call(0).await;
    let other = Worker::start(&server.url(), &json!({ "lease": 3000, "calls": "refuse" }));
    assert_eq!(other.until_refused(0).await, "unavailable");
    let text = "warning this process leases for 3s, and the fleet for 2s: it gets no permits";
    other.until_event(text).await;
    assert_eq!(other.log().calls.len(), 0);
    first.command("stop");
    let (left, _) = first.until_event("left").await;
    other.until_call(left).await;
    assert_most_in_all(&end(vec![first, other]), DB, N);
}
