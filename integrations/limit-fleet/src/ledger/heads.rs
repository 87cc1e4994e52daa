//! The first nodes of the queue.

use crate::message::NodeId;

/// The first nodes of the queue in their order, so that a permit finds them without a scan.
///
/// It is always an exact beginning of the queue: no node that queues is missing between two that are there. Nodes
/// behind the last one may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Heads(pub(super) Vec<(u64, NodeId)>);

impl Heads {
    /// The most nodes that are kept. The next scan finds the others.
    pub(super) const MOST: usize = 16;

    /// Returns how many nodes stand before `ticket`, which is none of them, in a queue of `queued` nodes.
    ///
    /// Behind the last known node the count is the whole queue.
    pub(super) fn before(&self, ticket: u64, queued: u32) -> u32 {
        self.index(ticket, queued).map_or(queued, |index| u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// Adds a node that has come into a queue of `queued` nodes.
    pub(super) fn insert(&mut self, ticket: u64, node: &NodeId, queued: u32) {
        if let Some(index) = self.index(ticket, queued) {
            self.0.insert(index, (ticket, node.clone()));
            self.0.truncate(Self::MOST);
        }
    }

    /// Removes a node that has left the queue.
    pub(super) fn remove(&mut self, node: &NodeId) {
        self.0.retain(|(_, head)| head != node);
    }

    fn index(&self, ticket: u64, queued: u32) -> Option<usize> {
        let index = self.0.partition_point(|(head, _)| *head < ticket);
        let complete = u32::try_from(self.0.len()) == Ok(queued);
        (index < self.0.len() || complete).then_some(index)
    }
}
