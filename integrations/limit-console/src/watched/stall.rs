//! The time since a call was admitted, while calls wait.

use crate::age::Age;
use crate::tick::Tick;
use limit_runtime::inspect::LimiterReading;
use std::time::Duration;

/// The time since the last admission, as the readings know it.
#[derive(Debug)]
pub(super) struct Stall {
    /// The calls admitted at the last reading.
    admitted: u64,
    /// The time since the first reading that saw calls wait and none admitted. `None` if the last one saw no such
    /// calls.
    lasts: Option<Duration>,
}

impl Stall {
    /// Begins with the first reading, which has seen so many calls admitted.
    pub(super) fn begin(reading: &LimiterReading, admitted: u64) -> Self {
        Self { admitted, lasts: Self::is_possible(reading).then_some(Duration::ZERO) }
    }

    /// Returns whether calls wait which a limiter that goes on would admit before long.
    pub(super) fn is_possible(reading: &LimiterReading) -> bool {
        let is_held_up = reading.is_closed || reading.settings.limit.value == 0;
        reading.usage.waiting > 0 && !is_held_up
    }

    /// Notes a reading that has seen so many calls admitted.
    pub(super) fn record(&mut self, reading: &LimiterReading, admitted: u64, tick: Tick) {
        let was_admitted = std::mem::replace(&mut self.admitted, admitted) != admitted;
        let before = self.lasts.filter(|_| !was_admitted);
        let lasts = before.map_or(Duration::ZERO, |lasts| lasts + tick.elapsed.unwrap_or_default());
        self.lasts = Self::is_possible(reading).then_some(lasts);
    }

    /// Returns the time since the last admission. `None` if no call waits, and while the limiter is paused or closed.
    /// While the window of a rate may keep calls waiting, the time is 0 and does not grow.
    pub(super) fn time(&self, reading: &LimiterReading) -> Option<Age> {
        let window = reading.per.unwrap_or_default();
        let lasts = self.lasts?;
        // A reader of the JSON tells the two kinds apart by the figure: it has tenths.
        let is_growing = lasts > window && lasts >= Duration::from_millis(100);
        Some(if is_growing {
            Age::growing(lasts).in_tenths()
        } else {
            Age::constant(Duration::ZERO)
        })
    }
}
