use std::time::Duration;

use cookbook::Server;
use tokio::time::{Instant, sleep, timeout};

use crate::NINE_BY_THREES;
use crate::programs::wait_first::fetch_all;

#[tokio::test(start_paused = true)]
async fn the_set_is_kept_full_and_every_text_is_handled() {
    let server = Server::new();
    let mut handled = Vec::new();
    fetch_all(&server, 1..=9, 3, async |text| handled.push(text)).await;
    handled.sort();
    assert_eq!(handled, (1..=9).map(|page| format!("page {page}")).collect::<Vec<_>>());
    assert_eq!(server.to_string(), NINE_BY_THREES);
}

#[tokio::test(start_paused = true)]
async fn the_others_go_on_while_one_is_handled() {
    let server = Server::new();
    let mut left = Vec::new();
    fetch_all(&server, 1..=3, 2, async |_| {
        sleep(10 * Server::LATENCY).await;
        left.push(server.now());
    })
    .await;
    // All requests that began before a text was handled are done afterwards.
    assert_eq!(left, [0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_page_is_pulled_when_one_is_done() {
    let (server, start) = (Server::new(), Instant::now());
    let mut pulled = Vec::new();
    let pages = (1..=7).inspect(|_| pulled.push(start.elapsed().as_millis() / 100));
    fetch_all(&server, pages, 3, async |_| {}).await;
    assert_eq!(pulled, [0, 0, 0, 1, 1, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn to_leave_early_cancels_the_set() {
    let server = Server::with_latency(|_| Duration::from_mins(1));
    let all = fetch_all(&server, 1.., 3, async |_| {});
    assert!(timeout(Duration::from_secs(1), all).await.is_err());
    sleep(Duration::from_secs(1)).await;
    assert_eq!((server.most(), server.now()), (3, 0));
}
