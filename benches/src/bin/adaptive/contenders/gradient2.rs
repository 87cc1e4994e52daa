//! Netflix's `Gradient2Limit` in its `WindowedLimit`: the mean time of a second against a long
//! average of such means.
//!
//! Source: `Gradient2Limit.java` and `WindowedLimit.java` of
//! <https://github.com/Netflix/concurrency-limits>. It begins at 20; a window lasts a second and has
//! at least 10 calls; four calls may queue; the long average is over 600 windows.

use crate::contender::{Average, Contender, Sample, clamped};

#[derive(Debug)]
pub(super) struct Gradient2 {
    low: u32,
    high: u32,
    limit: f64,
    long: Average,
    window_ends: f64,
    sum: f64,
    count: u32,
    most_in_flight: u32,
}

impl Gradient2 {
    pub(super) fn new(low: u32, high: u32) -> Self {
        Self {
            low,
            high,
            limit: f64::from(20.clamp(low, high)),
            long: Average::over(600.0, 10),
            window_ends: 0.0,
            sum: 0.0,
            count: 0,
            most_in_flight: 0,
        }
    }

    fn adjust(&mut self, short: f64) {
        let long = self.long.add(short);
        if long / short > 2.0 {
            self.long.value *= 0.9;
        }
        if f64::from(self.most_in_flight) < self.limit / 2.0 {
            return;
        }
        let gradient = (long / short).clamp(0.5, 1.0);
        let wanted = self.limit * gradient + 4.0;
        self.limit =
            (0.8 * self.limit + 0.2 * wanted).clamp(f64::from(self.low), f64::from(self.high));
    }
}

impl Contender for Gradient2 {
    fn limit(&self) -> u32 {
        clamped(self.limit, self.low, self.high)
    }

    fn end(&mut self, _call: usize, sample: &Sample) {
        // Times below 100 µs are left out.
        if sample.time() < 1e-4 {
            return;
        }
        self.sum += sample.time();
        self.count += 1;
        self.most_in_flight = self.most_in_flight.max(sample.in_flight);
        if sample.now > self.window_ends {
            self.window_ends = sample.now + 1.0;
            if self.count >= 10 {
                self.adjust(self.sum / f64::from(self.count));
            }
            (self.sum, self.count, self.most_in_flight) = (0.0, 0, 0);
        }
    }
}
