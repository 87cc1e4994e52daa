//! The times at which a node tries again.

use crate::message::{NodeId, Times};

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
    pub(super) fn spread(&self, time: u64, seq: u64) -> u64 {
        time - time / 4 * (mix(self.seed ^ seq) % 1024) / 1024
    }

    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    pub(super) fn retry_at(&self) -> Option<u64> {
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
