//! The facts that are recorded of a call.

use super::agent::is_later_of_thread;
use super::clock::Moment;
use super::site::Kind;
use std::panic::Location;

/// The data of a recorded call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Info {
    /// The number of the record. No other has it.
    pub(crate) id: u64,
    /// The limiter's index.
    pub(crate) limiter: Option<u32>,
    /// The call's slot at the semaphore, if it has one.
    pub(crate) slot: Option<u32>,
    /// The semaphore's number.
    pub(crate) semaphore: usize,
    pub(crate) site: &'static Location<'static>,
    pub(crate) since: Moment,
    /// The number of the record of the innermost future that we polled when the call was made, 0 for none.
    pub(crate) under: u64,
    pub(crate) weight: u32,
    /// How deep the call was polled when it was admitted or began to wait: see [`PollPoint`].
    pub(crate) depth: u32,
    pub(crate) kind: Kind,
    /// `true` if the call holds permits, `false` if it waits.
    pub(crate) holds: bool,
    /// `true` if the call waits for no longer than a time.
    pub(crate) gives_up: bool,
    /// `true` if the hold time is counted. Then `since` is exact.
    pub(crate) is_sample: bool,
}

impl Info {
    /// Returns a key that sorts calls by age, the oldest first.
    pub(crate) fn age_key(&self) -> (Moment, u64) {
        (self.since, self.id)
    }

    /// Returns whether the call began after another one of its agent. Threads may be given one moment by the clock:
    /// then it is not known of two threads, and the answer is `false`.
    pub(crate) fn began_after(&self, other: &Self) -> bool {
        self.since > other.since
            || self.since == other.since && is_later_of_thread(self.id, other.id)
    }
}
