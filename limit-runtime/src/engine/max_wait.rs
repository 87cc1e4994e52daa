//! The `max_wait` of a setting that overrides the code's.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The default `max_wait` of calls, if a setting overrides the code's. Calls read the value when
/// they begin to wait. It is written under the lock of the engine's state.
///
/// All accesses are relaxed: no other data depends on the value.
#[derive(Debug)]
pub(super) struct MaxWaitSetting(AtomicU64);

const NOT_SET: u64 = u64::MAX;

impl MaxWaitSetting {
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(NOT_SET))
    }

    #[inline]
    pub(super) fn get(&self) -> Option<Duration> {
        match self.0.load(Ordering::Relaxed) {
            NOT_SET => None,
            nanoseconds => Some(Duration::from_nanos(nanoseconds)),
        }
    }

    pub(super) fn set(&self, max_wait: Option<Duration>) {
        let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).ok();
        // Longer times are cut to 584 years.
        let value = max_wait.map_or(NOT_SET, |set| nanoseconds(set).unwrap_or(NOT_SET - 1));
        self.0.store(value, Ordering::Relaxed);
    }
}
