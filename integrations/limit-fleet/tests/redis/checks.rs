//! Warnings about a server's settings.

use limit_fleet::LeaseStore;
use tokio::sync::mpsc;

use crate::node::store;
use crate::servers::{Server, are_installed};

async fn warnings(server: &Server, user: &str) -> String {
    let url = format!("redis://{user}127.0.0.1:{}", server.port);
    store(&url).open("a", mpsc::channel(1).0).await.expect("no error").join("\n")
}

#[tokio::test]
async fn eviction_is_warned_of() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&["--maxmemory-policy", "allkeys-lru"]);
    assert_eq!(warnings(&server, "").await, "", "nothing is evicted without maxmemory");
    server.ask::<()>("CONFIG SET maxmemory 100mb").expect("CONFIG");
    let text = warnings(&server, "").await;
    assert!(text.contains("maxmemory-policy is allkeys-lru"), "{text}");
    assert!(text.contains(&server.port.to_string()), "{text}");
    server.ask::<()>("CONFIG SET maxmemory-policy noeviction").expect("CONFIG");
    assert_eq!(warnings(&server, "").await, "");
}

#[tokio::test]
async fn a_master_that_would_grant_without_its_replica_is_warned_of() {
    if !are_installed() {
        return;
    }
    let master = Server::start(&[]);
    let _replica = Server::start(&["--replicaof", "127.0.0.1", &master.port.to_string()]);
    crate::waiting::until("the replica", async || {
        (master.info("connected_slaves") == "1").then_some(())
    })
    .await;
    let text = warnings(&master, "").await;
    assert!(text.contains("min-replicas-to-write is 0"), "{text}");

    master.ask::<()>("ACL SETUSER u on >p ~limit:* &limit:* +@all -config").expect("ACL");
    let text = warnings(&master, "u:p@").await;
    assert!(text.contains("could not be checked") && text.contains("CONFIG GET"), "{text}");

    master.ask::<()>("CONFIG SET min-replicas-to-write 1").expect("CONFIG");
    // A replica counts when it has acknowledged, which is later than it has connected.
    crate::waiting::until("the replica's word", async || {
        (master.info("min_slaves_good_slaves") == "1").then_some(())
    })
    .await;
    assert_eq!(warnings(&master, "").await, "");
}

#[tokio::test]
async fn a_server_that_was_promoted_is_told() {
    if !are_installed() {
        return;
    }
    let master = Server::start(&[]);
    assert_eq!(warnings(&master, "").await, "");
    let replica = Server::start(&["--replicaof", "127.0.0.1", &master.port.to_string()]);
    crate::waiting::until("the replica's copy", async || {
        (replica.info("master_link_status") == "up").then_some(())
    })
    .await;
    replica.ask::<()>("REPLICAOF NO ONE").expect("REPLICAOF");
    let text = warnings(&replica, "").await;
    assert!(text.contains("promoted") && text.contains("normal after a fail-over"), "{text}");
    assert!(text.contains("the time of one lease"), "{text}");
}

#[cfg(not(feature = "cluster"))]
#[tokio::test]
async fn a_cluster_without_the_feature_is_an_error_that_names_it() {
    if !are_installed() {
        return;
    }
    let port = crate::servers::free_port().to_string();
    let server = Server::start(&["--cluster-enabled", "yes", "--cluster-port", &port]);
    let store = store(&server.url());
    let error = store.open("a", mpsc::channel(1).0).await.expect_err("a cluster");
    assert!(error.to_string().contains("feature `cluster`"), "{error}");
    let error = store.read(None).await.expect_err("a cluster");
    assert!(error.to_string().contains("feature `cluster`"), "{error}");
}
