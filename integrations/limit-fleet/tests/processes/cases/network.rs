//! The network between one process and the server fails.

use serde_json::json;
use tokio::time::{Duration, sleep};

use crate::calls::{Which, most_at_once};
use crate::proxy::{Mode, Proxy};
use crate::servers::Server;
use crate::waiting::until;
use crate::workers::{
    DB, LEASE, N, Worker, assert_most_in_all, assert_most_with_lease, end, now, until_all_call,
    until_most,
};

/// The conduct of the process that is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CutOff {
    Waits,
    Refuses,
    /// It has two permits of its own.
    Local,
}

/// Cuts one of three processes off, and lets it come back. `heard` says whether its messages still arrive, so that its
/// share stays with it.
async fn cut(mode: Mode, cut_off: CutOff, heard: bool) {
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port).await;
    let calls = match cut_off {
        CutOff::Waits => "wait",
        CutOff::Refuses => "refuse",
        CutOff::Local => "local 2",
    };
    let cut = Worker::start(&proxy.url(), &json!({ "calls": calls }));
    let mut workers = Worker::start_all(2, &server.url(), &json!({}));
    workers.insert(0, cut);
    until_all_call(&workers, 0).await;
    let (cut, others) = (&workers[0], [&workers[1], &workers[2]]);
    until_most(&[cut], DB, 3, now()).await;

    let from = now();
    proxy.set(mode);
    if heard {
        // Each message of the process renews its record, so the ledger keeps its share. It does not know that.
        sleep(Duration::from_micros(2 * LEASE)).await;
    } else {
        until_most(&others, DB, N, from).await;
    }
    if cut_off == CutOff::Refuses {
        assert_eq!(cut.until_refused(from).await, "unavailable");
    }
    if cut_off == CutOff::Local {
        // For longer than a message has time, so that some have failed meanwhile.
        let later = now() + LEASE / 2;
        cut.until_call(later).await;
        until("calls without a lease", async || {
            cut.log()
                .since(later)
                .filter(|call| !call.leased && call.end.is_some())
                .nth(4)
                .map(drop)
        })
        .await;
    }
    let back = now();
    proxy.set(Mode::Pass);
    until("a call with a lease", async || {
        cut.log().since(back).any(|call| call.leased).then_some(())
    })
    .await;
    until_most(&[cut], DB, 3, back).await;

    let logs = end(workers);
    assert_most_with_lease(&logs, DB, N);
    // The last message before the cut leased its share for a lease, less the margin of 600 ms.
    let over = from + LEASE - 600_000;
    let began: Vec<_> = logs[0].since(over).filter(|call| call.begin < back).collect();
    if cut_off == CutOff::Local {
        assert_most_in_all(&logs, DB, N + 2);
        assert!(began.iter().all(|call| !call.leased), "calls with a lease after the deadline");
        let mut own = logs[0].clone();
        own.calls.retain(|call| !call.leased);
        assert_eq!(most_at_once(&[own], DB, Which::All, 0), 2, "its own permits");
    } else {
        assert_most_in_all(&logs, DB, N);
        assert_eq!(began.len(), 0, "calls after the deadline");
    }
}

pub(crate) async fn a_silent_network_with_calls_that_wait() {
    cut(Mode::Silent, CutOff::Waits, false).await;
}

pub(crate) async fn a_silent_network_with_calls_that_are_refused() {
    cut(Mode::Silent, CutOff::Refuses, false).await;
}

pub(crate) async fn a_silent_network_with_local_permits() {
    cut(Mode::Silent, CutOff::Local, false).await;
}

pub(crate) async fn a_network_that_resets_connections() {
    cut(Mode::Reset, CutOff::Refuses, false).await;
}

pub(crate) async fn a_network_that_resets_connections_after_the_message() {
    cut(Mode::ResetAfterRequest, CutOff::Waits, true).await;
}

pub(crate) async fn a_network_that_delays_answers_for_longer_than_anybody_waits() {
    cut(Mode::Delay(Duration::from_micros(LEASE)), CutOff::Refuses, true).await;
}

pub(crate) async fn half_open_connections() {
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port).await;
    let mut workers = Worker::start_all(2, &server.url(), &json!({}));
    workers.insert(0, Worker::start(&proxy.url(), &json!({})));
    until_all_call(&workers, 0).await;
    until_most(&[&workers[0]], DB, 3, now()).await;
    proxy.half_open();
    let from = now();
    let connections = proxy.connections();
    until("a new connection", async || (proxy.connections() > connections).then_some(())).await;
    let again = now();
    workers[0].until_call(again).await;
    until_most(&[&workers[0]], DB, 3, again).await;
    until_most(&workers.iter().collect::<Vec<_>>(), DB, N, from).await;
    assert_most_in_all(&end(workers), DB, N);
}

pub(crate) async fn answers_that_are_always_late() {
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port).await;
    proxy.set(Mode::Delay(Duration::from_millis(300)));
    let workers = Worker::start_all(3, &proxy.url(), &json!({}));
    until_all_call(&workers, 0).await;
    let from = now();
    until_most(&workers.iter().collect::<Vec<_>>(), DB, N, from).await;
    for worker in &workers {
        until_most(&[worker], DB, 3, from).await;
    }
    let to = now();
    sleep(Duration::from_micros(LEASE)).await;
    let logs = end(workers);
    assert_most_in_all(&logs, DB, N);
    let lost = logs.iter().flat_map(|log| &log.calls).filter(|call| call.lost.is_some()).count();
    println!("late answers: {lost} calls lost their lease, full after {} ms", (to - from) / 1000);
}
