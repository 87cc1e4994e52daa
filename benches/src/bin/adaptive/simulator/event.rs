//! The events of a run, in the order of their times.

use std::cmp::Ordering;

#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Phase(usize),
    /// A limiter's load begins.
    Join(usize),
    /// A call comes to a limiter, if its load is of this phase.
    Arrive(usize, usize),
    /// A call comes to the backend.
    Reach(usize),
    /// A call's work is done.
    Done(usize),
    /// The backend refused a call.
    Refused(usize),
    Tick(usize),
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) at: f64,
    pub(super) number: u64,
    pub(super) event: Event,
}

impl Ord for Entry {
    /// The earliest is the greatest; among equals, the one that was scheduled first.
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.total_cmp(&self.at).then(other.number.cmp(&self.number))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}
