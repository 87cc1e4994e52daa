//! The script and the ledger in memory do the same.

mod server;

use std::collections::BTreeMap;

use limit_fleet::ledger::{Ledger, Outcome};
use limit_fleet::message::{NodeId, Push, Renewal, Server, Times, Verdict};
use limit_fleet::script;
use redis::Cmd;

use self::server::{COMPARED, RedisServer, load};

const MS: u64 = 1_000;

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

/// The knowledge of a node of the test.
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
    /// All times between messages are multiples of this, so that some meet a bound exactly.
    grain: u64,
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
            grain: random.of(&[1, 100, MS, 10 * MS]),
            nodes: vec![Node::default(); random.of(&[1, 2, 3, 5, 8, 12, 24])],
            slot: None,
        }
    }

    fn let_time_pass(&mut self, random: &mut Random) {
        self.server.now += match random.below(100) {
            10..97 => random.below(2 * self.pace / self.grain + 1) * self.grain,
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

fn command(
    hash: &str,
    key: &str,
    times: &Times,
    server: &Server,
    message: &Renewal,
    look: bool,
) -> Cmd {
    let mut command = redis::cmd("EVALSHA");
    command.arg(hash).arg(1).arg(key).arg(&message.node.0).arg(message.seq).arg(message.claim);
    command.arg(message.running).arg(message.want).arg(message.limit).arg(message.token);
    command.arg(times.ttl).arg(times.hold).arg("push:");
    command.arg(server.now).arg(server.uptime).arg(&server.replid).arg(u8::from(server.promoted));
    command.arg(if look { "look" } else { "" });
    command
}

type Reply = (Vec<i64>, Vec<String>, Vec<u8>);

fn sort(mut pushes: Vec<Push>) -> Vec<Push> {
    // A node is raised before any is asked, in an order that matters. Those that are asked have no order.
    pushes.sort_by_key(|push| if push.share.is_some() { None } else { Some(push.node.clone()) });
    pushes
}

/// Reads the ledger of a hash, whose texts follow their lengths; none from a hash that is not there.
fn stored(mut hash: &[u8]) -> Option<Ledger> {
    let mut texts = Vec::new();
    while let Some((length, rest)) = hash.split_first_chunk() {
        let (text, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        texts.push(text);
        hash = rest;
    }
    let fields = texts.chunks_exact(2).map(|pair| (pair[0], pair[1]));
    (!texts.is_empty()).then(|| Ledger::parse(fields).expect("a ledger"))
}

fn check(key: &str, message: &Renewal, (reply, pushes): (&[i64], &[String]), outcome: Outcome) {
    let answer = script::read_reply(reply).expect("a reply");
    assert_eq!(answer, outcome.answer, "{key}: the answer to {message:?}");
    let pushes = pushes.iter().map(|push| {
        let (ledger, push) = script::read_push(push).expect("a push");
        assert_eq!(ledger, key);
        push
    });
    assert_eq!(sort(pushes.collect()), sort(outcome.pushes), "{key}: the pushes for {message:?}");
}

/// Asserts that the limit is kept, and that the sums of the ledger are those of its nodes. Returns all shares.
fn assert_sound(held: u64, ledger: Option<&Ledger>, outcome: &Outcome) -> u64 {
    let Some(view) = ledger.map(Ledger::view) else { return 0 };
    let shares = view.nodes.iter().map(|node| u64::from(node.share)).sum::<u64>();
    assert!(view.learning || shares <= held.max(view.limit.into()), "{outcome:?} {view:?}");
    if outcome.answer.verdict == Verdict::Accepted {
        let running = view.nodes.iter().map(|node| u64::from(node.running)).sum::<u64>();
        assert_eq!(u64::from(outcome.answer.in_use), running.min(u32::MAX.into()));
        assert_eq!(outcome.answer.nodes as usize, view.nodes.len());
        assert!(view.nodes.iter().all(|node| view.limit <= node.limit), "{view:?}");
    }
    shares
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
fn they_agree_on_random_messages() {
    let Some(server) = RedisServer::start() else { return };
    let mut connection = server.connect();
    let hash = load(&mut connection, COMPARED);
    let mut random = Random(15);
    let mut seen = BTreeMap::<&str, u32>::new();
    for number in 0..400 {
        let mut fleet = Fleet::new(number, &mut random);
        let mut pipeline = redis::pipe();
        let mut expected = Vec::new();
        let mut held = 0;
        for _ in 0..260 {
            if random.happens(5) {
                fleet.slot = None;
                held = 0;
                pipeline.cmd("DEL").arg(&fleet.key).ignore();
            }
            fleet.let_time_pass(&mut random);
            let times = fleet.times(&mut random);
            let (index, message) = fleet.message(&mut random);
            pipeline.add_command(command(&hash, &fleet.key, &times, &fleet.server, &message, true));
            let outcome = Ledger::renew(&mut fleet.slot, &times, &fleet.server, &message);
            held = assert_sound(held, fleet.slot.as_ref(), &outcome);
            for kind in kinds(&outcome, fleet.slot.as_ref()) {
                *seen.entry(kind).or_default() += 1;
            }
            fleet.hear(index, &outcome, &mut random);
            expected.push((message, outcome, fleet.slot.clone()));
        }
        let replies: Vec<Reply> = pipeline.query(&mut connection).expect("the script runs");
        assert_eq!(replies.len(), expected.len());
        for ((reply, pushes, hash), (message, outcome, slot)) in replies.into_iter().zip(expected) {
            check(&fleet.key, &message, (&reply, &pushes), outcome);
            assert_eq!(stored(&hash), slot, "{}: the ledger after {message:?}", fleet.key);
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

/// One ledger twice: in memory, and on a server that gets all messages at the end.
struct Twins {
    limit: u32,
    server: Server,
    slot: Option<Ledger>,
    seq: u64,
    messages: Vec<(Renewal, u64, Outcome)>,
}

impl Twins {
    const TIMES: Times = Times { ttl: 6_000 * MS, hold: 0 };

    fn new(limit: u32) -> Self {
        let now = 1_700_000_000_000_000;
        let server =
            Server { now, uptime: 1_000_000 * MS, replid: "a".repeat(40), promoted: false };
        Self { limit, server, slot: None, seq: 0, messages: Vec::new() }
    }

    fn say(&mut self, node: u32, claim: u32, want: u32) -> &Outcome {
        self.seq += 1;
        let message = Renewal {
            node: NodeId(format!("p#{node}")),
            seq: self.seq,
            claim,
            running: 0,
            want,
            limit: self.limit,
            token: 0,
        };
        let outcome = Ledger::renew(&mut self.slot, &Self::TIMES, &self.server, &message);
        self.messages.push((message, self.server.now, outcome));
        &self.messages[self.messages.len() - 1].2
    }

    fn compare(mut self) {
        let Some(server) = RedisServer::start() else { return };
        let mut connection = server.connect();
        let hash = load(&mut connection, COMPARED);
        let mut pipeline = redis::pipe();
        for (index, (message, now, _)) in self.messages.iter().enumerate() {
            self.server.now = *now;
            let look = index + 1 == self.messages.len();
            pipeline.add_command(command(&hash, "a", &Self::TIMES, &self.server, message, look));
        }
        let replies: Vec<Reply> = pipeline.query(&mut connection).expect("the script runs");
        assert_eq!(stored(&replies.last().expect("a reply").2), self.slot);
        for ((reply, pushes, _), (message, _, outcome)) in replies.iter().zip(self.messages) {
            check("a", &message, (reply, pushes), outcome);
        }
    }
}

#[test]
fn they_agree_on_thousands_of_nodes() {
    const NODES: u32 = 2_500;
    let mut twins = Twins::new(2 * NODES);
    // The first node has the whole limit, and the others queue. It gives the limit back, and they get some of it.
    for node in 0..NODES {
        twins.server.now += 100;
        twins.say(node, 0, 2);
    }
    twins.say(0, 0, 0);
    for claim in [0, 2] {
        for node in 1..NODES {
            twins.server.now += 100;
            twins.say(node, claim, node % 3);
        }
    }
    // All nodes with idle permits must hear of the last one.
    twins.server.now += 200 * MS;
    let asked = twins.say(NODES, 0, u32::MAX).pushes.len();
    assert!(asked > 1_000, "{asked} nodes are asked");
    twins.compare();
}

#[test]
fn they_agree_on_a_permit_that_lies_about() {
    for wait in [Times::QUANTUM - 1, Times::QUANTUM] {
        let mut twins = Twins::new(20);
        twins.say(0, 0, 20);
        for node in 1..42 {
            twins.server.now += 10 * MS;
            twins.say(node, 0, 1);
        }
        twins.server.now += 100 * MS;
        twins.say(42, 0, 1);
        // The heads of the queue get a permit each. Four permits are left.
        assert_eq!(twins.say(0, 0, 0).pushes.len(), 16);
        twins.server.now += wait;
        assert_eq!(twins.say(42, 0, 1).answer.share, u32::from(wait == Times::QUANTUM));
        twins.compare();
    }
}
