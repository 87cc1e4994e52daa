use std::time::Duration;

use cookbook::Server;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::NINE_BY_THREES;
use crate::programs::semaphore::headline;

#[tokio::test(start_paused = true)]
async fn three_are_inside_and_never_more() {
    let server = Server::new();
    let calls: JoinSet<_> = (1..=9).map(|page| headline(server.clone(), page)).collect();
    let mut headlines = calls.join_all().await;
    headlines.sort();
    assert_eq!(headlines, (1..=9).map(|page| format!("PAGE {page}")).collect::<Vec<_>>());
    assert_eq!(server.to_string(), NINE_BY_THREES);
}

#[tokio::test(start_paused = true)]
async fn who_is_cancelled_inside_makes_room() {
    let slow = Server::with_latency(|_| Duration::from_mins(1));
    let mut cancelled: JoinSet<_> = (1..=3).map(|page| headline(slow.clone(), page)).collect();
    assert!(timeout(Server::LATENCY, cancelled.join_next()).await.is_err());
    assert_eq!(slow.now(), 3);
    cancelled.shutdown().await;

    let server = Server::new();
    let calls: JoinSet<_> = (1..=9).map(|page| headline(server.clone(), page)).collect();
    timeout(Duration::from_hours(1), calls.join_all()).await.expect("the permits are free");
    assert_eq!(server.to_string(), NINE_BY_THREES);
}
