//! Noticing that the machine was suspended.

use limit_runtime::fleet;
use std::time::Duration;
use tokio::time::Instant;

/// The step between two readings from which on the clocks have parted. Timers are exact to a millisecond,
/// and the two clocks are not read at once.
const STEP: Duration = Duration::from_millis(50);

/// Compares a clock that counts suspension with the one of timers, which does not.
#[derive(Debug)]
pub(crate) struct ClockSteps {
    began: Instant,
    at_boot_clock: Duration,
    ahead: Duration,
}

impl ClockSteps {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), at_boot_clock: fleet::now(), ahead: Duration::ZERO }
    }

    /// Returns whether the clocks have parted since the last look.
    pub(crate) fn has_stepped(&mut self) -> bool {
        let timers = self.began.elapsed();
        let ahead = fleet::now().saturating_sub(self.at_boot_clock).saturating_sub(timers);
        let before = std::mem::replace(&mut self.ahead, ahead);
        ahead > before + STEP
    }
}
