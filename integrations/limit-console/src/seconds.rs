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
}
