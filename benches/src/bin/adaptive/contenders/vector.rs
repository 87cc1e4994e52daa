//! Vector's adaptive request concurrency: one more while times do not exceed their average, a tenth
//! less when they exceed it by 2.5 deviations.
//!
//! Source: `src/sinks/util/adaptive_concurrency` of <https://github.com/vectordotdev/vector>, and the
//! article "Adaptive Request Concurrency" of its makers, 2020. It begins at 1. A window lasts as long
//! as the average time.

use crate::contender::{Contender, Sample, clamped};

#[derive(Debug)]
pub(super) struct Arc {
    low: u32,
    high: u32,
    limit: u32,
    /// The average of past windows, and its variance.
    past: Option<(f64, f64)>,
    next_update: f64,
    sum: f64,
    count: u32,
    had_back_pressure: bool,
    reached_limit: bool,
}

impl Arc {
    pub(super) fn new(low: u32, high: u32) -> Self {
        Self {
            low,
            high,
            limit: low,
            past: None,
            next_update: 0.0,
            sum: 0.0,
            count: 0,
            had_back_pressure: false,
            reached_limit: false,
        }
    }

    fn adjust(&mut self, mean: f64, variance: f64, current: Option<f64>) {
        let threshold = mean + 2.5 * variance.sqrt();
        let is_quick = current.is_some_and(|current| current <= mean);
        if self.limit < self.high && self.reached_limit && !self.had_back_pressure && is_quick {
            self.limit += 1;
        } else if self.had_back_pressure || current.unwrap_or(0.0) >= threshold {
            self.limit = clamped(f64::from(self.limit) * 0.9, self.low, self.high);
        }
    }
}

impl Contender for Arc {
    fn limit(&self) -> u32 {
        self.limit
    }

    fn begin(&mut self, _call: usize, _now: f64, _waited: bool, in_flight: u32) {
        self.reached_limit |= in_flight >= self.limit;
    }

    fn end(&mut self, _call: usize, sample: &Sample) {
        if sample.is_good {
            self.sum += sample.time();
            self.count += 1;
        } else {
            self.had_back_pressure = true;
        }
        // Equal times must have an equal mean.
        let mean = |sum: f64, count: u32| (sum / f64::from(count) * 1e6).round() / 1e6;
        let current = (self.count > 0).then(|| mean(self.sum, self.count));
        let Some((past, variance)) = self.past else {
            if let Some(current) = current {
                self.past = Some((current, 0.0));
                self.next_update = sample.now + current;
            }
            return;
        };
        if sample.now < self.next_update {
            return;
        }
        self.adjust(past, variance, current);
        let mut average = past;
        if let Some(current) = current {
            let difference = current - past;
            average = past + 0.4 * difference;
            self.past = Some((average, 0.6 * (variance + 0.4 * difference * difference)));
        }
        self.next_update = sample.now + average;
        (self.sum, self.count) = (0.0, 0);
        (self.had_back_pressure, self.reached_limit) = (false, false);
    }
}
