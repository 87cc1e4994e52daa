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

    /// Rounds down to a tenth, which is more exact than most ages are known.
    pub(crate) fn in_tenths(time: Duration) -> Self {
        Self((time.as_secs_f64() * 10.0).floor() / 10.0)
    }
}
