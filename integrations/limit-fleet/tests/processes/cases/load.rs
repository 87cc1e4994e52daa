//! Nothing fails.

use serde_json::json;
use tokio::time::{Duration, sleep};

use crate::calls::{Which, fairness, most_at_once, utilisation};
use crate::servers::Server;
use crate::workers::{
    DB, N, Worker, assert_most_in_all, end, logs, now, until_all_call, until_most,
};

pub(crate) async fn a_saturated_fleet_uses_all_permits_fairly() {
    let server = Server::start(&[]);
    let workers = Worker::start_all(4, &server.url(), &json!({}));
    until_all_call(&workers, 0).await;
    until_most(&workers.iter().collect::<Vec<_>>(), DB, N, now()).await;
    let from = now();
    sleep(Duration::from_secs(4)).await;
    let to = now();
    let logs = end(workers);
    assert_most_in_all(&logs, DB, N);
    assert_eq!(most_at_once(&logs, DB, Which::WithLease, from), N);
    let (used, fair) = (utilisation(&logs, DB, 10, from, to), fairness(&logs, from, to));
    println!("saturated: utilisation {used:.3}, Jain {fair:.3}");
    // On a quiet machine 0.95 and 0.999. The rest is for a busy one.
    assert!(used > 0.75, "utilisation {used}");
    assert!(fair > 0.95, "Jain's index {fair}");
}

pub(crate) async fn calls_that_never_wait_get_a_share() {
    let server = Server::start(&[]);
    let waiting = Worker::start(&server.url(), &json!({}));
    until_most(&[&waiting], DB, N, 0).await;
    let hasty = Worker::start(&server.url(), &json!({ "calls": "fail fast" }));
    let (started, _) = hasty.until_event("started").await;
    let first = hasty.until_call(started).await;
    until_most(&[&hasty], DB, 3, now()).await;
    let logs = end(vec![waiting, hasty]);
    assert_most_in_all(&logs, DB, N);
    assert!(logs[1].refusals.iter().any(|(at, kind)| *at < first && kind == "queue_full"));
    // The time of some messages. A fleet in which such calls have to wait for luck takes many seconds.
    assert!(first - started < 2_000_000, "the first call came after {} µs", first - started);
}

/// A process that has a share and needs more does not wait for its next renewal.
pub(crate) async fn a_burst_asks_at_once() {
    let server = Server::start(&[]);
    // A renewal is due every 5 s.
    let settings = json!({ "lease": 15_000, "tasks": 1, "body": 400 });
    let other = Worker::start(&server.url(), &settings);
    let mut burst = Worker::start(&server.url(), &settings);
    burst.until_call(0).await;
    other.until_call(0).await;
    let from = now();
    burst.command("tasks 12");
    until_most(&[&burst], DB, N - 1, from).await;
    // All of them began together.
    let nine = logs([&burst])[0].since(from).nth(N - 2).map(|call| call.begin).expect("nine calls");
    assert_most_in_all(&end(vec![burst, other]), DB, N);
    assert!(nine - from < 2_000_000, "it took {} µs", nine - from);
}
