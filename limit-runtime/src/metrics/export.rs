//! Figures as exporters need them.

use super::{Counters, Histogram};
#[cfg(feature = "_exporters")]
use super::{LimitChanges, Reading, Totals};

/// What a limiter shows at one moment.
#[cfg(feature = "_exporters")]
#[derive(Debug)]
pub(crate) struct Export {
    /// One for all runtimes, or one for each that lives and last the one of those that have ended.
    pub(crate) parts: Vec<Part>,
    pub(crate) changes: LimitChanges,
}

#[cfg(feature = "_exporters")]
#[derive(Debug)]
pub(crate) struct Part {
    /// Which live runtime it is of, if it is of one.
    pub(crate) runtime: Option<u64>,
    /// Of ended runtimes there is none.
    pub(crate) limit: Option<usize>,
    pub(crate) totals: Totals,
}

impl Counters {
    pub(crate) fn waits(&self) -> Option<&Histogram> {
        self.waits.as_deref()
    }

    /// Without what these have counted, which it has counted too. (The most that waited stays.)
    #[cfg(feature = "_exporters")]
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.admitted_at_once = self.admitted_at_once.saturating_sub(other.admitted_at_once);
        self.cancelled = self.cancelled.saturating_sub(other.cancelled);
        self.rejected.subtract(&other.rejected);
        self.shadowed.waited = self.shadowed.waited.saturating_sub(other.shadowed.waited);
        self.shadowed.rejected.subtract(&other.shadowed.rejected);
        if let (Some(waits), Some(others)) = (&mut self.waits, &other.waits) {
            waits.subtract(others);
        }
    }
}

#[cfg(feature = "_exporters")]
impl Reading {
    /// Whether its runtime has not used it yet.
    fn is_untouched(&self) -> bool {
        let Self { current, .. } = self;
        let counted = current.admitted_at_once + current.cancelled + current.rejected.total();
        let busy = self.in_use + self.waiting + self.keys;
        !self.bound && busy == 0 && counted == 0 && current.waits.is_none()
    }
}

#[cfg(feature = "_exporters")]
impl Export {
    pub(crate) fn of_all(limit: usize, totals: Totals, changes: LimitChanges) -> Self {
        let part = Part { runtime: None, limit: Some(limit), totals };
        Self { parts: vec![part], changes }
    }

    /// Of readings, each with the runtime that it is of if that lives. What passes from one part to
    /// another when a runtime ends does so at once, so that the sum over all never goes back.
    pub(crate) fn by_runtime(readings: &[(Option<u64>, Reading)], changes: LimitChanges) -> Self {
        let mut ended = Totals::new();
        let mut parts = Vec::new();
        for (runtime, reading) in readings {
            ended.counters.add(&reading.past);
            match runtime {
                None => ended.add_current(reading),
                Some(_) if reading.is_untouched() => {}
                Some(_) => {
                    let mut totals = Totals::new();
                    totals.add_current(reading);
                    parts.push(Part { runtime: *runtime, limit: Some(reading.limit), totals });
                }
            }
        }
        parts.sort_by_key(|part| part.runtime);
        parts.push(Part { runtime: None, limit: None, totals: ended });
        Self { parts, changes }
    }
}
