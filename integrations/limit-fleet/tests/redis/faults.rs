//! Servers that fail.

use limit_fleet::{LeaseStore, RedisStore, StoreErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::node::{LONG, Node, SHORT, ledger, store};
use crate::proxy::Proxy;
use crate::servers::{Server, are_installed, free_port};

#[tokio::test]
async fn no_server_is_an_error_until_there_is_one() {
    if !are_installed() {
        return;
    }
    let mut server = Server::start(&[]);
    let store = store(&server.url());
    server.kill();
    let mut node = Node::new("a#1", ledger(), LONG);
    for _ in 0..3 {
        let error = node.attempt(&store, 1).await.expect_err("no server");
        assert_eq!(error.kind(), StoreErrorKind::Unreachable);
        let address = format!("redis at 127.0.0.1:{} cannot be reached", server.port);
        assert!(error.to_string().starts_with(&address), "{error}");
    }
    let error = store.open("a", mpsc::channel(1).0).await.expect_err("no server");
    assert_eq!(error.kind(), StoreErrorKind::Unreachable);
    server.start_again();
    node.renew(&store, 1).await.expect("an answer");
}

#[tokio::test]
async fn a_wrong_password_is_denied_and_not_repeated_in_the_message() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&["--requirepass", "right"]);
    for user in ["", "somebody:wr0ng@", ":wr0ng@"] {
        let store = store(&format!("redis://{user}127.0.0.1:{}", server.port));
        let mut node = Node::new("a#1", ledger(), LONG);
        let error = node.attempt(&store, 1).await.expect_err("denied");
        assert_eq!(error.kind(), StoreErrorKind::Denied, "{error}");
        assert!(!error.to_string().contains("wr0ng"), "{error}");
        let error = store.open("a", mpsc::channel(1).0).await.expect_err("denied");
        assert_eq!(error.kind(), StoreErrorKind::Denied, "{error}");
        assert!(!format!("{store:?}").contains("wr0ng"), "{store:?}");
    }
    let store = store(&format!("redis://:right@127.0.0.1:{}", server.port));
    Node::new("a#1", ledger(), LONG).renew(&store, 1).await.expect("an answer");
}

/// The permissions that the docs of the store list, without those that it can do without.
const COMMANDS: &str =
    "+eval +evalsha +info +time +hget +hmget +hgetall +hkeys +hset +hdel +del +pexpire +publish";

#[tokio::test]
async fn a_permission_that_lacks_is_told_when_the_store_is_opened() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    let commands = COMMANDS.split(' ');
    let lacking = commands.map(|command| {
        let rule = format!("~limit:* &limit:* {} -{}", COMMANDS, &command[1..]);
        (rule, command[1..].to_owned())
    });
    let keys = (format!("~other:* &limit:* {COMMANDS}"), "keys".to_owned());
    let channels = (format!("~limit:* &other:* {COMMANDS}"), "publish to the channel".to_owned());
    for (rule, name) in lacking.chain([keys, channels]) {
        server.ask::<()>(&format!("ACL SETUSER u reset on >p {rule}")).expect("ACL");
        let store = store(&format!("redis://u:p@127.0.0.1:{}", server.port));
        let error = store.open("a", mpsc::channel(1).0).await.expect_err(&rule);
        let text = error.to_string();
        assert_eq!(error.kind(), StoreErrorKind::Denied, "{text}");
        assert!(text.contains("docs of RedisStore") && !error.may_pass(), "{text}");
        let told = text.split("; ").next().unwrap_or_default().to_lowercase();
        assert!(told.contains(&name), "{rule}: {text}");
        let keys: Vec<String> = server.ask("KEYS *").expect("KEYS");
        assert_eq!(keys, [""; 0], "{rule}");
    }
    server
        .ask::<()>(&format!("ACL SETUSER u reset on >p ~limit:* &limit:* {COMMANDS}"))
        .expect("ACL");
    let store = store(&format!("redis://u:p@127.0.0.1:{}", server.port));
    let warnings = store.open("a", mpsc::channel(1).0).await.expect("warnings");
    assert!(warnings.len() == 1 && warnings[0].contains("only poll"), "{warnings:?}");
}

#[tokio::test]
async fn a_user_without_permissions_is_denied_and_one_with_those_of_the_docs_is_not() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    server.ask::<()>("ACL SETUSER poor on >p ~limit:* +info +ping").expect("ACL");
    let poor = store(&format!("redis://poor:p@127.0.0.1:{}", server.port));
    let error = Node::new("a#1", ledger(), LONG).attempt(&poor, 1).await.expect_err("denied");
    assert_eq!(error.kind(), StoreErrorKind::Denied, "{error}");
    assert!(error.to_string().contains("evalsha"), "{error}");

    server
        .ask::<()>(&format!(
            "ACL SETUSER rich on >r ~limit:* &limit:* {COMMANDS} +subscribe +ping +scan"
        ))
        .expect("ACL");
    let rich = store(&format!("redis://rich:r@127.0.0.1:{}", server.port));
    let mut node = Node::new("a#1", ledger(), SHORT);
    node.renew_until(&rich, 10, |answer| answer.share == 10).await;
    assert_eq!(rich.open("a", mpsc::channel(1).0).await.expect("open"), [""; 0]);
    assert_eq!(rich.read(None).await.expect("ledgers").len(), 1);
    node.renewal.claim = 0;
    node.renew_until(&rich, 0, |answer| answer.nodes == 0 || answer.share == 0).await;
}

#[tokio::test]
async fn a_password_for_a_server_that_has_none_is_told() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    for user in [":s3cret@", "somebody:s3cret@"] {
        let store = store(&format!("redis://{user}127.0.0.1:{}", server.port));
        let error = store.open("a", mpsc::channel(1).0).await.expect_err("denied");
        let text = error.to_string();
        assert_eq!(error.kind(), StoreErrorKind::Denied, "{text}");
        assert!(
            text.contains("leave them out if the server has none") && !text.contains("s3cret"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_an_error() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    let store = store(&format!("{}/99", server.url()));
    let error = Node::new("a#1", ledger(), LONG).attempt(&store, 1).await.expect_err("no database");
    assert_eq!(error.kind(), StoreErrorKind::Address, "{error}");
    assert!(error.to_string().contains("DB index"), "{error}");
}

#[tokio::test]
async fn something_that_is_not_a_redis_is_told() {
    let garbage: [&'static [u8]; 3] = [
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x0a garbage\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ];
    for text in garbage {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(text).await;
                tokio::spawn(
                    async move { while let Ok(1..) = stream.read(&mut [0; 1024]).await {} },
                );
            }
        });
        let store = store(&format!("redis://127.0.0.1:{port}"));
        let error =
            Node::new("a#1", ledger(), LONG).attempt(&store, 1).await.expect_err("no redis");
        assert_eq!(error.kind(), StoreErrorKind::NotRedis, "{error}");
        assert!(!error.to_string().contains('\n'), "one line: {error}");
        let error = store.open("a", mpsc::channel(1).0).await.expect_err("no redis");
        assert_eq!(error.kind(), StoreErrorKind::NotRedis, "{error}");
        task.abort();
    }
}

#[tokio::test]
async fn a_server_without_memory_gives_no_answer_and_keeps_the_ledger_as_it_was() {
    if !are_installed() {
        return;
    }
    let server = Server::start(&[]);
    let store = store(&server.url());
    let mut node = Node::new("a#1", ledger(), SHORT);
    node.renew_until(&store, 4, |answer| answer.share >= 4).await;
    let before = store.read(None).await.expect("ledgers");
    server.ask::<()>("CONFIG SET maxmemory 1").expect("CONFIG");
    let error = node.attempt(&store, 9).await.expect_err("no memory");
    assert_eq!(error.kind(), StoreErrorKind::OutOfMemory, "{error}");
    let error = store.open("a", mpsc::channel(1).0).await.expect_err("no memory");
    assert_eq!(error.kind(), StoreErrorKind::OutOfMemory, "{error}");
    assert!(error.may_pass(), "{error}");
    assert_eq!(store.read(None).await.expect("ledgers"), before);
    server.ask::<()>("CONFIG SET maxmemory 0").expect("CONFIG");
    node.attempt(&store, 9).await.expect("an answer");
}

#[tokio::test]
async fn a_replica_gives_no_answer_and_its_connection_is_closed() {
    if !are_installed() {
        return;
    }
    let master = Server::start(&[]);
    let replica = Server::start(&["--replicaof", "127.0.0.1", &master.port.to_string()]);
    let proxy = Proxy::start(replica.port).await;
    let store = store(&proxy.url());
    crate::waiting::until("the replica's copy", async || {
        (replica.info("master_link_status") == "up").then_some(())
    })
    .await;
    let mut node = Node::new("a#1", ledger(), LONG);
    let error = node.renew(&store, 1).await.expect_err("a replica");
    assert_eq!(error.kind(), StoreErrorKind::ReadOnly, "{error}");
    let error = store.open("a", mpsc::channel(1).0).await.expect_err("a replica");
    assert_eq!(error.kind(), StoreErrorKind::ReadOnly, "{error}");
    let connections = proxy.connections();
    let error = node.attempt(&store, 1).await.expect_err("a replica");
    assert_eq!(error.kind(), StoreErrorKind::ReadOnly, "{error}");
    node.attempt(&store, 1).await.expect_err("a replica");
    assert!(proxy.connections() > connections, "a new connection");
}

#[tokio::test]
async fn a_server_that_is_silent_when_a_connection_is_made_times_out() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let store = RedisStore::new(&format!("redis://127.0.0.1:{port}")).expect("an address");
    let error = Node::new("a#1", ledger(), SHORT).attempt(&store, 1).await.expect_err("silence");
    assert_eq!(error.kind(), StoreErrorKind::TimedOut, "{error}");
    let port = free_port();
    let store = RedisStore::new(&format!("redis://127.0.0.1:{port}")).expect("an address");
    let error = Node::new("a#1", ledger(), SHORT).attempt(&store, 1).await.expect_err("nobody");
    assert_eq!(error.kind(), StoreErrorKind::Unreachable, "{error}");
}
