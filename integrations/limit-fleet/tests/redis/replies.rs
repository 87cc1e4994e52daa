//! Replies of a server that no real one gives on demand.

use limit_fleet::{LeaseStore, StoreErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::node::{LONG, Node, ledger, store};

/// Starts a server that gives one answer to each command of a connection. Returns its port.
///
/// It ends with the runtime of the test.
async fn answer_all(reply: &str) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let reply = reply.as_bytes().to_owned();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let reply = reply.clone();
            tokio::spawn(async move {
                let mut bytes = vec![0; 1 << 16];
                while let Ok(length @ 1..) = stream.read(&mut bytes).await {
                    let commands = bytes[..length].split(|byte| *byte == b'\n');
                    let count = commands.filter(|line| line.starts_with(b"*")).count();
                    let _ = stream.write_all(&reply.repeat(count)).await;
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn each_error_of_a_server_has_its_kind_and_says_what_to_do() {
    use StoreErrorKind::{Busy, Denied, Other, OutOfMemory, ReadOnly, Script};
    // The texts are those of Redis 6.2 and 7.0.
    for (text, kind, advice) in [
        ("LOADING Redis is loading the dataset in memory", Busy, "wait"),
        ("TRYAGAIN Multiple keys request during rehashing of slot", Busy, "wait"),
        ("CLUSTERDOWN Hash slot not served", Busy, "wait"),
        ("BUSY Redis is busy running a script.", Busy, "wait"),
        ("MASTERDOWN Link with MASTER is down", Busy, "wait"),
        ("NOREPLICAS Not enough good replicas to write.", Busy, "wait"),
        ("MISCONF Redis is configured to save RDB snapshots", Busy, "wait"),
        ("NOAUTH Authentication required.", Denied, "wants a password"),
        ("NOPERM this user has no permissions to run the 'evalsha' command", Denied, "limit:*"),
        (
            "ERR The user executing the script can't run this command or subcommand script: 6b, on \
             @user_script:1.",
            Denied,
            "Permissions",
        ),
        (
            "ERR Error running script (call to f_6b): @user_script:26: @user_script: 26: -NOPERM The user \
             executing the script can't access at least one of the keys mentioned in the command arguments",
            Denied,
            "limit:*",
        ),
        (
            "ERR The user executing the script can't access at least one of the keys mentioned in the \
             command arguments script: 6b, on @user_script:1.",
            Denied,
            "limit:*",
        ),
        (
            "ERR The user executing the script can't publish to the channel mentioned in the command",
            Denied,
            "limit:*",
        ),
        (
            "NOPERM ACL failure in script: User a has no permissions to run the 'time' command",
            Denied,
            "'time'",
        ),
        ("READONLY You can't write against a read only replica.", ReadOnly, "master"),
        ("OOM command not allowed when used memory > 'maxmemory'.", OutOfMemory, "give it more"),
        (
            "ERR Error running script (call to f_6b): @user_script:26: @user_script: 26: -OOM command \
             not allowed when used memory > 'maxmemory'.",
            OutOfMemory,
            "give it more",
        ),
        (
            "ERR Error running script (call to f_6b): @user_script:26: @user_script: 26: -READONLY You \
             can't write against a read only replica.",
            ReadOnly,
            "master",
        ),
        (
            "ERR user_script:1: attempt to index a nil value script: 6b, on @user_script:1.",
            Script,
            "6.2",
        ),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", Script, "version"),
        ("ERR unknown command", Other, "unknown command"),
    ] {
        let port = answer_all(&format!("-{text}\r\n")).await;
        let store = store(&format!("redis://127.0.0.1:{port}"));
        let error = Node::new("a#1", ledger(), LONG).attempt(&store, 1).await.expect_err(text);
        let message = error.to_string();
        assert_eq!(error.kind(), kind, "{message}");
        assert!(message.starts_with(&format!("redis at 127.0.0.1:{port} ")), "{message}");
        assert!(message.contains(advice) && !message.contains(".;"), "{message}");
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_an_error() {
    for (reply, kind) in [
        (":1\r\n", StoreErrorKind::NotRedis),
        ("+OK\r\n", StoreErrorKind::NotRedis),
        ("*1\r\n:7\r\n", StoreErrorKind::Script),
        ("*2\r\n:0\r\n:1\r\n", StoreErrorKind::Script),
    ] {
        let port = answer_all(reply).await;
        let store = store(&format!("redis://127.0.0.1:{port}"));
        let error = Node::new("a#1", ledger(), LONG).attempt(&store, 1).await.expect_err(reply);
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[tokio::test]
async fn an_old_version_is_warned_of_and_none_is_an_error() {
    let info = |text: &str| format!("${}\r\n{text}\r\n", text.len());
    let port = answer_all(&info("redis_version:6.0.16\r\nrole:master\r\n")).await;
    let store = crate::node::store(&format!("redis://127.0.0.1:{port}"));
    let warnings = store.open("a", mpsc::channel(1).0).await.expect("warnings").join("\n");
    assert!(warnings.contains("version 6.0.16 is older than 6.2"), "{warnings}");

    let port = answer_all(&info("hello")).await;
    let store = crate::node::store(&format!("redis://127.0.0.1:{port}"));
    let error = store.open("a", mpsc::channel(1).0).await.expect_err("no version");
    assert_eq!(error.kind(), StoreErrorKind::NotRedis, "{error}");
}
