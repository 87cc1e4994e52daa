use std::time::Duration;

use cookbook::Server;
use limit_runtime::{Rejected, RejectedKind};
use tokio::task::JoinSet;

use crate::programs::timeout::fetch;

const MAX_WAIT: Duration = Duration::from_millis(150);

async fn six_calls(server: &Server) -> (Vec<String>, Vec<Rejected>) {
    let calls: JoinSet<_> = (1..=6).map(|page| fetch(server.clone(), page)).collect();
    let (mut texts, mut refusals) = (Vec::new(), Vec::new());
    for result in calls.join_all().await {
        match result {
            Ok(text) => texts.push(text),
            Err(rejected) => refusals.push(rejected),
        }
    }
    texts.sort();
    (texts, refusals)
}

#[tokio::test(start_paused = true)]
async fn who_gets_no_permit_in_time_is_told() {
    let server = Server::new();
    let (texts, refusals) = six_calls(&server).await;
    assert_eq!(texts, ["page 1", "page 2", "page 3", "page 4"]);
    assert_eq!(server.to_string(), "after 0.0 s: 1, 2\nafter 0.1 s: 3, 4\nat most 2 at once");
    assert_eq!(refusals.len(), 2);
    for rejected in &refusals {
        assert_eq!((rejected.kind(), rejected.limit()), (RejectedKind::TimedOut, 2));
        assert!(rejected.waited() >= MAX_WAIT, "{rejected}");
    }
    // The refused calls took no permit away.
    assert_eq!(six_calls(&Server::new()).await.0.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_work_may_take_longer_than_the_wait() {
    let server = Server::with_latency(|_| MAX_WAIT * 10);
    let (texts, refusals) = six_calls(&server).await;
    assert_eq!(texts, ["page 1", "page 2"]);
    assert_eq!(refusals.len(), 4);
}
