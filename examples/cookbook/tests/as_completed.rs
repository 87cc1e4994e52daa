use std::time::Duration;

use cookbook::Server;
use limit_runtime::task::StreamExt;
use tokio::time::sleep;

use crate::programs::as_completed::fetch_all;

fn slow_for_high_pages() -> Server {
    Server::with_latency(|page| Server::LATENCY * page)
}

#[tokio::test(start_paused = true)]
async fn texts_come_as_they_are_there() {
    let server = slow_for_high_pages();
    let texts: Vec<_> = fetch_all(&server, [5, 1, 2, 3], 3).collect().await;
    assert_eq!(texts, ["page 1", "page 2", "page 3", "page 5"]);
    // Page 3 began when page 1 was done, so its text came before that of page 5.
    assert_eq!(server.to_string(), "after 0.0 s: 5, 1, 2\nafter 0.1 s: 3\nat most 3 at once");
}

#[tokio::test(start_paused = true)]
async fn pages_are_pulled_as_texts_are_taken() {
    let server = slow_for_high_pages();
    let mut texts = fetch_all(&server, 1.., 3);
    for taken in 0..10 {
        assert!(texts.next().await.is_some());
        sleep(Duration::from_mins(1)).await;
        assert_eq!(server.begun().len(), taken + 3);
    }
}

#[tokio::test(start_paused = true)]
async fn to_leave_early_cancels_what_runs() {
    let server = slow_for_high_pages();
    let mut texts = fetch_all(&server, [1, 9, 9], 3);
    assert_eq!(texts.next().await.as_deref(), Some("page 1"));
    assert_eq!(server.now(), 2);
    drop(texts);
    sleep(Server::LATENCY).await;
    assert_eq!(server.now(), 0);
}
