//! Processes have different limits.

use serde_json::json;
use tokio::time::{Duration, sleep};

use crate::calls::{Which, most_at_once};
use crate::servers::Server;
use crate::waiting::until;
use crate::workers::{
    DB, LEASE, N, Worker, assert_most_in_all, end, logs, now, until_all_call, until_most,
};

async fn until_limit(workers: &[Worker], limit: u32, of_the_first: u32) {
    until("the limit", async || {
        workers
            .iter()
            .enumerate()
            .all(|(number, worker)| {
                let here = if number == 0 { of_the_first } else { 10 };
                worker.share(DB).is_some_and(|it| (it.limit, it.limit_here) == (limit, here))
            })
            .then_some(())
    })
    .await;
}

pub(crate) async fn the_smallest_limit_holds_and_each_process_shows_it() {
    let server = Server::start(&[]);
    let mut workers = Worker::start_all(3, &server.url(), &json!({}));
    until_all_call(&workers, 0).await;
    until_most(&workers.iter().collect::<Vec<_>>(), DB, N, now()).await;

    workers[0].command("limit 4");
    until_limit(&workers, 4, 4).await;
    for (worker, own, other) in [(&workers[0], 4, 10), (&workers[1], 10, 4), (&workers[2], 10, 4)] {
        let text = format!(
            "warning this process wants a limit of {own} over the fleet, and another one wants {other}"
        );
        worker.until_event(&text).await;
    }
    // The excess lasts until the holders have renewed and calls have ended.
    until("the shares of 4", async || {
        let shares = workers.iter().filter_map(|worker| worker.share(DB));
        let (shares, running) = shares
            .fold((0, 0), |(shares, running), it| (shares + it.permits, running + it.running));
        (shares <= 4 && running <= 4).then_some(())
    })
    .await;
    // All that were told of at that time have ended.
    sleep(Duration::from_millis(100)).await;
    let lowered = now();
    sleep(Duration::from_micros(LEASE)).await;
    let most = most_at_once(&logs(&workers), DB, Which::All, lowered);
    assert!((2..=4).contains(&most), "{most} at once after the limit was lowered to 4");

    let raised = now();
    workers[0].command("limit 20");
    until_limit(&workers, 10, 20).await;
    until_most(&workers.iter().collect::<Vec<_>>(), DB, N, raised).await;
    assert_most_in_all(&end(workers), DB, N);
}
