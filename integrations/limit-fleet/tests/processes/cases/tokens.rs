//! A limit of 1.

use serde_json::json;

use crate::servers::Server;
use crate::waiting::until;
use crate::workers::{DB, LEASE, Worker, assert_most_with_lease, end, until_all_call};

pub(crate) async fn tokens_grow_from_holder_to_holder() {
    let server = Server::start(&[]);
    let settings = json!({ "limit": 1, "tasks": 1, "body": 20 });
    let mut workers = Worker::start_all(3, &server.url(), &settings);
    until_all_call(&workers, 0).await;
    let stop = workers[0].stop();
    until_all_call(&workers[1..], stop).await;
    let stopped_for_long = stop + 3 * LEASE / 2;
    until_all_call(&workers[1..], stopped_for_long).await;
    let go_on = workers[0].go_on();
    until("a call with a lease", async || {
        workers[0].log().since(go_on).any(|call| call.leased).then_some(())
    })
    .await;
    let at = workers[1].kill();
    workers[2].until_call(at).await;
    workers[0].until_call(at).await;
    let logs = end(workers);
    assert_most_with_lease(&logs, DB, 1);

    let mut calls: Vec<(u64, u64, usize)> = Vec::new();
    for (worker, log) in logs.iter().enumerate() {
        for call in log.calls.iter().filter(|call| call.leased) {
            calls.push((call.begin, call.token.expect("a limit of 1 has tokens"), worker));
        }
    }
    calls.sort_unstable();
    let changes = calls.windows(2).filter(|pair| pair[0].2 != pair[1].2);
    let mut holders = 0;
    for pair in changes {
        let [(_, before, _), (_, after, _)] = pair else { unreachable!() };
        assert!(after > before, "another holder has the token {after} after {before}");
        holders += 1;
    }
    assert!(holders >= 3, "{holders} changes of the holder");
    for pair in calls.windows(2) {
        assert!(pair[1].1 >= pair[0].1, "{pair:?}");
    }
}
