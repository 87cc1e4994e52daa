//! The script does what the ledger in memory does, and what only a server can do.

mod server;

use std::collections::BTreeMap;
use std::time::Duration;

use limit_fleet::ledger::{Ledger, Outcome};
use limit_fleet::message::{Answer, NodeId, Push, Renewal, Server, Times, Verdict};
use limit_fleet::script;
use redis::{Cmd, Connection, Script};

use self::server::RedisServer;

const MS: u64 = 1_000;

/// The script with another first part: the test says what the server is, and gets the pushes and the hash as well.
const COMPARED: &str = concat!(
    "local pushed = {}
    local function look() return tonumber(ARGV[11]), ARGV[13], ARGV[14] == '1' end
    local function uptime() return tonumber(ARGV[12]) end
    local function push(node, seq, share, token)
      pushed[#pushed + 1] = string.format('%s %.0f %s %.0f %s', node, seq, share, token, KEYS[1])
    end
    local function renew()\n",
    include_str!("../src/script/ledger.lua"),
    "\nend
    local reply = renew()
    return { reply, pushed, redis.call('HGETALL', KEYS[1]) }"
);

/// The random numbers of the test, always the same.
struct Random(u64);

impl Random {
    /// Returns a number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ (bits >> 31)) % end
    }

    fn small(&mut self, end: u32) -> u32 {
        u32::try_from(self.below(u64::from(end))).expect("it is below a u32")
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).expect("it is an index")]
    }

    /// Returns true so many times of a thousand.
    fn happens(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }
}

/// What a node of the test knows.
#[derive(Clone, Default)]
struct Node {
    seq: u64,
    share: u32,
    token: u64,
}

/// A ledger, its nodes, and the server as they see it.
struct Fleet {
    key: String,
    times: Times,
    limit: u32,
    server: Server,
    /// The time between two messages is about this.
    pace: u64,
    nodes: Vec<Node>,
    slot: Option<Ledger>,
}

impl Fleet {
    fn new(number: u64, random: &mut Random) -> Self {
        let server = Server {
            now: 1_700_000_000_000_000 + random.below(1_000_000_000_000),
            uptime: 1_000_000 * MS,
            replid: "a".repeat(40),
            promoted: random.happens(100),
        };
        Self {
            key: format!("ledger {number}"),
            times: Times {
                ttl: random.of(&[300, 600, 6_000]) * MS,
                hold: random.of(&[0, 0, 100]) * MS,
            },
            limit: random.of(&[0, 1, 2, 3, 5, 10, 20, 200, 1000]),
            server,
            pace: random.of(&[MS, 10 * MS, 50 * MS, 150 * MS]),
            nodes: vec![Node::default(); random.of(&[1, 2, 3, 5, 8, 12, 40])],
            slot: None,
        }
    }

    fn let_time_pass(&mut self, random: &mut Random) {
        self.server.now += match random.below(100) {
            10..97 => random.below(2 * self.pace),
            97 => 10_000 * MS,
            98 => random.below(700 * MS),
            _ => 0,
        };
        if random.happens(10) {
            self.server.now -= random.below(10_000 * MS);
        }
        self.server.uptime =
            if random.happens(30) { random.below(10_000 * MS) } else { 1_000_000 * MS };
        if random.happens(5) {
            self.server.replid = random.of(&["a", "b", "c"]).repeat(40);
        }
        if random.happens(2) {
            self.server.promoted = !self.server.promoted;
        }
    }

    /// Returns the times of the next message, which are seldom others.
    fn times(&self, random: &mut Random) -> Times {
        match random.below(300) {
            0 => Times { ttl: self.times.ttl + 1, ..self.times },
            1 => Times { hold: self.times.hold + 1, ..self.times },
            _ => self.times,
        }
    }

    fn message(&mut self, random: &mut Random) -> (usize, Renewal) {
        let index = usize::try_from(random.below(self.nodes.len() as u64)).expect("it is an index");
        let load = random.of(&[1, 3, 3, 10, 40]);
        let node = &mut self.nodes[index];
        node.seq += 1;
        let seq = match random.below(40) {
            0 => node.seq - 1,
            1 => node.seq.saturating_sub(random.below(4)),
            _ => node.seq,
        };
        let (mut claim, mut running) = (node.share, random.small(load));
        if random.happens(400) {
            claim = claim.min(running);
        } else if random.happens(300) {
            claim = random.small(claim + 1);
        }
        let mut want = running + random.small(load);
        if random.happens(100) {
            // The node leaves.
            (claim, running, want) = (0, 0, 0);
        }
        if random.happens(20) {
            claim += random.small(6);
        }
        if random.happens(1) {
            (running, want) = (u32::MAX, u32::MAX);
        }
        let limit = if random.happens(20) { random.small(2 * self.limit + 2) } else { self.limit };
        let token =
            if random.happens(20) { random.below(self.server.now + 1000 * MS) } else { node.token };
        let id = NodeId(format!("host-{}#{index}", index / 2));
        (index, Renewal { node: id, seq, claim, running, want, limit, token })
    }

    /// Lets the nodes hear what the ledger says, or not.
    fn hear(&mut self, index: usize, outcome: &Outcome, random: &mut Random) {
        let answer = &outcome.answer;
        if answer.verdict == Verdict::Accepted && !random.happens(30) {
            self.nodes[index].share = answer.share;
            self.nodes[index].token = self.nodes[index].token.max(answer.token);
        }
        for push in &outcome.pushes {
            let (_, number) = push.node.0.rsplit_once('#').expect("the test named it so");
            let node = &mut self.nodes[number.parse::<usize>().expect("the test named it so")];
            if let Some(share) = push.share
                && !random.happens(200)
            {
                node.share = node.share.max(share);
                node.token = node.token.max(push.token);
            }
        }
    }
}

fn command(hash: &str, key: &str, times: &Times, server: &Server, message: &Renewal) -> Cmd {
    let mut command = redis::cmd("EVALSHA");
    command.arg(hash).arg(1).arg(key).arg(&message.node.0).arg(message.seq).arg(message.claim);
    command.arg(message.running).arg(message.want).arg(message.limit).arg(message.token);
    command.arg(times.ttl).arg(times.hold).arg("push:");
    command.arg(server.now).arg(server.uptime).arg(&server.replid).arg(u8::from(server.promoted));
    command
}

type Reply = (Vec<i64>, Vec<String>, Vec<(Vec<u8>, Vec<u8>)>);

fn sort(mut pushes: Vec<Push>) -> Vec<Push> {
    // A node is raised before any is asked, in an order that matters. Those that are asked have no order.
    pushes.sort_by_key(|push| if push.share.is_some() { None } else { Some(push.node.clone()) });
    pushes
}

/// Returns what happened, so that the test can tell that all of it happened.
fn kinds(outcome: &Outcome, slot: Option<&Ledger>) -> Vec<&'static str> {
    let answer = &outcome.answer;
    let is = |yes, kind| if yes { Some(kind) } else { None };
    [
        is(answer.verdict == Verdict::Refused, "refused"),
        is(matches!(answer.verdict, Verdict::OtherTimes(_)), "other times"),
        is(answer.learning, "learning"),
        is(answer.share > 0 && answer.queued > 0 && answer.share > answer.target, "one more"),
        is(answer.queued > 16, "long queue"),
        is(outcome.pushes.iter().any(|push| push.share.is_some()), "raised"),
        is(outcome.pushes.iter().any(|push| push.share.is_none()), "asked"),
        is(slot.is_none(), "deleted"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn the_script_and_the_ledger_in_memory_agree_on_random_messages() {
    let Some(server) = RedisServer::start() else { return };
    let mut connection = server.connect();
    let hash = load(&mut connection, COMPARED);
    let mut random = Random(15);
    let mut seen = BTreeMap::<&str, u32>::new();
    for number in 0..400 {
        let mut fleet = Fleet::new(number, &mut random);
        let mut pipeline = redis::pipe();
        let mut expected = Vec::new();
        for _ in 0..260 {
            if random.happens(5) {
                fleet.slot = None;
                pipeline.cmd("DEL").arg(&fleet.key).ignore();
            }
            fleet.let_time_pass(&mut random);
            let times = fleet.times(&mut random);
            let (index, message) = fleet.message(&mut random);
            pipeline.add_command(command(&hash, &fleet.key, &times, &fleet.server, &message));
            let outcome = Ledger::renew(&mut fleet.slot, &times, &fleet.server, &message);
            for kind in kinds(&outcome, fleet.slot.as_ref()) {
                *seen.entry(kind).or_default() += 1;
            }
            fleet.hear(index, &outcome, &mut random);
            expected.push((message, outcome, fleet.slot.clone()));
        }
        let replies: Vec<Reply> = pipeline.query(&mut connection).expect("the script runs");
        assert_eq!(replies.len(), expected.len());
        for ((reply, pushes, hash), (message, outcome, slot)) in replies.into_iter().zip(expected) {
            let answer = script::read_reply(&reply).expect("a reply");
            assert_eq!(answer, outcome.answer, "ledger {number}: the answer to {message:?}");
            let pushes = pushes.iter().map(|push| {
                let (key, push) = script::read_push(push).expect("a push");
                assert_eq!(key, fleet.key);
                push
            });
            assert_eq!(
                sort(pushes.collect()),
                sort(outcome.pushes),
                "ledger {number}: {message:?}"
            );
            let fields = hash.iter().map(|(field, value)| (&**field, &**value));
            let stored = (!hash.is_empty()).then(|| Ledger::parse(fields).expect("a ledger"));
            assert_eq!(stored, slot, "ledger {number}: the ledger after {message:?}");
        }
    }
    println!("{seen:?}");
    for kind in [
        "refused",
        "other times",
        "learning",
        "one more",
        "long queue",
        "raised",
        "asked",
        "deleted",
    ] {
        assert!(seen.get(kind).is_some_and(|&times| times > 100), "{kind}: {seen:?}");
    }
}

fn load(connection: &mut Connection, source: &str) -> String {
    Script::new(source).load(connection).expect("the script compiles")
}

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

#[test]
fn a_ledger_of_thousands_of_nodes_is_written_and_read() {
    const NODES: u64 = 3_000;
    let Some(server) = RedisServer::start() else { return };
    let mut connection = server.connect();
    let limit = 2 * NODES;
    begin(&mut connection, "a", "p#0", [1, 0, 0, 1, limit, 0]);
    let hash = load(&mut connection, script::SOURCE);
    let mut pipeline = redis::pipe();
    // The first node keeps the whole limit. Then it gives it back, and each other node gets a spare.
    for (seq, claim, nodes) in [(1, 0, 1..NODES), (2, 0, 0..1), (2, 0, 1..NODES), (3, 1, 1..NODES)]
    {
        for node in nodes {
            let want = u64::from(node > 0 && seq > 1);
            let numbers = [seq, claim, 0, want, limit, 0];
            pipeline.add_command(message(&hash, "a", &format!("p#{node}"), numbers));
        }
    }
    // All must hear of a queue, and the scan finds all of them.
    pipeline.add_command(message(&hash, "a", "hungry#1", [1, 0, 0, u64::from(u32::MAX), limit, 0]));
    let replies: Vec<Vec<i64>> = pipeline.query(&mut connection).expect("the script runs");
    let last = script::read_reply(replies.last().expect("a reply")).expect("a reply");
    assert_eq!((u64::from(last.nodes), last.learning), (NODES + 1, false));
    let fields = read(&mut connection, "a");
    let fields = fields.iter().map(|(field, value)| (&**field, &**value));
    let view = Ledger::parse(fields).expect("a ledger").view();
    assert!(view.nodes.iter().map(|node| u64::from(node.share)).sum::<u64>() <= limit);
    assert_eq!(view.nodes.len() as u64, NODES + 1);
}
