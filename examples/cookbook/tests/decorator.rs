use std::time::Duration;

use cookbook::Server;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::NINE_BY_THREES;
use crate::programs::decorator::fetch;

#[tokio::test(start_paused = true)]
async fn three_calls_run_and_never_more() {
    let server = Server::new();
    let calls: JoinSet<_> = (1..=9).map(|page| fetch(server.clone(), page)).collect();
    let mut texts = calls.join_all().await;
    texts.sort();
    assert_eq!(texts, (1..=9).map(|page| format!("page {page}")).collect::<Vec<_>>());
    assert_eq!(server.to_string(), NINE_BY_THREES);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_made_and_not_awaited_takes_no_permit() {
    let server = Server::new();
    let made: Vec<_> = (11..=19).map(|page| fetch(server.clone(), page)).collect();
    let calls: JoinSet<_> = (1..=9).map(|page| fetch(server.clone(), page)).collect();
    timeout(Duration::from_hours(1), calls.join_all()).await.expect("the permits are free");
    drop(made);
    assert_eq!(server.to_string(), NINE_BY_THREES);
}
