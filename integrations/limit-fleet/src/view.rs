//! A ledger as a reader sees it: for the command, the page and figures.

use crate::message::{NodeId, Times};

/// The state of a ledger, as it was read.
///
/// A reader changes nothing. So the ledger's time, and with it the rest of each lease, is that of the last
/// message to this ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct View {
    /// The limit in force: the smallest of the recorded nodes. 0 if there are none.
    pub limit: u32,
    /// The times that its nodes have in common.
    pub times: Times,
    /// The time for which the ledger still learns and grants nothing, in microseconds. 0 if it does not learn.
    pub learning: u64,
    /// The last token.
    pub token: u64,
    /// The recorded nodes, in the order of their names.
    pub nodes: Vec<NodeView>,
}

/// A node of a ledger, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeView {
    /// The node.
    pub node: NodeId,
    /// The permits that are leased to it.
    pub share: u32,
    /// The calls that run in it, as it last said.
    pub running: u32,
    /// The running and waiting calls in it, as it last said.
    pub want: u32,
    /// Its opinion of the limit.
    pub limit: u32,
    /// The time until the ledger takes its share back, in microseconds of ledger time.
    pub left: u64,
    /// Its position in the queue, from 1. `None` if it does not queue.
    pub position: Option<u32>,
}

impl View {
    /// Returns an empty ledger with these times.
    #[must_use]
    pub const fn new(times: Times) -> Self {
        Self { limit: 0, times, learning: 0, token: 0, nodes: Vec::new() }
    }

    /// Returns the permits that are leased in all.
    #[must_use]
    pub fn leased(&self) -> u64 {
        self.sum(|node| node.share)
    }

    /// Returns the calls that run in all nodes, as they last said.
    #[must_use]
    pub fn running(&self) -> u64 {
        self.sum(|node| node.running)
    }

    /// Returns the running and waiting calls in all nodes, as they last said.
    #[must_use]
    pub fn want(&self) -> u64 {
        self.sum(|node| node.want)
    }

    /// Returns the nodes that queue.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.nodes.iter().filter(|node| node.position.is_some()).count()
    }

    fn sum(&self, of: impl Fn(&NodeView) -> u32) -> u64 {
        self.nodes.iter().map(|node| u64::from(of(node))).sum()
    }
}
