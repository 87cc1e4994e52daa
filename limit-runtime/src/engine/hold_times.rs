//! The times for which permits were held.

use super::Engine;
use crate::metrics::Histogram;
use std::sync::PoisonError;
use std::time::Duration;

impl Engine {
    /// Counts a call's hold time.
    pub(crate) fn record_hold(&self, held: Duration) {
        let nanoseconds = u64::try_from(held.as_nanos()).unwrap_or(u64::MAX);
        let mut hold_times = self.hold_times.lock().unwrap_or_else(PoisonError::into_inner);
        hold_times.get_or_insert_with(Box::default).record(nanoseconds);
    }

    pub(super) fn hold_times(&self) -> Option<Box<Histogram>> {
        self.hold_times.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
