//! The script does what only a server can do. `comparison.rs` says that it does the rest as well.

mod server;

use std::time::Duration;

use limit_fleet::message::Answer;
use limit_fleet::script;
use redis::{Cmd, Connection, Script};

use self::server::{COMPARED, RedisServer, load};

const MS: u64 = 1_000;

/// Returns the command for a message of numbers: seq, claim, running, want, limit, token.
fn message(hash: &str, key: &str, node: &str, numbers: [u64; 6]) -> Cmd {
    let mut command = redis::cmd("EVALSHA");
    command.arg(hash).arg(1).arg(key).arg(node);
    for number in numbers {
        command.arg(number);
    }
    command.arg(6_000 * MS).arg(0).arg("push:");
    command
}

fn say(connection: &mut Connection, key: &str, node: &str, numbers: [u64; 6]) -> Answer {
    let hash = Script::new(script::SOURCE).get_hash().to_owned();
    let reply: Vec<i64> =
        message(&hash, key, node, numbers).query(connection).expect("the script runs");
    script::read_reply(&reply).expect("a reply")
}

fn read(connection: &mut Connection, key: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut fields: Vec<_> =
        redis::cmd("HGETALL").arg(key).query(connection).expect("the ledger is there");
    fields.sort();
    fields
}

/// Begins a ledger that does not learn, though its server is young.
fn begin(connection: &mut Connection, key: &str, node: &str, numbers: [u64; 6]) {
    let info: redis::InfoDict =
        redis::cmd("INFO").arg("replication").query(connection).expect("the server says it");
    let replid: String = info.get("master_replid").expect("an id");
    let hash = load(connection, COMPARED);
    let mut command = message(&hash, key, node, numbers);
    command.arg(0).arg(1_000_000 * MS).arg(replid).arg(0).exec(connection).expect("it runs");
    load(connection, script::SOURCE);
}

/// Makes the server a replica of nobody that is there, and promotes it.
fn promote(connection: &mut Connection) {
    redis::cmd("REPLICAOF").arg("127.0.0.1").arg(1).exec(connection).expect("a replica");
    redis::cmd("REPLICAOF").arg("NO").arg("ONE").exec(connection).expect("a master");
}

#[test]
fn a_push_goes_to_the_process_of_its_node() {
    let Some(server) = RedisServer::start() else { return };
    let mut connection = server.connect();
    let mut listener = server.connect();
    listener.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
    let mut listener = listener.as_pubsub();
    listener.subscribe("push:host#1").expect("a subscription");
    let mut hear =
        || -> String { listener.get_message().expect("a push").get_payload().expect("a text") };

    begin(&mut connection, "a key", "host#1#0", [1, 0, 0, 1, 1, 0]);
    let answer = say(&mut connection, "a key", "host#1#7", [42, 0, 0, 1, 1, 0]);
    assert_eq!((answer.share, answer.queued, answer.learning), (0, 1, false));
    // The holder has an idle permit, so it is asked to speak.
    let payload = hear();
    let (_, push) = script::read_push(&payload).expect("a push");
    assert_eq!((&*push.node.0, push.seq, push.share, push.token), ("host#1#0", 1, None, 0));

    say(&mut connection, "a key", "host#1#0", [2, 0, 0, 0, 1, 0]);
    let payload = hear();
    let (key, push) = script::read_push(&payload).expect("a push");
    assert_eq!((key, &*push.node.0, push.seq, push.share), ("a key", "host#1#7", 42, Some(1)));
    assert!(push.token > answer.token && push.token > 1_700_000_000_000_000, "{push:?}");
}

#[test]
fn a_ledger_learns_on_a_server_that_is_young_or_has_another_id() {
    let Some(server) = RedisServer::start() else { return };
    let mut connection = server.connect();
    load(&mut connection, script::SOURCE);
    assert!(say(&mut connection, "new", "a", [1, 0, 0, 1, 1, 0]).learning);

    begin(&mut connection, "old", "a", [1, 0, 0, 1, 1, 0]);
    assert!(!say(&mut connection, "old", "b", [1, 0, 0, 1, 1, 0]).learning);
    promote(&mut connection);
    assert!(say(&mut connection, "old", "b", [2, 0, 0, 1, 1, 0]).learning);
}

#[test]
fn a_server_that_was_promoted_says_so_and_counts_its_time() {
    const LOOK: &str = concat!(
        include_str!("../src/script/server.lua"),
        "local now, replid, promoted = look()
        return { now, uptime(), #replid, promoted and 1 or 0 }"
    );
    let Some(server) = RedisServer::start() else { return };
    let mut connection = server.connect();
    let mut look = || -> [i64; 4] {
        let numbers: Vec<i64> = Script::new(LOOK).invoke(&mut connection).expect("it runs");
        numbers.try_into().expect("four numbers")
    };
    let [now, uptime, length, promoted] = look();
    assert!(now > 1_700_000_000_000_000, "{now}");
    assert!((0..600_000_000).contains(&uptime) && uptime % 1_000_000 == 0, "{uptime}");
    assert_eq!((length, promoted), (40, 0));
    promote(&mut server.connect());
    assert_eq!(look()[3], 1);
}

#[test]
fn a_ledger_expires_seven_days_after_the_last_message() {
    let Some(server) = RedisServer::start() else { return };
    let mut connection = server.connect();
    begin(&mut connection, "a", "a", [5, 0, 0, 1, 1, 0]);
    // A refused message is a sign of life, too.
    for seq in [6, 6] {
        redis::cmd("PEXPIRE").arg("a").arg(50_000).exec(&mut connection).expect("it is set");
        say(&mut connection, "a", "a", [seq, 0, 0, 1, 1, 0]);
        let left: u64 = redis::cmd("PTTL").arg("a").query(&mut connection).expect("it is there");
        assert!(left > 7 * 24 * 3_600_000 - 600_000, "{left}");
    }
}

#[test]
fn a_ledger_that_nobody_uses_expires_in_an_hour_where_it_is_not_deleted() {
    let Some(server) = RedisServer::start() else { return };
    let mut connection = server.connect();
    // The server is young, so that a ledger that begins again has to learn.
    begin(&mut connection, "a", "a", [1, 0, 0, 1, 1, 0]);
    say(&mut connection, "a", "a", [2, 0, 0, 0, 1, 0]);
    let left: u64 = redis::cmd("PTTL").arg("a").query(&mut connection).expect("it is there");
    assert!((3_000_000..=3_600_000).contains(&left), "{left}");
    say(&mut connection, "a", "a", [3, 0, 0, 1, 1, 0]);
    let left: u64 = redis::cmd("PTTL").arg("a").query(&mut connection).expect("it is there");
    assert!(left > 600_000_000, "{left}");
}

#[test]
fn a_server_without_memory_keeps_the_ledger_as_it_was() {
    let Some(server) = RedisServer::start() else { return };
    let mut connection = server.connect();
    begin(&mut connection, "a", "a", [5, 0, 0, 1, 1, 0]);
    let before = read(&mut connection, "a");
    redis::cmd("CONFIG")
        .arg("SET")
        .arg("maxmemory")
        .arg(1)
        .exec(&mut connection)
        .expect("it is set");
    let hash = Script::new(script::SOURCE).get_hash().to_owned();
    let result: Result<Vec<i64>, _> =
        message(&hash, "a", "b", [1, 0, 0, 1, 1, 0]).query(&mut connection);
    assert!(result.is_err(), "{result:?}");
    assert_eq!(read(&mut connection, "a"), before);
}
