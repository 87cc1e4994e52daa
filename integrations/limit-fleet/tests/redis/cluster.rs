//! Ledgers on a cluster.

use std::collections::HashSet;
use std::time::Duration;

use limit_fleet::{LeaseStore, LedgerName, StoreErrorKind};
use tokio::sync::mpsc;

use crate::masters::{Cluster, start_node};
use crate::node::{LONG, Node, SHORT, ledger, store};
use crate::proxy::{Mode, Proxy};
use crate::servers::{Server, are_installed};
use crate::waiting::until;

/// Ledgers on all nodes of the cluster.
fn ledgers() -> impl Iterator<Item = LedgerName> {
    (0..30).map(|number| ledger().with_key(format!("{{{number}}}")))
}

#[tokio::test]
async fn ledgers_are_spread_over_the_cluster_and_all_are_read() {
    if !are_installed() {
        return;
    }
    let cluster = Cluster::start().await;
    // One node of it, as an address of one server, is enough.
    for url in [cluster.url(), cluster.nodes[1].url()] {
        let store = store(&url);
        for ledger in ledgers() {
            Node::new("a#1", ledger, LONG).renew(&store, 1).await.expect("an answer");
        }
        let read = store.read(Some("test")).await.expect("ledgers");
        let names: HashSet<_> = read.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ledgers().collect());
    }
    let owners: HashSet<_> = ledgers().map(|ledger| cluster.find(&ledger).0).collect();
    assert_eq!(owners.len(), 3, "each node has some");
    for (number, node) in cluster.nodes.iter().enumerate() {
        let keys: Vec<String> = node.ask("KEYS *").expect("KEYS");
        let expected = ledgers().filter(|ledger| cluster.find(ledger).0 == number);
        assert_eq!(
            keys.into_iter().collect::<HashSet<_>>(),
            expected.map(|ledger| ledger.redis_key()).collect()
        );
    }
}

#[tokio::test]
async fn a_ledger_is_followed_while_its_slot_moves() {
    if !are_installed() {
        return;
    }
    let cluster = Cluster::start().await;
    let store = store(&cluster.url());
    let mut node = Node::new("a#1", ledger(), SHORT);
    node.renew_until(&store, 6, |answer| answer.share >= 6).await;
    let (from, slot) = cluster.find(&node.ledger);
    let to = (from + 1) % 3;
    let (source, target) = (&cluster.nodes[from], &cluster.nodes[to]);
    let key = node.ledger.redis_key();

    target
        .ask::<()>(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", cluster.id(from)))
        .expect("SETSLOT");
    source
        .ask::<()>(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", cluster.id(to)))
        .expect("SETSLOT");
    node.renew(&store, 6).await.expect("the source still has it");
    source.ask::<()>(&format!("MIGRATE 127.0.0.1 {} {key} 0 5000", target.port)).expect("MIGRATE");
    let claim = node.renewal.claim;
    let answer = node.renew(&store, 6).await.expect("ASK is followed");
    assert!(answer.learning, "another server learns: {answer:?}");
    assert_eq!(answer.share, claim);
    assert_eq!(store.read(None).await.expect("ledgers").len(), 1, "read where it is");

    for other in [target, source] {
        other
            .ask::<()>(&format!("CLUSTER SETSLOT {slot} NODE {}", cluster.id(to)))
            .expect("SETSLOT");
    }
    node.renew(&store, 6).await.expect("MOVED is followed");
    node.renew_until(&store, 6, |answer| !answer.learning && answer.share >= 6).await;
    assert_eq!(store.read(None).await.expect("ledgers").len(), 1);
}

#[tokio::test]
async fn pushes_arrive_from_each_node() {
    if !are_installed() {
        return;
    }
    let cluster = Cluster::start().await;
    let store = store(&cluster.url());
    let (sender, mut pushes) = mpsc::channel(64);
    let warnings = store.open("a", sender).await.expect("open").join("\n");
    assert!(warnings.contains("min-replicas-to-write"), "{warnings}");
    let mut nodes = HashSet::new();
    let mut number = 0;
    until("pushes from all", async || {
        number += 1;
        let ledger = ledger().with_key(number.to_string());
        let mut holder = Node::new("a#1", ledger.clone(), SHORT);
        let mut waiter = Node::new("c#1", ledger, SHORT);
        holder.renew_until(&store, 10, |answer| answer.share == 10).await;
        waiter.renew(&store, 4).await.expect("an answer");
        while let Ok((ledger, _)) = pushes.try_recv() {
            nodes.insert(cluster.find(&ledger).0);
        }
        (nodes.len() == 3).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_node_that_is_down_stops_its_own_ledgers_alone() {
    if !are_installed() {
        return;
    }
    let mut cluster = Cluster::start().await;
    // The others go on, as with `cluster-require-full-coverage no`.
    for node in &cluster.nodes {
        node.ask::<()>("CONFIG SET cluster-require-full-coverage no").expect("CONFIG");
    }
    let store = store(&cluster.url());
    for ledger in ledgers() {
        Node::new("a#1", ledger, LONG).renew(&store, 1).await.expect("an answer");
    }
    cluster.nodes[0].kill();
    let find =
        |number| ledgers().find(|ledger| usize::from(cluster_slot(ledger) / 5461).min(2) == number);
    let mut stopped = Node::new("b#1", find(0).expect("a ledger"), LONG);
    let error = stopped.attempt(&store, 1).await.expect_err("its node is down");
    assert!(error.to_string().starts_with("redis at 127.0.0.1:"), "{error}");
    for number in [1, 2] {
        Node::new("b#1", find(number).expect("a ledger"), LONG)
            .attempt(&store, 1)
            .await
            .expect("an answer");
    }
    // A store that does not know the cluster yet begins with a node that is up.
    let store = crate::node::store(&cluster.url());
    Node::new("b#1", find(1).expect("a ledger"), LONG).renew(&store, 1).await.expect("an answer");
}

/// Works out the slot as the specification of the cluster says: CRC16 (XMODEM) of the hash tag.
fn cluster_slot(ledger: &LedgerName) -> u16 {
    let crc = ledger.to_string().bytes().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    });
    crc % 16384
}

#[tokio::test]
async fn a_message_that_may_have_been_executed_is_not_sent_to_another_node() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    let (first, second) = (Proxy::start(server.port).await, Proxy::start(server.port).await);
    let url = format!("redis+cluster://127.0.0.1:{},127.0.0.1:{}", first.port, second.port);
    let store = store(&url);
    let mut node = Node::new("a#1", ledger(), LONG);
    node.renew(&store, 1).await.expect("an answer");
    first.set(Mode::ResetAfterRequest);
    node.attempt(&store, 1).await.expect_err("a reset");
    assert_eq!((first.messages(), second.messages()), (3, 0));
    first.set(Mode::DropAnswers);
    node.attempt(&store.clone().with_timeout(Duration::from_millis(100)), 1)
        .await
        .expect_err("no answer");
    assert_eq!(second.messages(), 0);
}

#[tokio::test]
async fn after_a_fail_over_of_a_node_its_ledgers_are_found_and_learn() {
    if !are_installed() {
        return;
    }
    let mut cluster = Cluster::start().await;
    cluster.add_replica().await;
    let store = store(&cluster.nodes[0].url());
    // The store learns of the other nodes, because the one of its address goes.
    store.open("a", mpsc::channel(1).0).await.expect("open");
    let own = ledgers().find(|ledger| cluster.find(ledger).0 == 0).expect("a ledger");
    let mut holder = Node::new("a#1", own.clone(), SHORT);
    holder.renew_until(&store, 6, |answer| answer.share >= 6).await;
    let replica = &cluster.nodes[3];
    until("the replica's copy", async || {
        let keys: Vec<String> = replica.ask("KEYS *").expect("KEYS");
        keys.contains(&own.redis_key()).then_some(())
    })
    .await;

    let claim = holder.renewal.claim;
    cluster.nodes[0].kill();
    let answer = holder.renew_until(&store, 6, |_| true).await;
    assert_eq!((answer.learning, answer.share), (true, claim));
    assert_eq!(store.read(None).await.expect("ledgers").len(), 1);
}

#[tokio::test]
async fn a_cluster_without_slots_is_busy() {
    if !are_installed() {
        return;
    }
    let node = start_node();
    let store = store(&node.url());
    let error = Node::new("a#1", ledger(), LONG).attempt(&store, 1).await.expect_err("no slots");
    assert_eq!(error.kind(), StoreErrorKind::Busy, "{error}");
    assert_eq!(store.read(None).await.expect("none").len(), 0);
}

#[tokio::test]
async fn a_cluster_of_which_a_master_is_down_is_opened_with_warnings() {
    if !are_installed() {
        return;
    }
    let mut cluster = Cluster::start().await;
    let slot: u16 = cluster.nodes[0].ask("CLUSTER KEYSLOT limit:{probe}").expect("a slot");
    cluster.nodes[usize::from(slot / 5461).min(2)].kill();
    let warnings =
        store(&cluster.url()).open("a", mpsc::channel(1).0).await.expect("open").join("\n");
    assert!(warnings.contains("cannot be reached"), "{warnings}");
}
