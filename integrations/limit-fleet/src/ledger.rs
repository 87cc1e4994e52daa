//! The ledger of one limit: it says which node has which share.
//!
//! This is the ledger in memory. The script for Redis does the same, step by step, and a test compares both. So each
//! step here is one that a script can do on a hash: a message reads and writes the ledger's own state and the record of
//! its node, and all records only in a scan.
//!
//! The ledger knows its own time alone. It moves with the server's clock, but never back, and by [`Times::STEP`] at the
//! most for each message.

mod grant;
mod heads;
mod level;
mod record;
mod scan;
mod stored;
mod tell;
mod view;

use std::collections::BTreeMap;

use self::{heads::Heads, level::Level, record::Record};
pub use self::{
    stored::Malformed,
    view::{NodeView, View},
};
use crate::message::{Answer, NodeId, Push, Renewal, Server, Times, Verdict};

/// A ledger in memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ledger {
    /// The replication id of the server that wrote last.
    replid: String,
    times: Times,
    /// Ledger time.
    time: u64,
    /// The server's clock at the last message.
    last: u64,
    /// The ledger time at which learning ends.
    learning_until: u64,
    level: Level,
    /// The ledger time of the last scan.
    scanned: u64,
    /// The ledger time at which no permit was free for the last time.
    busy: u64,
    /// The sum of all charges.
    charges: u64,
    /// The sum of all running calls.
    running: u64,
    /// The sum of all wants.
    wanted: u64,
    /// The nodes that queue.
    queued: u32,
    /// The limit in force. Between two scans it may be too low, never too high.
    limit: u32,
    /// The largest limit that a node wants. Between two scans it may be too large, never too small.
    most: u32,
    token: u64,
    /// The number of tickets that were given out.
    tickets: u64,
    heads: Heads,
    nodes: BTreeMap<NodeId, Record>,
}

/// The result of a message: the answer to its node, and what other nodes must be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The answer.
    pub answer: Answer,
    /// The messages to other nodes.
    pub pushes: Vec<Push>,
}

impl Ledger {
    /// Takes a message of a node, and decides its share.
    ///
    /// `slot` is where the ledger lies. Without a ledger a new one begins there. The ledger deletes itself when all
    /// nodes have given everything back and want nothing.
    #[must_use]
    pub fn renew(
        slot: &mut Option<Self>,
        times: &Times,
        server: &Server,
        renewal: &Renewal,
    ) -> Outcome {
        let ledger = slot.get_or_insert_with(|| Self::new(times, server, renewal));
        if ledger.replid != server.replid {
            // Another server may have answered meanwhile, and its writes may be lost.
            ledger.replid.clone_from(&server.replid);
            ledger.learning_until = ledger.time + ledger.times.term();
        }
        ledger.time += server.now.saturating_sub(ledger.last).min(Times::STEP);
        ledger.last = server.now;
        if ledger.times != *times {
            if ledger.is_in_use() {
                return Outcome {
                    answer: Answer::refuse(renewal.seq, Verdict::OtherTimes(ledger.times)),
                    pushes: Vec::new(),
                };
            }
            // All nodes with those times are gone, perhaps killed, and no lease of theirs lasts.
            let learns = renewal.claim > 0;
            *ledger = Self { token: ledger.token, ..Self::begin(times, server, renewal, learns) };
        }
        if ledger.free() <= 0 {
            // The permits that this message frees were not free until now.
            ledger.busy = ledger.time;
        }
        let outcome = ledger.take(server.now, renewal);
        // A ledger that begins again must not have to learn: that would cost its first user the time T.
        if outcome.answer.verdict == Verdict::Accepted
            && ledger.is_left()
            && !must_learn(times, server)
        {
            *slot = None;
        }
        outcome
    }

    /// Begins a ledger. Its first message finds no node in it.
    fn new(times: &Times, server: &Server, renewal: &Renewal) -> Self {
        // A claim, a young server and a promoted one say that there may have been a ledger, which is lost.
        let learns = renewal.claim > 0 || must_learn(times, server);
        Self::begin(times, server, renewal, learns)
    }

    fn begin(times: &Times, server: &Server, renewal: &Renewal, learns: bool) -> Self {
        Self {
            replid: server.replid.clone(),
            times: *times,
            time: 0,
            last: server.now,
            learning_until: if learns { times.term() } else { 0 },
            level: Level::default(),
            scanned: 0,
            busy: 0,
            charges: 0,
            running: 0,
            wanted: 0,
            queued: 0,
            limit: renewal.limit,
            most: renewal.limit,
            token: 0,
            tickets: 0,
            heads: Heads::default(),
            nodes: BTreeMap::new(),
        }
    }

    fn take(&mut self, now: u64, renewal: &Renewal) -> Outcome {
        if self.nodes.get(&renewal.node).is_some_and(|record| record.end <= self.time) {
            self.remove(&renewal.node);
        }
        if self.nodes.get(&renewal.node).is_some_and(|record| renewal.seq <= record.seq) {
            return Outcome {
                answer: self.answer(renewal, Verdict::Refused, 0, 0),
                pushes: Vec::new(),
            };
        }
        // From here to the record, all sums are those of the other nodes.
        let former = self.remove(&renewal.node);
        let claim = if self.is_learning() {
            renewal.claim
        } else {
            renewal.claim.min(former.as_ref().map_or(0, |record| record.share))
        };
        (self.limit, self.most) = if self.nodes.is_empty() {
            (renewal.limit, renewal.limit)
        } else {
            (self.limit.min(renewal.limit), self.most.max(renewal.limit))
        };
        let scanned = self.is_scan_due(renewal, claim);
        if scanned {
            self.scan(renewal);
        }

        let turn = former.and_then(|record| record.turn(renewal.token, self.level));
        let grant = self.grant(renewal, claim, turn);
        self.token = self.token.max(renewal.token);
        if grant.share > claim {
            self.token = self.token.max(now) + 1;
        }
        // Others that are raised get tokens above this one.
        let token = self.token;
        self.record(renewal, claim, turn, grant.share);
        let mut pushes = Vec::new();
        if !self.is_learning() {
            pushes = self.tell(now, &renewal.node, scanned);
            self.note_heard(&renewal.node);
        }
        if self.free() <= 0 {
            self.busy = self.time;
        }
        let answer = self.answer(renewal, Verdict::Accepted, grant.share, grant.target);
        Outcome { answer: Answer { token, ..answer }, pushes }
    }

    fn record(&mut self, renewal: &Renewal, claim: u32, turn: Option<u64>, share: u32) {
        let mut record = Record {
            share,
            running: renewal.running,
            want: renewal.want,
            seq: renewal.seq,
            end: self.time + self.times.term(),
            limit: renewal.limit,
            ticket: 0,
            former_ticket: 0,
            raised: 0,
            heard: Record::NOTHING,
        };
        record.ticket = match turn {
            Some(turn) if share == claim && record.is_queued(self.level) => turn,
            _ => self.draw(),
        };
        self.insert(renewal.node.clone(), record);
    }

    /// Notes that the answer to a node says whether others queue.
    fn note_heard(&mut self, node: &NodeId) {
        if let (Some(record), true) = (self.nodes.get_mut(node), self.queued > 0) {
            record.heard = record.mark(self.level);
        }
    }

    fn draw(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// Adds a node to the ledger and to all sums.
    fn insert(&mut self, node: NodeId, record: Record) {
        if record.is_queued(self.level) {
            self.heads.insert(record.ticket, &node, self.queued);
            self.queued += 1;
        }
        self.charges += u64::from(record.charge());
        self.running += u64::from(record.running);
        self.wanted += u64::from(record.want);
        self.nodes.insert(node, record);
    }

    /// Removes a node from the ledger and from all sums.
    fn remove(&mut self, node: &NodeId) -> Option<Record> {
        let record = self.nodes.remove(node)?;
        if record.is_queued(self.level) {
            self.heads.remove(node);
            self.queued -= 1;
        }
        self.charges -= u64::from(record.charge());
        self.running -= u64::from(record.running);
        self.wanted -= u64::from(record.want);
        Some(record)
    }

    fn answer(&self, renewal: &Renewal, verdict: Verdict, share: u32, target: u32) -> Answer {
        Answer {
            seq: renewal.seq,
            verdict,
            share,
            target,
            queued: self.queued,
            nodes: u32::try_from(self.nodes.len()).unwrap_or(u32::MAX),
            learning: self.is_learning(),
            token: self.token,
            limit: self.limit,
            in_use: u32::try_from(self.running).unwrap_or(u32::MAX),
            most: self.most,
        }
    }

    const fn is_learning(&self) -> bool {
        self.time < self.learning_until
    }

    /// Returns whether a lease may last: that of a recorded node, or one of which the ledger has yet to hear.
    fn is_in_use(&self) -> bool {
        self.is_learning() || self.nodes.values().any(|record| record.end > self.time)
    }

    /// Returns whether all nodes have given everything back, and want nothing.
    ///
    /// A node that wants something may have no share and not queue either: a limit of 0 holds it up. The ledger must
    /// remember that limit for the others.
    const fn is_left(&self) -> bool {
        self.charges == 0 && self.wanted == 0 && !self.is_learning()
    }

    /// Returns the permits that no node is charged with. Below 0 after the limit was lowered.
    fn free(&self) -> i64 {
        i64::from(self.limit) - i64::try_from(self.charges).unwrap_or(i64::MAX)
    }
}

/// Returns whether a server may have lost a ledger.
const fn must_learn(times: &Times, server: &Server) -> bool {
    server.promoted || server.uptime < times.term()
}
