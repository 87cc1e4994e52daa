//! The figures of limiters: what is counted, and how it is shown.
//!
//! Nothing here is on the fast path. The semaphore's word counts the calls that are admitted at once. Calls
//! that take the semaphore's lock count everything else under it.
//!
//! There is one set of figures. [`Usage`] is what is so at one moment, [`Counters`] is what only grows,
//! and a [`Reading`] is both, of one semaphore. [`Totals`] adds up the counters of a limiter's name, and
//! [`Figures`] is a summary for people.

mod counters;
mod histogram;
mod reading;
mod snapshot;
mod totals;

pub use counters::{Counters, LimitChanges, RejectedCounts, ShadowedCounts};
pub use histogram::{Histogram, WaitTimes};
pub use reading::{KeyReading, LimiterReading, RuntimeReading};
pub use snapshot::{Figures, RuntimeSnapshot, Snapshot};
pub use totals::Totals;

/// The use of a limiter's permits at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// The number of permits. With keys, the number for each key.
    pub limit: usize,
    /// The permits that are out.
    pub in_use: usize,
    /// The calls that wait.
    pub waiting: usize,
    /// The keys that have holders or waiters, or starts whose window is not over. 0 without keys.
    pub keys: usize,
}

impl Usage {
    /// Adds what is in use elsewhere. The limit stays: each runtime has its own.
    pub(crate) fn add(&mut self, other: Self) {
        self.in_use += other.in_use;
        self.waiting += other.waiting;
        self.keys += other.keys;
    }
}

/// The figures of one semaphore at one moment.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Whether the semaphore is bound to a limit.
    pub(crate) bound: bool,
    pub(crate) usage: Usage,
    /// Counters since the semaphore was bound.
    pub(crate) current: Counters,
    /// Counters of former bindings: of runtimes that have ended.
    pub(crate) past: Counters,
}
