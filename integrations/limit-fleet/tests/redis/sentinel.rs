//! A master that Sentinels know.

use limit_fleet::LeaseStore;
use tokio::sync::mpsc;

use crate::node::{Node, SHORT, ledger, store};
use crate::replicated::Set;
use crate::servers::are_installed;
use crate::waiting::until;

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
