use std::time::Duration;

use cookbook::Server;
use limit_runtime::RejectedKind;

use crate::programs::shedding::{hopeless_one, important_ones, urgent_ones};

#[tokio::test(start_paused = true)]
async fn the_more_important_take_the_places_of_the_less_important() {
    let server = Server::new();
    let mut refused: Vec<_> =
        important_ones(&server).await.iter().map(|refused| refused.kind().as_str()).collect();
    refused.sort_unstable();
    assert_eq!(refused, ["evicted", "evicted", "evicted", "queue_full"]);
    assert_eq!(
        server.to_string(),
        "after 0.0 s: 1, 2\n\
         after 0.1 s: 101, 102\n\
         after 0.2 s: 103, 3\n\
         at most 2 at once"
    );
}

#[tokio::test(start_paused = true)]
async fn the_earliest_deadline_is_first() {
    let server = Server::new();
    let refused = urgent_ones(&server).await;
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].kind(), RejectedKind::TimedOut);
    assert_eq!(
        server.to_string(),
        "after 0.0 s: 1\n\
         after 0.1 s: 4\n\
         after 0.2 s: 3\n\
         after 0.3 s: 2\n\
         at most 1 at once"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_be_in_time_learns_it_at_once() {
    let server = Server::with_latency(|_page| Duration::from_millis(10));
    let refused = hopeless_one(&server).await.expect("it is too late");
    assert_eq!((refused.kind(), refused.waited()), (RejectedKind::WouldTimeOut, Duration::ZERO));
}
