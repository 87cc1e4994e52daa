//! Processes end, or are stopped.

use rustix::process::Signal;
use serde_json::json;
use tokio::time::{Duration, sleep};

use crate::calls::{Which, most_at_once};
use crate::servers::Server;
use crate::workers::{
    DB, LEASE, N, Worker, assert_most_in_all, assert_most_with_lease, end, logs, now,
    until_all_call, until_most,
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
    let workers = Worker::start_all(3, &server.url(), &json!({ "body": 60 }));
    until_all_call(&workers, 0).await;
    let (stopped, others) = (&workers[0], [&workers[1], &workers[2]]);
    until_most(&[stopped], DB, 3, now()).await;
    stopped.signal(Signal::STOP);
    let stop = now();
    until_most(&others, DB, N, stop).await;
    stopped.signal(Signal::CONT);
    let go_on = now();
    // Until it has a lease again.
    crate::waiting::until("a call with a lease", async || {
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

/// Has a lease that is so long that no share is back by its end.
async fn leave(command: &str, body: u64, tasks: u64) {
    let server = Server::start(&[]);
    let settings = |tasks| json!({ "lease": 8000, "tasks": tasks, "body": body });
    let mut leaving = Worker::start(&server.url(), &settings(tasks));
    until_most(&[&leaving], DB, usize::try_from(tasks).expect("few").min(N), 0).await;
    let staying = Worker::start(&server.url(), &settings(0));
    let mut staying = staying;
    staying.until_event("started").await;
    let from = now();
    leaving.command(command);
    let (left, _) = leaving.until_event("left").await;
    staying.command("tasks 12");
    let rest = if body > 1000 { N - usize::try_from(tasks).expect("few") } else { N };
    until_most(&[&staying], DB, rest, from).await;
    let full = logs([&staying])[0]
        .since(from)
        .nth(rest - 1)
        .map(|call| call.begin)
        .expect("as many as there are permits");
    let ended = now();
    let logs = end(vec![leaving, staying]);
    assert_most_in_all(&logs, DB, N);
    // The lease would have ended 8 s after its last renewal, which is every 2.7 s.
    assert!(full - left < 3_000_000, "the share came after {} µs", full - left);
    let later = logs[0].since(left).filter(|call| call.begin < ended).count();
    assert_eq!(later, 0, "no call began after the end");
}

pub(crate) async fn a_clean_end_gives_the_shares_back_at_once() {
    tokio::join!(leave("stop", 25, 12), leave("drop", 25, 12));
}

pub(crate) async fn a_clean_end_while_calls_run_gives_the_rest_back_at_once() {
    leave("stop", 3000, 4).await;
    sleep(Duration::ZERO).await;
    let _ = LEASE;
}
