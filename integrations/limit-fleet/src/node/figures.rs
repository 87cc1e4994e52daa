//! The figures of a node, for people.

use super::{Node, Told};
use crate::message::Times;

/// A node's state, and the fleet's as the ledger last said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// The share, while its lease lasts.
    pub share: u32,
    /// The share that the node keeps while others queue.
    pub target: u32,
    /// The calls that the node wanted permits for, when it last spoke.
    pub want: u32,
    /// The time since the lease was begun. `None` without a lease.
    pub lease_age: Option<u64>,
    /// The nodes that queue.
    pub queued: u32,
    /// The nodes that are recorded.
    pub nodes: u32,
    /// The limit in force. `None` before the first answer.
    pub limit: Option<u32>,
    /// The largest limit that a node wants. `None` before the first answer.
    pub most: Option<u32>,
    /// The process's own opinion of the limit.
    pub own_limit: u32,
    /// The calls that run in the fleet.
    pub in_use: u32,
    /// `true` if the ledger learns, and grants nothing.
    pub learning: bool,
    /// The messages without an answer since the last one.
    pub failures: u32,
    /// The times of the ledger, if they differ from the node's: the node gets no share.
    pub other_times: Option<Times>,
}

impl Figures {
    /// Returns whether another node has another opinion of the limit.
    #[must_use]
    pub fn disagrees(&self) -> bool {
        [self.limit, self.most].into_iter().flatten().any(|limit| limit != self.own_limit)
    }
}

impl Node {
    /// Forgets what the ledger has said of the fleet, if that does not know the node any more.
    ///
    /// The driver calls it when nothing is due: nobody tells such a node of the fleet again, and old figures would look
    /// like those of now.
    pub fn forget_fleet(&mut self, now: u64) {
        if self.attempt.is_none() && now >= self.deadline && !self.owes(now) {
            self.told = Told { own_limit: self.limit, ..Told::default() };
            self.target = 0;
        }
    }

    /// Returns what the node knows at `now`.
    #[must_use]
    pub fn figures(&self, now: u64) -> Figures {
        let told = &self.told;
        let begun = self.deadline.saturating_sub(self.lease());
        Figures {
            share: self.share(now),
            target: self.target,
            want: told.want,
            lease_age: (now < self.deadline).then(|| now.saturating_sub(begun)),
            queued: told.queued,
            nodes: told.nodes,
            limit: (told.nodes > 0).then_some(told.limit),
            most: (told.nodes > 0).then_some(told.most),
            own_limit: self.limit,
            in_use: told.in_use,
            learning: told.learning,
            failures: self.backoff.failures(),
            other_times: self.other_times,
        }
    }
}
