//! The content of a ledger, for people.

use super::Ledger;
use crate::message::NodeId;

/// The state of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The limit in force: the smallest of the recorded nodes. After that one has left, it may be too low until the next
    /// message.
    pub limit: u32,
    /// `true` if the ledger learns, and grants nothing.
    pub learning: bool,
    /// The server's clock at the last message, in microseconds since 1970. Between messages ledger time stands still, so
    /// what the ledger holds is as old as this.
    pub last: u64,
    /// The nodes that are recorded, in the order of their names.
    pub nodes: Vec<NodeView>,
}

/// One node of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// The node.
    pub id: NodeId,
    /// Its share.
    pub share: u32,
    /// The calls that ran when it spoke last.
    pub running: u32,
    /// The calls that ran or waited when it spoke last.
    pub want: u32,
    /// Its opinion of the limit.
    pub limit: u32,
    /// The ledger time until its share comes back, in microseconds, if it stays silent.
    pub left: u64,
    /// Its ticket, if it queues. The smallest ticket is served first.
    pub ticket: Option<u64>,
}

impl Ledger {
    /// Returns what the ledger holds.
    #[must_use]
    pub fn view(&self) -> View {
        View {
            limit: self.limit,
            learning: self.is_learning(),
            last: self.last,
            nodes: self
                .nodes
                .iter()
                .map(|(id, record)| NodeView {
                    id: id.clone(),
                    share: record.share,
                    running: record.running,
                    want: record.want,
                    limit: record.limit,
                    left: record.end.saturating_sub(self.time),
                    ticket: record.is_queued(self.level).then_some(record.ticket),
                })
                .collect(),
        }
    }
}
