use cookbook::Server;
use limit_runtime::task::StreamExt;
use tokio::time::sleep;

use crate::NINE_BY_THREES;
use crate::programs::pool_map::fetch_all;

#[tokio::test(start_paused = true)]
async fn texts_are_in_order_and_three_are_under_way() {
    let server = Server::new();
    let texts: Vec<_> = fetch_all(&server, 1..=9, 3).collect().await;
    assert_eq!(texts, (1..=9).map(|page| format!("page {page}")).collect::<Vec<_>>());
    assert_eq!(server.to_string(), NINE_BY_THREES);
}

#[tokio::test(start_paused = true)]
async fn a_text_that_is_there_early_waits_for_its_turn() {
    let server = Server::with_latency(|page| Server::LATENCY * (10 - page));
    let texts = fetch_all(&server, 1..=9, 3).collect::<Vec<_>>().await;
    assert_eq!(texts, (1..=9).map(|page| format!("page {page}")).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn it_is_never_more_than_the_limit_ahead_of_who_takes() {
    let server = Server::new();
    let mut texts = fetch_all(&server, 1.., 3);
    for taken in 0..100 {
        assert_eq!(texts.next().await, Some(format!("page {}", taken + 1)));
        sleep(10 * Server::LATENCY).await;
        assert_eq!(server.begun().len(), taken + 3);
        assert_eq!(server.now(), 0, "what has begun goes on, though nobody takes");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_pulled_before_somebody_takes() {
    let server = Server::new();
    let texts = fetch_all(&server, (1..).inspect(|page| panic!("{page} was pulled")), 3);
    sleep(Server::LATENCY).await;
    drop(texts);
}
