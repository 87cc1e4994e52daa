use std::cell::Cell;

use cookbook::Server;
use tokio::time::sleep;

use crate::NINE_BY_THREES;
use crate::programs::generator::fetch_all;

#[tokio::test(start_paused = true)]
async fn three_are_under_way_until_the_last_is_done() {
    let server = Server::new();
    fetch_all(&server, 1..=9, 3).await.expect("nothing panics");
    assert_eq!(server.to_string(), NINE_BY_THREES);
    assert_eq!(server.now(), 0, "it has waited for the last");
}

#[tokio::test(start_paused = true)]
async fn the_generator_is_one_ahead_of_those_that_run() {
    let server = Server::new();
    let (pulled, most_ahead) = (Cell::new(0), Cell::new(0));
    let pages = (1..=1_000).inspect(|_| {
        pulled.set(pulled.get() + 1);
        let done = server.begun().len() - server.now();
        most_ahead.set(most_ahead.get().max(pulled.get() - done));
    });
    fetch_all(&server, pages, 5).await.expect("nothing panics");
    // Five calls run, and one waits for a permit.
    assert_eq!((pulled.get(), most_ahead.get()), (1_000, 6));
    assert_eq!(server.most(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_endless_generator_goes_on_until_it_is_left() {
    let server = Server::new();
    tokio::select! {
        _ = fetch_all(&server, (1..=9).cycle(), 2) => panic!("it has no end"),
        () = sleep(Server::LATENCY.mul_f64(100.5)) => {}
    }
    assert!(server.begun().len() >= 199);
    sleep(Server::LATENCY / 10).await;
    assert_eq!((server.most(), server.now()), (2, 0), "what ran was cancelled");
}

#[tokio::test(start_paused = true)]
async fn panics_are_told_and_stop_nobody_else() {
    let server = Server::new();
    let panicked = fetch_all(&server, [1, 0, 2, 0, 3], 2).await.expect_err("two tasks panic");
    assert_eq!(panicked.messages(), ["there is no page 0"; 2]);
    assert_eq!((server.begun().len(), server.now()), (5, 0));
}
