//! A master that Sentinels know.

use limit_fleet::LeaseStore;
use tokio::sync::mpsc;

use crate::node::{Node, SHORT, ledger, store};
use crate::servers::{Server, are_installed};
use crate::waiting::until;

/// A master with a replica, and a Sentinel that watches both.
struct Set {
    master: Server,
    replica: Server,
    sentinel: Server,
}

impl Set {
    async fn start() -> Self {
        let password = ["--requirepass", "s3cret", "--masterauth", "s3cret"];
        let master = Server::start(&password);
        let port = master.port.to_string();
        let replica =
            Server::start(&[&password[..], &["--replicaof", "127.0.0.1", &port]].concat());
        let configuration = format!(
            "sentinel monitor main 127.0.0.1 {port} 1\n\
             sentinel auth-pass main s3cret\n\
             sentinel down-after-milliseconds main 500\n\
             sentinel failover-timeout main 2000\n"
        );
        let sentinel = Server::start_program("redis-sentinel", Some(&configuration), &[]);
        until("the Sentinel's list", async || {
            let known: Vec<Vec<String>> = sentinel.ask("SENTINEL REPLICAS main").ok()?;
            (known.len() == 1).then_some(())
        })
        .await;
        Self { master, replica, sentinel }
    }

    /// Returns the address. The first of the two Sentinels is down.
    fn url(&self) -> String {
        let down = crate::servers::free_port();
        format!("redis+sentinel://:s3cret@127.0.0.1:{down},127.0.0.1:{}/main/0", self.sentinel.port)
    }
}

#[tokio::test]
async fn after_a_fail_over_the_store_finds_the_new_master_which_learns() {
    if !are_installed() {
        return;
    }
    let mut set = Set::start().await;
    let store = store(&set.url());
    let mut holder = Node::new("a#1", ledger(), SHORT);
    let answer = holder.renew_until(&store, 6, |answer| answer.share >= 6).await;
    assert!(!answer.learning);
    until("the replica's copy", async || {
        let key = redis::cmd("EXISTS").arg(ledger().redis_key()).clone();
        let client = redis::Client::open(format!("redis://:s3cret@127.0.0.1:{}", set.replica.port));
        key.query::<bool>(&mut client.ok()?.get_connection().ok()?).ok()?.then_some(())
    })
    .await;

    set.master.kill();
    let claim = holder.renewal.claim;
    let answer = holder.renew_until(&store, 6, |_| true).await;
    assert_eq!((answer.learning, answer.share), (true, claim));
    let mut newcomer = Node::new("b#1", ledger(), SHORT);
    let answer = newcomer.renew(&store, 10).await.expect("an answer");
    assert_eq!((answer.learning, answer.share), (true, 0));
    let (sender, _pushes) = mpsc::channel(1);
    let warnings = store.open("a", sender).await.expect("open").join("\n");
    assert!(warnings.contains("min-replicas-to-write is 0"), "{warnings}");
}

#[tokio::test]
async fn a_name_that_no_sentinel_knows_is_told() {
    if !are_installed() {
        return;
    }
    let set = Set::start().await;
    let store = store(&set.url().replace("/main/", "/other/"));
    let error = store.read(None).await.expect_err("no master");
    let text = error.to_string();
    assert!(text.starts_with("redis at other of the sentinels 127.0.0.1:"), "{text}");
    assert!(text.contains("check its name"), "{text}");
    assert!(!error.to_string().contains("s3cret"), "{error}");
    drop(set);
}
