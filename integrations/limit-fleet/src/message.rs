//! The messages between a node and a ledger.
//!
//! All times are whole microseconds. A moment is counted from a beginning that only its clock knows.

use std::fmt;

/// The times that all nodes of a ledger must have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Times {
    /// The time for which an answer leases a share, from the moment at which its message was begun.
    pub ttl: u64,
    /// The time for which the ledger keeps a share after `ttl`.
    pub hold: u64,
}

impl Times {
    /// The most by which ledger time moves between two messages: δ.
    pub const STEP: u64 = 200_000;
    /// The time for which a permit that a node got in its turn stays with it: the quantum.
    pub const QUANTUM: u64 = 50_000;

    /// Returns the time for which the ledger keeps a share after a message: T.
    #[must_use]
    pub const fn term(&self) -> u64 {
        self.ttl + self.hold
    }

    /// Returns the time by which a node ends its lease before the ledger does.
    #[must_use]
    pub const fn margin(&self) -> u64 {
        2 * Self::STEP + self.ttl / 10
    }
}

/// The identity of a node: one start of one process, for one ledger.
///
/// The text before the last `#` is the process; pushes go to the process. What stands after it is a
/// number that the process changes when it takes a new identity. The text contains no spaces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub String);

impl NodeId {
    /// Returns the part that names the process.
    #[must_use]
    pub fn process(&self) -> &str {
        self.0.rsplit_once('#').map_or(&*self.0, |(process, _)| process)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A message of a node: its whole state, so that a repeated, late or lost message does no harm.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Renewal {
    /// The node.
    pub node: NodeId,
    /// A number that grows with each attempt.
    pub seq: u64,
    /// The share that the node still holds after it has lowered itself. 0 when its lease is over.
    pub claim: u32,
    /// The calls that run, with or without a lease.
    pub running: u32,
    /// Running and waiting calls, without a spare.
    pub want: u32,
    /// The node's opinion of the limit.
    pub limit: u32,
    /// The last token that the node has seen.
    pub token: u64,
}

/// The ledger's decision about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The message was taken.
    Accepted,
    /// The message was older than one that was taken before.
    Refused,
    /// The ledger has other times. Nothing was written.
    OtherTimes(Times),
}

/// The ledger's answer to a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    /// The number of the message.
    pub seq: u64,
    /// The decision about it.
    pub verdict: Verdict,
    /// The node's share.
    pub share: u32,
    /// The share that the node keeps while others queue. A share above it that the node was granted in a queue is the
    /// 1 more, in its turn, for a quantum.
    pub target: u32,
    /// The nodes that queue.
    pub queued: u32,
    /// The nodes that are recorded.
    pub nodes: u32,
    /// `true` if the ledger learns, and grants nothing.
    pub learning: bool,
    /// The token, which grows with each grant.
    pub token: u64,
    /// The limit in force: the smallest of the recorded nodes.
    pub limit: u32,
    /// The calls that run in the fleet, as far as the ledger knows.
    pub in_use: u32,
    /// The largest limit that a recorded node wants. A ledger may know it a quarter of a second late.
    pub most: u32,
}

impl Answer {
    /// Returns an answer that says nothing but its verdict.
    pub(crate) const fn refuse(seq: u64, verdict: Verdict) -> Self {
        Self {
            seq,
            verdict,
            share: 0,
            target: 0,
            queued: 0,
            nodes: 0,
            learning: false,
            token: 0,
            limit: 0,
            in_use: 0,
            most: 0,
        }
    }
}

/// A message of the ledger to a node that has not asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Push {
    /// The node.
    pub node: NodeId,
    /// The number of the node's message that the ledger has recorded.
    pub seq: u64,
    /// The share that the node was raised to, with the 1 more; `None` asks the node to speak.
    pub share: Option<u32>,
    /// The token of this grant; 0 if the node is asked to speak. A node that takes the push remembers the token and sends
    /// it with its next message. So the ledger sees whether the push arrived in time.
    pub token: u64,
}

/// The state of the server on which the ledger lies, for one message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// The server's wall clock.
    pub now: u64,
    /// The time since the server was started.
    pub uptime: u64,
    /// The replication id.
    pub replid: String,
    /// `true` if the server was ever promoted from a replica, or started from a file.
    pub promoted: bool,
}
