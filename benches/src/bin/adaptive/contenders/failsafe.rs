//! failsafe-go's adaptive limiter: Vegas on the 90th percentile of a second, with two correlations
//! that hold it back.
//!
//! Source: `adaptivelimiter/adaptivelimiter.go` and `internal/util` of
//! <https://github.com/failsafe-go/failsafe-go>. It begins at 20. A window lasts a second and has at
//! least 50 calls; the last five percentiles' median is smoothed; the baseline averages ten of them.

use std::collections::VecDeque;

use crate::contender::{Average, Contender, Sample, clamped};

#[derive(Debug)]
pub(super) struct Failsafe {
    low: u32,
    high: u32,
    limit: f64,
    times: Vec<f64>,
    most_in_flight: u32,
    last: VecDeque<f64>,
    recent: Average,
    baseline: Average,
    next_update: f64,
    /// The last (calls in flight, throughput, time).
    history: VecDeque<[f64; 3]>,
}

impl Failsafe {
    pub(super) fn new(low: u32, high: u32) -> Self {
        Self {
            low,
            high,
            limit: f64::from(20.clamp(low, high)),
            times: Vec::new(),
            most_in_flight: 0,
            last: VecDeque::new(),
            recent: Average::over(5.0, 10),
            baseline: Average::over(10.0, 10),
            next_update: 0.0,
            history: VecDeque::new(),
        }
    }

    fn adjust(&mut self, recent: f64, is_full: bool) {
        let baseline = self.baseline.add(recent);
        let queue = (self.limit * (1.0 - baseline / recent)).ceil();
        let in_flight = f64::from(self.most_in_flight);
        if self.history.len() == 50 {
            self.history.pop_front();
        }
        self.history.push_back([in_flight, in_flight / recent, recent]);
        let (throughput, variation) = self.correlation(1);
        let (time, _) = self.correlation(2);
        let step = self.limit.max(1.0).log10().floor().max(1.0);
        let is_drifting =
            is_full && (throughput < 0.0 || (time > 0.5 && (throughput < 0.3 || variation < 0.2)));
        let mut limit = self.limit;
        if queue > 6.0 * step || is_drifting {
            limit -= step;
        } else if queue < 3.0 * step {
            limit += step;
        }
        if limit > 5.0 * in_flight {
            limit = self.limit - step;
        }
        self.limit = limit.clamp(f64::from(self.low), f64::from(self.high));
    }

    /// Returns the correlation of the calls in flight with a column, and the column's coefficient of
    /// variation; both are 0 before ten values, and the first if either varies by less than 1 %.
    fn correlation(&self, column: usize) -> (f64, f64) {
        if self.history.len() < 10 {
            return (0.0, 0.0);
        }
        let count = crate::number::count(self.history.len());
        let mean = |of: &dyn Fn(&[f64; 3]) -> f64| self.history.iter().map(of).sum::<f64>() / count;
        let (x, y) = (mean(&|row| row[0]), mean(&|row| row[column]));
        let x_deviation = mean(&|row| (row[0] - x).powi(2)).sqrt();
        let y_deviation = mean(&|row| (row[column] - y).powi(2)).sqrt();
        if x_deviation < 0.01 * x || y_deviation < 0.01 * y {
            return (0.0, y_deviation / y);
        }
        let covariance = mean(&|row| (row[0] - x) * (row[column] - y));
        (covariance / (x_deviation * y_deviation), y_deviation / y)
    }
}

impl Contender for Failsafe {
    fn limit(&self) -> u32 {
        clamped(self.limit, self.low, self.high)
    }

    fn end(&mut self, _call: usize, sample: &Sample) {
        if sample.is_good {
            self.times.push(sample.time());
            self.most_in_flight = self.most_in_flight.max(sample.in_flight);
        }
        if sample.now <= self.next_update || self.times.len() < 50 {
            return;
        }
        self.times.sort_by(f64::total_cmp);
        let percentile = self.times[self.times.len() * 9 / 10];
        if self.last.len() == 5 {
            self.last.pop_front();
        }
        self.last.push_back(percentile);
        let filtered = limit_benches::median(self.last.iter().copied().collect());
        let recent = self.recent.add(filtered);
        self.adjust(recent, sample.was_full);
        self.next_update = sample.now + (2.0 * self.times[0]).clamp(1.0, 30.0);
        self.times.clear();
        self.most_in_flight = 0;
    }
}
