//! When a node speaks.

use super::{Load, Node};
use crate::message::{NodeId, Times};

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
        let pause = if want > held { self.poll().min(refresh) } else { refresh };
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
    fn owes(&self, now: u64) -> bool {
        let told = &self.told;
        let settled = self.heard && told.claim == 0 && told.want == 0 && told.load.running == 0;
        let end = self.started.map_or(0, |started| started + self.times.term());
        !settled && now < end
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
        let waiting = if self.told.queued > 0 { self.told.queued } else { level };
        POLL.saturating_mul(u64::from(waiting.max(1)))
    }
}

/// The time to wait after messages without an answer. It doubles, and differs between nodes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Backoff {
    failures: u32,
    retry_at: u64,
    seed: u64,
}

impl Backoff {
    const FIRST: u64 = 50_000;

    pub(super) fn new(id: &NodeId) -> Self {
        // FNV-1a: the same id gives the same times on every platform, which a test can rely on.
        let seed = id.0.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self { failures: 0, retry_at: 0, seed }
    }

    /// Notes a failure, and chooses the time of the next attempt.
    pub(super) fn fail(&mut self, now: u64, times: Times) {
        let full = (Self::FIRST << self.failures.min(20)).min((times.ttl / 3).max(2));
        self.failures = self.failures.saturating_add(1);
        self.seed = mix(self.seed);
        // Half of the time is fixed, half is drawn: forty nodes that lose a server together come back
        // one after another.
        self.retry_at = now.saturating_add(full / 2 + self.seed % (full / 2));
    }

    /// Shortens a time by up to a quarter, so that nodes that began together do not stay together.
    fn spread(&self, time: u64, seq: u64) -> u64 {
        time - time / 4 * (mix(self.seed ^ seq) % 1024) / 1024
    }

    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    fn retry_at(&self) -> Option<u64> {
        (self.failures > 0).then_some(self.retry_at)
    }
}

/// Mixes the bits of a number (the finaliser of `SplitMix64`).
pub(super) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
