use std::time::Duration;

use cookbook::Server;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::programs::rate::fetch;

const MINUTE: Duration = Duration::from_mins(1);

/// Checks that at most three calls start in any minute: each starts at least a minute after the
/// third before it.
fn assert_at_most_three_in_any_minute(server: &Server) {
    for starts in server.begun().windows(4) {
        assert!(starts[0].0 + MINUTE <= starts[3].0, "{starts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn three_start_each_minute() {
    let server = Server::new();
    let calls: JoinSet<_> = (1..=8).map(|page| fetch(server.clone(), page)).collect();
    calls.join_all().await;
    assert_at_most_three_in_any_minute(&server);
    assert_eq!(
        server.to_string(),
        "after 0.0 s: 1, 2, 3\nafter 60.0 s: 4, 5, 6\nafter 120.0 s: 7, 8\nat most 3 at once"
    );
}

#[tokio::test(start_paused = true)]
async fn it_is_any_minute_and_not_that_of_the_clock() {
    let server = Server::new();
    let mut calls = JoinSet::new();
    for page in 1..=40 {
        calls.spawn(fetch(server.clone(), page));
        sleep(Duration::from_secs([1, 50, 3, 20, 7][page as usize % 5])).await;
    }
    calls.join_all().await;
    assert_eq!(server.begun().len(), 40);
    assert_at_most_three_in_any_minute(&server);
}

#[tokio::test(start_paused = true)]
async fn at_most_three_are_inside_if_they_take_longer_than_a_minute() {
    let server = Server::with_latency(|_| MINUTE * 2);
    let calls: JoinSet<_> = (1..=5).map(|page| fetch(server.clone(), page)).collect();
    calls.join_all().await;
    assert_eq!(server.to_string(), "after 0.0 s: 1, 2, 3\nafter 120.0 s: 4, 5\nat most 3 at once");
}
