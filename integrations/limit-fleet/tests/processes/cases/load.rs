//! Nothing fails.

use serde_json::json;
use tokio::time::{Duration, sleep};

use crate::calls::{Which, fairness, most_at_once, utilisation};
use crate::proxy::{Mode, Proxy};
use crate::servers::Server;
use crate::workers::{DB, N, Worker, assert_most_in_all, end, now, until_all_call, until_most};

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

/// A process gives permits back, and has calls again before it has the answer. Another has the permits by then.
pub(crate) async fn calls_that_come_while_permits_are_given_back() {
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port).await;
    proxy.set(Mode::Delay(Duration::from_millis(300)));
    let mut late = Worker::start(&proxy.url(), &json!({ "body": 60 }));
    let quick = Worker::start(&server.url(), &json!({ "body": 60 }));
    late.until_call(0).await;
    quick.until_call(0).await;
    for turn in 0..16 {
        until_most(&[&late], DB, 3, now()).await;
        late.command("tasks 0");
        // The calls end after 60 ms. A message leaves about every 350 ms, and its answer comes 300 ms later.
        sleep(Duration::from_millis(150 + 20 * (turn % 8))).await;
        late.command("tasks 12");
    }
    assert_most_in_all(&end(vec![late, quick]), DB, N);
}
