//! Processes end, or are stopped.

use serde_json::json;

use crate::calls::{Which, most_at_once};
use crate::servers::Server;
use crate::waiting::until;
use crate::workers::{
    DB, N, Worker, assert_most_in_all, assert_most_with_lease, end, now, until_all_call, until_most,
};

pub(crate) async fn a_killed_process_leaves_its_share_to_the_others() {
    let server = Server::start(&[]);
    let mut workers = Worker::start_all(3, &server.url(), &json!({}));
    until_all_call(&workers, 0).await;
    until_most(&workers.iter().collect::<Vec<_>>(), DB, N, now()).await;
    let mut killed = workers.pop().expect("three");
    let at = killed.kill();
    until_most(&workers.iter().collect::<Vec<_>>(), DB, N, at).await;
    workers.push(killed);
    let logs = end(workers);
    assert_most_in_all(&logs, DB, N);
    let alone = most_at_once(&logs[..2], DB, Which::All, at);
    assert_eq!(alone, N, "the others have all");
}

pub(crate) async fn a_stopped_process_starts_nothing_after_its_lease() {
    let server = Server::start(&[]);
    let mut workers = Worker::start_all(3, &server.url(), &json!({ "body": 60 }));
    until_all_call(&workers, 0).await;
    until_most(&[&workers[0]], DB, 3, now()).await;
    let stop = workers[0].stop();
    until_most(&[&workers[1], &workers[2]], DB, N, stop).await;
    let go_on = workers[0].go_on();
    let stopped = &workers[0];
    // Until it has a lease again.
    until("a call with a lease", async || {
        stopped.log().since(go_on).any(|call| call.leased).then_some(())
    })
    .await;
    until_most(&[stopped], DB, 3, go_on).await;
    let logs = end(workers);
    assert_most_with_lease(&logs, DB, N);
    let log = &logs[0];
    // A thread that was stopped after it had looked at its lease starts the one call that it has let in.
    let unleased = log.calls.iter().filter(|call| !call.leased).count();
    assert!(unleased <= 1, "{unleased} calls began without a lease");
    let ran = log
        .calls
        .iter()
        .filter(|call| call.begin < stop && call.end.is_some_and(|end| end > go_on));
    let lost: Vec<bool> = ran.map(|call| call.lost.is_some()).collect();
    assert!(
        !lost.is_empty() && lost.iter().all(|lost| *lost),
        "calls had lost their lease: {lost:?}"
    );
}

/// One process leaves the fleet, and another gets `at_once` permits before the lease of the first would have ended.
async fn leave(command: &str, tasks: usize, body: u64, at_once: usize) {
    let server = Server::start(&[]);
    let settings = |tasks| json!({ "lease": 8000, "tasks": tasks, "body": body });
    let mut leaving = Worker::start(&server.url(), &settings(tasks));
    until_most(&[&leaving], DB, tasks.min(N), 0).await;
    let mut staying = Worker::start(&server.url(), &settings(0));
    staying.until_event("started").await;
    leaving.command(command);
    let (left, _) = leaving.until_event("left").await;
    staying.command("tasks 12");
    let log = until("the share of the other", async || {
        let log = staying.log();
        (log.calls.len() >= at_once).then(|| log.clone())
    })
    .await;
    let took = log.calls[at_once - 1].begin - left;
    let logs = end(vec![leaving, staying]);
    assert_most_in_all(&logs, DB, N);
    // The share would come back 8 s after the last message, which is at most 2.7 s ago.
    assert!(took < 4_000_000, "the share came after {took} µs");
    assert_eq!(logs[0].since(left).count(), 0, "no call began after the end");
}

pub(crate) async fn a_clean_end_gives_the_shares_back_at_once() {
    tokio::join!(leave("stop", 12, 25, N), leave("stop", 2, 25, N), leave("drop", 4, 3000, N - 4));
}
