//! When the oldest holder of each limiter got its permits.

use limit_runtime::LimiterHandle;
#[cfg(feature = "diagnostics")]
use limit_runtime::diagnostics::OldestHolders;
#[cfg(feature = "diagnostics")]
use std::time::UNIX_EPOCH;

/// The oldest holder of each limiter at one moment. Without the feature `diagnostics` there are none.
pub(crate) struct Oldest {
    #[cfg(feature = "diagnostics")]
    holders: OldestHolders,
}

impl Oldest {
    pub(crate) fn now() -> Self {
        Self {
            #[cfg(feature = "diagnostics")]
            holders: OldestHolders::now(),
        }
    }

    /// Returns the time at which the oldest holder of a limiter got its permits, in seconds since 1970.
    #[cfg(feature = "diagnostics")]
    pub(crate) fn started(&self, limiter: &LimiterHandle) -> Option<f64> {
        let started = self.holders.started(limiter)?;
        // An error means that the clock of the system was never set.
        Some(started.duration_since(UNIX_EPOCH).ok()?.as_secs_f64())
    }

    #[cfg(not(feature = "diagnostics"))]
    #[expect(clippy::unused_self, reason = "as with the feature `diagnostics`")]
    pub(crate) fn started(&self, _: &LimiterHandle) -> Option<f64> {
        None
    }
}
