//! The server fails.

use rustix::process::Signal;
use serde_json::json;

use crate::servers::Server;
use crate::workers::{
    DB, LEASE, N, Worker, assert_most_in_all, assert_most_with_lease, end, now, until_all_call,
    until_most,
};

pub(crate) async fn a_server_that_restarts_empty_grants_nothing_new_for_a_lease() {
    let mut server = Server::start(&[]);
    let mut workers = Worker::start_all(2, &server.url(), &json!({}));
    until_all_call(&workers, 0).await;
    until_most(&workers.iter().collect::<Vec<_>>(), DB, N, now()).await;
    server.kill();
    let restart = now();
    server.start_again();
    workers.push(Worker::start(&server.url(), &json!({})));
    let first = workers[2].until_call(0).await;
    until_most(&workers.iter().collect::<Vec<_>>(), DB, N, first).await;
    until_most(&[&workers[2]], DB, 3, first).await;
    let logs = end(workers);
    assert_most_in_all(&logs, DB, N);
    assert!(first - restart >= LEASE, "the newcomer had a share after {} µs", first - restart);
    let learning = logs[..2].iter().flat_map(|log| log.since(restart + LEASE / 2));
    let went_on = learning.filter(|call| call.begin < restart + LEASE).count();
    assert!(went_on > 0, "the holders go on");
    let lost = logs.iter().flat_map(|log| &log.calls).filter(|call| call.lost.is_some()).count();
    println!("restarted empty: {lost} calls lost their lease");
}

/// Three processes, whose calls are refused while `fail` is done to the server, until `mend`.
async fn be_away(mut server: Server, fail: impl Fn(&mut Server), mend: impl Fn(&mut Server)) {
    let workers = Worker::start_all(3, &server.url(), &json!({ "calls": "refuse" }));
    until_all_call(&workers, 0).await;
    until_most(&workers.iter().collect::<Vec<_>>(), DB, N, now()).await;
    let from = now();
    fail(&mut server);
    for worker in &workers {
        assert_eq!(worker.until_refused(from).await, "unavailable");
    }
    let back = now();
    mend(&mut server);
    until_all_call(&workers, back).await;
    for worker in &workers {
        until_most(&[worker], DB, 3, back).await;
    }
    until_most(&workers.iter().collect::<Vec<_>>(), DB, N, back).await;
    let logs = end(workers);
    assert_most_with_lease(&logs, DB, N);
    assert_most_in_all(&logs, DB, N);
    for log in &logs {
        let over = from + LEASE;
        assert_eq!(
            log.since(over).filter(|call| call.begin < back).count(),
            0,
            "calls without a lease"
        );
        assert!(log.refusals.iter().all(|(_, kind)| kind == "unavailable"), "{:?}", log.refusals);
    }
}

pub(crate) async fn a_server_that_is_stopped_and_goes_on() {
    be_away(
        Server::start(&[]),
        |server| server.signal(Signal::STOP),
        |server| server.signal(Signal::CONT),
    )
    .await;
}

pub(crate) async fn a_server_that_is_down_for_longer_than_a_lease() {
    be_away(Server::start(&[]), Server::kill, Server::start_again).await;
}

pub(crate) async fn a_server_without_memory() {
    be_away(
        Server::start(&["--maxmemory-policy", "noeviction"]),
        |server| server.ask("CONFIG SET maxmemory 1").expect("CONFIG"),
        |server| server.ask("CONFIG SET maxmemory 0").expect("CONFIG"),
    )
    .await;
}

#[cfg(feature = "sentinel")]
pub(crate) async fn a_fail_over_of_sentinels() {
    let mut set = crate::replicated::Set::start().await;
    let workers = Worker::start_all(3, &set.url(), &json!({}));
    until_all_call(&workers, 0).await;
    until_most(&workers.iter().collect::<Vec<_>>(), DB, N, now()).await;
    set.master.kill();
    let from = now();
    until_all_call(&workers, from).await;
    until_most(&workers.iter().collect::<Vec<_>>(), DB, N, from + LEASE).await;
    for worker in &workers {
        until_most(&[worker], DB, 3, from + LEASE).await;
    }
    let logs = end(workers);
    assert_most_in_all(&logs, DB, N);
}

pub(crate) async fn a_server_that_forgets_its_scripts_and_closes_connections() {
    let server = Server::start(&[]);
    let workers = Worker::start_all(3, &server.url(), &json!({}));
    until_all_call(&workers, 0).await;
    for _ in 0..10 {
        server.ask::<()>("SCRIPT FLUSH").expect("SCRIPT");
        server.ask::<()>("CLIENT KILL TYPE normal SKIPME yes").expect("CLIENT");
        let from = now();
        until_most(&workers.iter().collect::<Vec<_>>(), DB, N, from).await;
    }
    let logs = end(workers);
    assert_most_in_all(&logs, DB, N);
    assert!(logs.iter().flat_map(|log| &log.calls).all(|call| call.leased && call.lost.is_none()));
}
