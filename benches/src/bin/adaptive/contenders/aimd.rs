//! Netflix's `AIMDLimit`: one more after each good call, a tenth less after a failure or after five
//! seconds.
//!
//! Source: `AIMDLimit.java` of <https://github.com/Netflix/concurrency-limits>. The idea is that of
//! D. Chiu and R. Jain, "Analysis of the Increase and Decrease Algorithms for Congestion Avoidance in
//! Computer Networks", 1989. It begins at 10.

use crate::contender::{Contender, Sample, clamped};

#[derive(Debug)]
pub(super) struct Aimd {
    low: u32,
    high: u32,
    limit: u32,
}

impl Aimd {
    pub(super) fn new(low: u32, high: u32) -> Self {
        Self { low, high, limit: 10.clamp(low, high) }
    }
}

impl Contender for Aimd {
    fn limit(&self) -> u32 {
        self.limit
    }

    fn end(&mut self, _call: usize, sample: &Sample) {
        let limit = f64::from(self.limit);
        if !sample.is_good || sample.time() > 5.0 {
            self.limit = clamped((limit * 0.9).min(limit - 1.0), self.low, self.high);
        } else if sample.in_flight.saturating_mul(2) >= self.limit {
            self.limit = clamped(limit + 1.0, self.low, self.high);
        }
    }
}
