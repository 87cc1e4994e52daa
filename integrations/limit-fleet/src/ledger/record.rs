//! The record of one node.

use super::level::Level;

/// A node, as its last message said.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Record {
    pub(super) share: u32,
    pub(super) running: u32,
    pub(super) want: u32,
    pub(super) seq: u64,
    /// The ledger time at which the record ends.
    pub(super) end: u64,
    /// The node's opinion of the limit.
    pub(super) limit: u32,
    /// The node's place: of two nodes that queue, the one with the smaller ticket is first. Each node has a ticket,
    /// because a new level may put it into the queue without a message.
    pub(super) ticket: u64,
    /// The ticket before the node was raised. It counts again if the push did not arrive.
    pub(super) former_ticket: u64,
    /// The token of the push that raised the node after its last message; 0 without one.
    pub(super) raised: u64,
    /// The mark that the node has heard of while nodes queued. See [`Record::mark`].
    pub(super) heard: u32,
}

impl Record {
    /// Says in [`Record::heard`] that the node has heard of no queue.
    pub(super) const NOTHING: u32 = u32::MAX;

    /// Returns the permits that the node is charged with.
    pub(super) fn charge(&self) -> u32 {
        self.share.max(self.running)
    }

    /// Returns whether the node queues.
    pub(super) fn is_queued(&self, level: Level) -> bool {
        self.share < self.want.min(level.high)
    }

    /// Returns the share to which a node that others wait for can come down at once: it is not above its target, and
    /// has no idle permit.
    pub(super) fn mark(&self, level: Level) -> u32 {
        self.running.min(level.low)
    }

    /// Returns the ticket with which the node still waits for its turn, when its next message has come with `token`.
    pub(super) fn turn(&self, token: u64, level: Level) -> Option<u64> {
        if self.raised > token {
            // The push and the message crossed. The node does not know of its turn, so it keeps it.
            Some(self.former_ticket)
        } else {
            self.is_queued(level).then_some(self.ticket)
        }
    }
}
