use std::sync::mpsc::channel;

use cookbook::Server;
use tokio::time::Instant;

use crate::NINE_BY_THREES;
use crate::programs::callback::fetch_all;

#[tokio::test(start_paused = true)]
async fn it_is_called_when_each_is_done_and_not_at_the_end() {
    let (server, start) = (Server::new(), Instant::now());
    let (told, tell) = channel();
    let done =
        move |text| told.send((start.elapsed().as_millis() / 100, text)).expect("the test listens");
    fetch_all(&server, 1..=9, 3, done).await.expect("nothing panics");
    let calls: Vec<_> = tell.iter().collect();
    let expected = |page: u128| (1 + (page - 1) / 3, format!("page {page}"));
    assert_eq!(calls, (1..=9).map(expected).collect::<Vec<_>>());
    assert_eq!(server.to_string(), NINE_BY_THREES);
}

#[tokio::test(start_paused = true)]
async fn one_that_panics_is_told_and_stops_nobody() {
    let server = Server::new();
    let done = |text: String| assert!(!text.ends_with('2'), "{text} is not wanted");
    let panicked = fetch_all(&server, 1..=9, 3, done).await.expect_err("page 2");
    assert_eq!(panicked.messages(), ["page 2 is not wanted"]);
    assert_eq!(server.to_string(), NINE_BY_THREES);
}
