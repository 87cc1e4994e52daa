//! The waits of the last ticks.

use crate::age::Age;
use limit_runtime::inspect::{Histogram, LimiterReading};

/// The number of ticks that percentiles go back at least. They go back at most twice as many.
pub(super) const WINDOW: u64 = 10;

/// The waits of the last ten to twenty ticks: all waits, less those from before.
#[derive(Debug, Default)]
pub(super) struct WaitWindows {
    /// All waits at the start of the window before, and at the start of this window. `None`: there was none.
    before: [Option<Box<Histogram>>; 2],
    /// The tick at which this window began.
    since: u64,
}

impl WaitWindows {
    /// Starts with an empty window.
    pub(super) fn start(waits: &Histogram, tick: u64) -> Self {
        Self { before: [(); 2].map(|()| Some(Box::new(waits.clone()))), since: tick }
    }

    /// Returns two times. Half of the waits in the window are no longer than the first, 99 of 100
    /// are no longer than the second. Waits that go on count with the time so far: otherwise a limiter that no call
    /// leaves would have no figures.
    pub(super) fn percentiles(
        &mut self,
        reading: &LimiterReading,
        is_stalled: bool,
        tick: u64,
    ) -> (Option<Age>, Option<Age>) {
        let waits = reading.totals.counters.waits().filter(|waits| waits.count() > 0);
        let ongoing = reading.ongoing_waits.as_deref();
        let [before, _] = &self.before;
        let ended = waits.and_then(|waits| {
            let mut window = waits.clone();
            if let Some(before) = before {
                if before.count() == waits.count() {
                    return None;
                }
                window.subtract(before);
            }
            Some(window)
        });
        let times = match (ended, ongoing) {
            (Some(mut ended), Some(ongoing)) => {
                ended.add(ongoing);
                Some(ended.times())
            }
            (Some(ended), None) => Some(ended.times()),
            (None, ongoing) => ongoing.map(Histogram::times),
        };
        if tick >= self.since + WINDOW {
            self.since = tick;
            self.before.swap(0, 1);
            self.before[1] = waits.map(|waits| Box::new(waits.clone()));
        }
        times.filter(|times| times.count > 0).map_or((None, None), |times| {
            let age = if is_stalled { Age::growing } else { Age::constant };
            (Some(age(times.p50)), Some(age(times.p99)))
        })
    }
}
