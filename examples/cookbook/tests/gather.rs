use std::time::Duration;

use cookbook::Server;
use tokio::time::Instant;

use crate::NINE_BY_THREES;
use crate::programs::gather::fetch_all;

#[tokio::test(start_paused = true)]
async fn texts_are_in_order_and_three_are_under_way() {
    let server = Server::new();
    let texts = fetch_all(&server, 1..=9, 3).await;
    assert_eq!(texts, (1..=9).map(|page| format!("page {page}")).collect::<Vec<_>>());
    assert_eq!(server.to_string(), NINE_BY_THREES);
}

#[tokio::test(start_paused = true)]
async fn a_text_that_is_there_early_waits_for_its_turn() {
    let server = Server::with_latency(|page| Server::LATENCY * (10 - page));
    let texts = fetch_all(&server, 1..=9, 3).await;
    assert_eq!(texts, (1..=9).map(|page| format!("page {page}")).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_page_is_pulled_when_there_is_room_for_it() {
    let (server, start) = (Server::new(), Instant::now());
    let mut pulled = Vec::new();
    let pages = (1..=7).inspect(|_| pulled.push(start.elapsed().as_millis() / 100));
    fetch_all(&server, pages, 3).await;
    assert_eq!(pulled, [0, 0, 0, 1, 1, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn what_runs_is_cancelled_when_nobody_waits_any_more() {
    let server = Server::with_latency(|_| Duration::from_mins(1));
    let all = fetch_all(&server, 1..=9, 3);
    assert!(tokio::time::timeout(Duration::from_secs(1), all).await.is_err());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((server.most(), server.now()), (3, 0));
}
