//! What is counted, and how it is shown.
//!
//! Nothing here is on the fast path: calls that are admitted at once are counted by the semaphore's
//! word, everything else under the semaphore's lock by calls that had to take it anyway.

#[cfg(any(feature = "_exporters", feature = "console"))]
mod export;
#[cfg(any(feature = "_exporters", feature = "console"))]
mod former;
mod histogram;
mod snapshot;

#[cfg(feature = "_exporters")]
pub(crate) use export::{Export, Part};
#[cfg(feature = "_exporters")]
pub(crate) use former::FormerByName;
#[cfg(any(feature = "_exporters", feature = "console"))]
pub(crate) use former::{Former, FormerNames};
pub(crate) use histogram::Histogram;
pub use histogram::WaitTimes;
pub use snapshot::{
    Figures, LimitChanges, RejectedCounts, RuntimeSnapshot, ShadowedCounts, Snapshot,
};

/// The counters of one semaphore.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) most_waiting: usize,
    pub(crate) admitted_at_once: u64,
    pub(crate) cancelled: u64,
    pub(crate) rejected: RejectedCounts,
    pub(crate) shadowed: ShadowedCounts,
    /// The waits of those who were admitted after waiting. Made when somebody waits.
    waits: Option<Box<Histogram>>,
}

impl Counters {
    pub(crate) const fn new() -> Self {
        Self {
            most_waiting: 0,
            admitted_at_once: 0,
            cancelled: 0,
            rejected: RejectedCounts::NONE,
            shadowed: ShadowedCounts { waited: 0, rejected: RejectedCounts::NONE },
            waits: None,
        }
    }

    /// Counts a call that was admitted after it had waited for so many nanoseconds.
    pub(crate) fn count_wait(&mut self, waited: u64) {
        self.waits.get_or_insert_with(Box::default).record(waited);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.most_waiting = self.most_waiting.max(other.most_waiting);
        self.admitted_at_once += other.admitted_at_once;
        self.cancelled += other.cancelled;
        self.rejected.add(&other.rejected);
        self.shadowed.waited += other.shadowed.waited;
        self.shadowed.rejected.add(&other.shadowed.rejected);
        match (&mut self.waits, &other.waits) {
            (Some(mine), Some(theirs)) => mine.add(theirs),
            (mine @ None, Some(theirs)) => *mine = Some(theirs.clone()),
            (_, None) => {}
        }
    }

    fn figures(&self, limit: usize, in_use: usize, waiting: usize, keys: usize) -> Figures {
        let wait = self.waits.as_deref().map(Histogram::times).unwrap_or_default();
        Figures {
            limit,
            in_use,
            waiting,
            keys,
            most_waiting: self.most_waiting,
            admitted_at_once: self.admitted_at_once,
            admitted_after_waiting: wait.count,
            cancelled: self.cancelled,
            rejected: self.rejected,
            shadowed: self.shadowed,
            wait,
        }
    }
}

/// What one semaphore shows at one moment.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Whether it has a limit at present.
    pub(crate) bound: bool,
    pub(crate) limit: usize,
    pub(crate) in_use: usize,
    pub(crate) waiting: usize,
    /// How many keys have holders or waiters.
    pub(crate) keys: usize,
    /// Since it was bound.
    pub(crate) current: Counters,
    /// Of former runtimes.
    pub(crate) past: Counters,
}

impl Reading {
    /// Without those of former runtimes.
    pub(crate) fn figures(&self) -> Figures {
        self.current.figures(self.limit, self.in_use, self.waiting, self.keys)
    }
}

/// Several semaphores' readings together.
#[derive(Debug)]
pub(crate) struct Totals {
    pub(crate) in_use: usize,
    pub(crate) waiting: usize,
    pub(crate) keys: usize,
    pub(crate) counters: Counters,
}

impl Totals {
    pub(crate) const fn new() -> Self {
        Self { in_use: 0, waiting: 0, keys: 0, counters: Counters::new() }
    }

    pub(crate) fn add(&mut self, reading: &Reading) {
        self.add_current(reading);
        self.counters.add(&reading.past);
    }

    /// Without those of former runtimes.
    fn add_current(&mut self, reading: &Reading) {
        self.in_use += reading.in_use;
        self.waiting += reading.waiting;
        self.keys += reading.keys;
        self.counters.add(&reading.current);
    }

    pub(crate) fn figures(&self, limit: usize) -> Figures {
        self.counters.figures(limit, self.in_use, self.waiting, self.keys)
    }
}
