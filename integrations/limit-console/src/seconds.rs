//! Times in JSON: numbers of seconds.

use serde::Serialize;
use std::time::Duration;

/// A time in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Seconds(f64);

impl Seconds {
    pub(crate) fn exactly(time: Duration) -> Self {
        Self(time.as_secs_f64())
    }

    /// Leaves out what is less than a microsecond: an estimate is not so exact.
    pub(crate) fn in_microseconds(time: Duration) -> Self {
        Self::exactly(Duration::from_micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX)))
    }
}
