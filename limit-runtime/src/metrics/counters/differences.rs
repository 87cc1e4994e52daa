//! Sums and differences of counters, for readers of several readings.

use super::{Counters, LimitChanges, RejectedCounts};
use crate::rejected::RejectedKind;

impl Counters {
    /// Returns whether nothing has been counted.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.admitted_at_once
            + self.cancelled
            + self.taken_back
            + self.rejected.total()
            + self.adapted().total()
            == 0
            && self.waits.is_none()
    }

    /// Subtracts other counters that these include. No counter goes below 0, and
    /// [`most_waiting`](Self::most_waiting) stays.
    pub fn subtract(&mut self, other: &Self) {
        self.admitted_at_once = self.admitted_at_once.saturating_sub(other.admitted_at_once);
        self.cancelled = self.cancelled.saturating_sub(other.cancelled);
        self.taken_back = self.taken_back.saturating_sub(other.taken_back);
        self.rejected.subtract(&other.rejected);
        if let (Some(rare), Some(others)) = (&mut self.rare, &other.rare) {
            rare.adapted.subtract(&others.adapted);
            for share in &mut rare.shares {
                if let Some(other) = others.shares.iter().find(|other| other.name == share.name) {
                    share.admitted = share.admitted.saturating_sub(other.admitted);
                    share.rejected = share.rejected.saturating_sub(other.rejected);
                }
            }
        }
        self.shadowed.waited = self.shadowed.waited.saturating_sub(other.shadowed.waited);
        self.shadowed.rejected.subtract(&other.shadowed.rejected);
        if let (Some(waits), Some(others)) = (&mut self.waits, &other.waits) {
            waits.subtract(others);
        }
    }
}

impl RejectedCounts {
    pub(super) fn subtract(&mut self, other: &Self) {
        for &kind in RejectedKind::ALL {
            let count = self.get_mut(kind);
            *count = count.saturating_sub(other.get(kind));
        }
    }
}

impl LimitChanges {
    pub(in super::super) fn add(&mut self, other: &Self) {
        let Self { file, environment, live } = other;
        self.file += file;
        self.environment += environment;
        self.live += live;
    }
}
