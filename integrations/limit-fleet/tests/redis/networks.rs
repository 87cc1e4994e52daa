//! Networks that fail.

use std::time::Duration;

use limit_fleet::{LeaseStore, StoreErrorKind};
use tokio::sync::mpsc;

use crate::node::{LONG, Node, ledger, store};
use crate::proxy::{Mode, Proxy};
use crate::servers::{Server, are_installed};

/// A limit of time that a test waits for.
const SOON: Duration = Duration::from_millis(100);

#[tokio::test]
async fn a_half_open_connection_times_out_and_the_next_message_makes_a_new_one() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port).await;
    let patient = store(&proxy.url());
    let mut node = Node::new("a#1", ledger(), LONG);
    node.renew(&patient, 1).await.expect("an answer");
    proxy.half_open();
    let sent = proxy.messages();
    let hasty = patient.clone().with_timeout(SOON);
    let error = node.attempt(&hasty, 1).await.expect_err("no answer");
    assert_eq!(error.kind(), StoreErrorKind::TimedOut, "{error}");
    assert!(error.to_string().contains(&proxy.port.to_string()), "{error}");
    assert_eq!((proxy.messages(), proxy.connections()), (sent + 1, 1), "sent once");

    node.attempt(&patient, 1).await.expect("an answer");
    assert_eq!((proxy.messages(), proxy.connections()), (sent + 2, 2));
}

#[tokio::test]
async fn a_connection_that_is_reset_after_the_message_is_an_error_and_nothing_is_sent_again() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port).await;
    let store = store(&proxy.url());
    let mut node = Node::new("a#1", ledger(), LONG);
    node.renew(&store, 1).await.expect("an answer");
    proxy.set(Mode::ResetAfterRequest);
    for _ in 0..3 {
        let sent = proxy.messages();
        let error = node.attempt(&store, 1).await.expect_err("no answer");
        assert_eq!(error.kind(), StoreErrorKind::Unreachable, "{error}");
        assert_eq!(proxy.messages(), sent + 1, "sent once");
    }
    proxy.set(Mode::Pass);
    node.attempt(&store, 1).await.expect("an answer");
}

/// Lets ten seconds pass for the store alone.
async fn be_idle() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(10)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_connection_that_ended_while_nobody_used_it_costs_no_message() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port).await;
    let store = store(&proxy.url());
    let mut node = Node::new("a#1", ledger(), LONG);
    node.renew(&store, 1).await.expect("an answer");

    be_idle().await;
    server.ask::<()>("CLIENT KILL TYPE normal").expect("CLIENT KILL");
    node.attempt(&store, 1).await.expect("an answer");
    assert_eq!(proxy.connections(), 2);

    be_idle().await;
    proxy.half_open();
    // Half of the time is for the dead connection.
    let store = store.with_timeout(20 * SOON);
    node.attempt(&store, 1).await.expect("an answer");
    assert_eq!(proxy.connections(), 3);

    be_idle().await;
    node.attempt(&store, 1).await.expect("an answer");
    assert_eq!(proxy.connections(), 3, "a good connection stays");
}

#[tokio::test]
async fn a_subscription_that_is_half_open_is_made_anew() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port).await;
    let (sender, _pushes) = mpsc::channel(1);
    store(&proxy.url()).open("a", sender).await.expect("open");
    let connections = proxy.connections();
    proxy.half_open();
    crate::waiting::until("a new connection", async || {
        be_idle().await;
        (proxy.connections() > connections).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_times_out_and_a_late_one_is_not_taken_for_the_next() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port).await;
    let patient = store(&proxy.url());
    let hasty = patient.clone().with_timeout(SOON);
    let mut node = Node::new("a#1", ledger(), LONG);
    node.renew(&patient, 1).await.expect("an answer");
    proxy.set(Mode::DropAnswers);
    let error = node.attempt(&hasty, 2).await.expect_err("no answer");
    assert_eq!(error.kind(), StoreErrorKind::TimedOut, "{error}");

    proxy.set(Mode::Delay(3 * SOON));
    let error = node.attempt(&hasty, 3).await.expect_err("no answer");
    assert_eq!(error.kind(), StoreErrorKind::TimedOut, "{error}");
    // `attempt` compares the number of the answer with that of the message.
    node.attempt(&patient, 4).await.expect("the own answer");
    node.attempt(&patient, 5).await.expect("the own answer");
}

#[tokio::test]
async fn a_message_with_little_time_still_gets_a_connection_made_for_the_next() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port).await;
    proxy.set(Mode::Delay(2 * SOON));
    let patient = store(&proxy.url());
    let hasty = patient.clone().with_timeout(SOON);
    let mut node = Node::new("a#1", ledger(), LONG);
    let error = node.attempt(&hasty, 1).await.expect_err("no time");
    assert_eq!(error.kind(), StoreErrorKind::TimedOut, "{error}");
    assert_eq!(proxy.messages(), 0, "nothing was sent");
    node.renew(&patient, 1).await.expect("an answer");
    assert_eq!(proxy.connections(), 1);
}
