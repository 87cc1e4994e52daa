//! Messages, answers and pushes.

use limit_fleet::message::{NodeId, Verdict};
use limit_fleet::{LeaseStore, StoreErrorKind};
use tokio::sync::mpsc;

use crate::node::{LONG, Node, SHORT, ledger, store};
use crate::servers::{Server, are_installed};
use crate::waiting::until;

#[tokio::test]
async fn a_node_gets_a_share_and_a_reader_sees_it() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    let store = store(&server.url());
    let mut node = Node::new("a#1", ledger().with_key("{odd}/ key"), SHORT);
    let answer = node.renew_until(&store, 10, |answer| answer.share == 10).await;
    assert_eq!((answer.verdict, answer.nodes, answer.limit), (Verdict::Accepted, 1, 10));

    // What is no ledger is left out.
    server.ask::<()>("SET limit:{test/text} x").expect("SET");
    server.ask::<()>("HSET limit:{test/hash} m x").expect("HSET");
    let mut other = Node::new("a#1", limit_fleet::LedgerName::new("other", "limit"), LONG);
    other.renew(&store, 1).await.expect("an answer");
    let ledgers = store.read(Some("test")).await.expect("ledgers");
    let [(name, view)] = &*ledgers else { panic!("{ledgers:?}") };
    assert_eq!((name, view.limit, view.learning), (&node.ledger, 10, false));
    assert_eq!((&view.nodes[0].id, view.nodes[0].share), (&NodeId("a#1".to_owned()), 10));
    let all = store.read(None).await.expect("ledgers");
    let names: Vec<_> = all.iter().map(|(name, _)| name).collect();
    assert_eq!(names, [&other.ledger, &node.ledger]);
}

#[tokio::test]
async fn a_server_without_the_script_asks_for_one_new_attempt() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    let store = store(&server.url());
    let mut node = Node::new("a#1", ledger(), LONG);
    let error = node.attempt(&store, 1).await.expect_err("no script");
    assert_eq!(error.kind(), StoreErrorKind::NoScript, "{error}");
    node.attempt(&store, 1).await.expect("an answer");
    node.attempt(&store, 1).await.expect("an answer");

    server.ask::<()>("SCRIPT FLUSH").expect("SCRIPT FLUSH");
    let mut other = Node::new("a#1", ledger().with_key("other"), LONG);
    for node in [&mut node, &mut other] {
        let error = node.attempt(&store, 1).await.expect_err("no script");
        assert_eq!(error.kind(), StoreErrorKind::NoScript, "{error}");
    }
    for node in [&mut node, &mut other] {
        node.attempt(&store, 1).await.expect("an answer");
    }
}

#[tokio::test]
async fn an_old_message_is_refused_and_other_times_are_told() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    let store = store(&server.url());
    let mut node = Node::new("a#1", ledger(), LONG);
    node.renew(&store, 1).await.expect("an answer");
    node.renewal.seq -= 1;
    let answer = node.renew(&store, 1).await.expect("an answer");
    assert_eq!(answer.verdict, Verdict::Refused);
    let mut other = Node::new("b#1", ledger(), SHORT);
    let answer = other.renew(&store, 1).await.expect("an answer");
    assert_eq!(answer.verdict, Verdict::OtherTimes(LONG));
}

#[tokio::test]
async fn pushes_reach_the_process_and_its_new_connection() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    let store = store(&server.url());
    let (sender, mut pushes) = mpsc::channel(64);
    assert_eq!(store.open("a:b", sender).await.expect("open"), [""; 0]);
    let mut number = 0;
    let mut next_push = async || {
        until("a push", async || {
            // A ledger asks a node once only. So each is a new one.
            number += 1;
            let ledger = ledger().with_key(number.to_string());
            let mut holder = Node::new("a:b#1", ledger.clone(), SHORT);
            let mut waiter = Node::new("c#1", ledger, SHORT);
            holder.renew_until(&store, 10, |answer| answer.share == 10).await;
            waiter.renew(&store, 4).await.expect("an answer");
            pushes.try_recv().ok()
        })
        .await
    };
    let (name, push) = next_push().await;
    assert_eq!(name.limiter, ledger().limiter);
    assert_eq!((&*push.node.0, push.share), ("a:b#1", None));

    server.ask::<()>("CLIENT KILL TYPE pubsub").expect("CLIENT KILL");
    let (name, _) = next_push().await;
    assert_ne!(name.key.as_deref(), Some("1"), "over a new connection");
}

#[tokio::test]
async fn a_subscription_ends_with_its_receiver() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    let (sender, pushes) = mpsc::channel(1);
    store(&server.url()).open("a", sender).await.expect("open");
    let subscribers =
        || server.ask::<(String, u32)>("PUBSUB NUMSUB limit:push:a").expect("NUMSUB").1;
    assert_eq!(subscribers(), 1);
    drop(pushes);
    until("the end of the subscription", async || (subscribers() == 0).then_some(())).await;
}

#[tokio::test]
async fn a_server_that_restarts_empty_learns_before_it_grants() {
    if !are_installed() {
        return;
    }
    let mut server = Server::start(&[]);
    let store = store(&server.url());
    let mut holder = Node::new("a#1", ledger(), SHORT);
    holder.renew_until(&store, 6, |answer| answer.share >= 6).await;
    holder.renewal.claim = 6;
    server.kill();
    let error = holder.attempt(&store, 6).await.expect_err("no server");
    assert_eq!(error.kind(), StoreErrorKind::Unreachable, "{error}");
    server.start_again();

    // A newcomer speaks first, and gets nothing. The holder keeps what it claims.
    let mut newcomer = Node::new("b#1", ledger(), SHORT);
    let answer = newcomer.renew(&store, 10).await.expect("an answer");
    assert!(answer.learning && answer.share == 0, "{answer:?}");
    let answer = holder.renew(&store, 6).await.expect("an answer");
    assert!(answer.share == 6, "{answer:?}");
    let answer =
        newcomer.renew_until(&store, 10, |answer| !answer.learning && answer.share > 0).await;
    assert!(answer.share <= 10, "{answer:?}");
}

#[tokio::test]
async fn all_ledgers_share_one_connection() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    let proxy = crate::proxy::Proxy::start(server.port).await;
    let store = store(&proxy.url());
    let mut nodes: Vec<_> = (0..50)
        .map(|number| Node::new("a#1", ledger().with_key(number.to_string()), LONG))
        .collect();
    let answers = nodes.iter_mut().map(|node| node.renew(&store, 1));
    for answer in futures_util::future::join_all(answers).await {
        answer.expect("an answer");
    }
    assert_eq!(proxy.connections(), 1);
    assert_eq!(store.read(None).await.expect("ledgers").len(), 50);
    assert_eq!(proxy.connections(), 1);
}
