//! The counters of a limiter's name.

use super::{Counters, Histogram, LimitChanges};

/// The counters of a name, for all limiters that have had it, one after another.
///
/// Metrics backends expect that a counter never goes back. So a limiter that takes a name continues
/// the counters of the last limiter with that name.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Totals {
    /// The counts of the calls.
    pub counters: Counters,
    /// The changes of the limit.
    pub limit_changes: LimitChanges,
    /// The times for which permits were held, of a sample of the calls (feature `diagnostics`).
    pub hold_times: Option<Box<Histogram>>,
}

impl Totals {
    /// Adds other totals.
    pub(crate) fn add(&mut self, other: &Self) {
        self.counters.add(&other.counters);
        self.limit_changes.add(&other.limit_changes);
        if let Some(holds) = &other.hold_times {
            self.hold_times.get_or_insert_with(Box::default).add(holds);
        }
    }

    /// Returns whether nothing has been counted.
    pub(crate) fn is_zero(&self) -> bool {
        self.counters.is_zero()
            && self.limit_changes == LimitChanges::default()
            && self.hold_times.is_none()
    }
}
