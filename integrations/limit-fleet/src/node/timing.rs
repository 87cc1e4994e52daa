//! When a node speaks.

use super::Node;
use super::load::Load;
use crate::message::Times;

/// The time between two messages of a waiting node, for each node that queues.
///
/// Ledger time moves by δ with a message at the most, so it falls behind in pauses that are longer.
/// Nodes do not take turns: their messages come at random, and at δ / 2 each seventh pause is longer.
const POLL: u64 = Times::STEP / 3;

impl Node {
    /// Returns the moment at which to look again: a message is due if it is not later than `now`.
    ///
    /// `None` means never, until a call, an answer or a push changes something. A node that is idle
    /// and holds nothing says nothing.
    #[must_use]
    pub fn speaks_at(&self, now: u64, load: Load) -> Option<u64> {
        if self.attempt.is_some() {
            return None;
        }
        let held = self.share(now);
        let want = self.want(now, load);
        let started = match self.started {
            Some(started) if held > 0 || want > 0 || load.running > 0 || self.owes(now) => started,
            None if want > 0 => return Some(now),
            _ => return None,
        };
        if let Some(retry_at) = self.backoff.retry_at() {
            return Some(retry_at);
        }
        if self.asked || self.wants_more(now, want) || self.has_surplus(now, load) {
            return Some(now);
        }
        if held == 0 && want == 0 && load.running == 0 || self.told.own_limit != self.limit {
            return Some(now);
        }
        let refresh = self.refresh();
        // With a limit of 0 of its own the node can get nothing. It speaks at once when the limit is raised.
        let polls = want > held && self.limit > 0;
        let pause = if polls { self.poll().min(refresh) } else { refresh };
        let mut at = started.saturating_add(self.backoff.spread(pause, self.seq));
        if self.contended() && now < self.quantum_end {
            at = at.min(self.quantum_end);
        }
        Some(at)
    }

    /// Returns the time between two messages of a node that has what it wants.
    pub(super) fn refresh(&self) -> u64 {
        self.refresh
    }

    /// Tells whether the ledger may have something recorded for a node that holds nothing.
    pub(super) fn owes(&self, now: u64) -> bool {
        let told = &self.told;
        let settled = self.heard && told.claim == 0 && told.want == 0 && told.load.running == 0;
        !settled && now < self.owed_until
    }

    /// Tells whether calls want more than the share, and the ledger does not know it.
    fn wants_more(&self, now: u64, want: u32) -> bool {
        want > self.share(now) && (self.told.want <= self.share || now >= self.deadline)
    }

    /// Tells whether the node is charged with what it may not use now, while somebody queues.
    fn has_surplus(&self, now: u64, load: Load) -> bool {
        let held = self.share(now);
        let charged = held.max(self.told.load.running);
        (self.contended() || self.left)
            && charged > load.running.max(self.usable(now, load).min(held))
    }

    /// Returns the time between two messages while calls wait.
    fn poll(&self) -> u64 {
        // Where nobody queues, the nodes at the level wait for one another. There are at most as many
        // as shares of this size fit into the limit.
        let level = self.told.nodes.min(self.told.limit / self.share.max(1));
        let waiting = match (self.told.queued, self.told.limit) {
            // Nobody queues for a limit of 0 of another node, but all may wait. Ledger time must go on all the same:
            // that node may be dead.
            (0, 0) => self.told.nodes,
            (0, _) => level,
            (queued, _) => queued,
        };
        POLL.saturating_mul(u64::from(waiting.max(1)))
    }
}
