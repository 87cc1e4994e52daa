//! The Vegas of tower-resilience: the shortest time ever, against a short average.
//!
//! Source: `crates/tower-resilience-adaptive/src/algorithm.rs` of
//! <https://github.com/joshrotenberg/tower-resilience>. It begins at 10, with an alpha of 3 and a
//! beta of 6, and halves at each failure.

use crate::contender::{Contender, Sample, clamped};

#[derive(Debug)]
pub(super) struct Vegas {
    low: u32,
    high: u32,
    limit: u32,
    shortest: f64,
    smoothed: f64,
    count: u32,
}

impl Vegas {
    pub(super) fn new(low: u32, high: u32) -> Self {
        let limit = 10.clamp(low, high);
        Self { low, high, limit, shortest: f64::INFINITY, smoothed: 0.0, count: 0 }
    }
}

impl Contender for Vegas {
    fn limit(&self) -> u32 {
        self.limit
    }

    fn end(&mut self, _call: usize, sample: &Sample) {
        let limit = f64::from(self.limit);
        if !sample.is_good {
            self.limit = clamped(limit / 2.0, self.low, self.high);
            return;
        }
        let time = sample.time();
        self.shortest = self.shortest.min(time);
        self.smoothed = if self.count == 0 { time } else { f64::midpoint(self.smoothed, time) };
        self.count = self.count.saturating_add(1);
        if self.count < 10 {
            return;
        }
        let queue = ((self.smoothed - self.shortest).max(0.0) / self.shortest * limit).floor();
        if queue < 3.0 {
            self.limit = clamped(limit + 1.0, self.low, self.high);
        } else if queue > 6.0 {
            self.limit = clamped(limit - 1.0, self.low, self.high);
        }
    }
}
