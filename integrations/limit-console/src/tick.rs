//! Readings of all limiters, one after another.

use std::time::{Duration, SystemTime};

/// The time from one reading to the next.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);

/// One reading of all limiters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tick {
    /// The number of the reading, from 1.
    pub(crate) number: u64,
    /// The time of the reading, in milliseconds since 1970.
    pub(crate) time: u64,
    /// The time since the reading before; `None` if there was none.
    pub(crate) elapsed: Option<Duration>,
}

impl Tick {
    /// Returns whether nobody has read for so many intervals.
    pub(crate) fn is_after(&self, intervals: u64) -> bool {
        self.elapsed.is_none_or(|elapsed| elapsed.as_secs() >= intervals * INTERVAL.as_secs())
    }
}

/// Returns the time by the system's clock, in milliseconds since 1970.
pub(crate) fn unix_milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
