//! Netflix's `VegasLimit`: the shortest time that was seen tells how long the queue is.
//!
//! Source: `VegasLimit.java` of <https://github.com/Netflix/concurrency-limits>, after L. Brakmo and
//! L. Peterson, "TCP Vegas: End to End Congestion Avoidance on a Global Internet", 1995. It begins at
//! 20. Every 15 to 30 times the limit of calls, the next time becomes the shortest, whatever it is.

use crate::contender::{Contender, Sample, clamped};

#[derive(Debug)]
pub(super) struct Vegas {
    low: u32,
    high: u32,
    limit: f64,
    shortest: Option<f64>,
    since_probe: f64,
    jitter: f64,
    random: fastrand::Rng,
}

impl Vegas {
    pub(super) fn new(low: u32, high: u32, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let jitter = 0.5 + random.f64() / 2.0;
        let limit = f64::from(20.clamp(low, high));
        Self { low, high, limit, shortest: None, since_probe: 0.0, jitter, random }
    }

    fn adjust(&mut self, shortest: f64, sample: &Sample) {
        let queue = (self.limit * (1.0 - shortest / sample.time())).ceil();
        let step = logarithm(self.limit);
        let change = if !sample.is_good {
            -step
        } else if f64::from(sample.in_flight) * 2.0 < self.limit {
            return;
        } else if queue <= step {
            6.0 * step
        } else if queue < 3.0 * step {
            step
        } else if queue > 6.0 * step {
            -step
        } else {
            return;
        };
        self.limit = (self.limit + change).clamp(f64::from(self.low), f64::from(self.high));
    }
}

impl Contender for Vegas {
    fn limit(&self) -> u32 {
        clamped(self.limit, self.low, self.high)
    }

    fn end(&mut self, _call: usize, sample: &Sample) {
        self.since_probe += 1.0;
        if self.since_probe >= self.jitter * 30.0 * self.limit {
            self.since_probe = 0.0;
            self.jitter = 0.5 + self.random.f64() / 2.0;
            self.shortest = Some(sample.time());
            return;
        }
        match self.shortest {
            Some(shortest) if shortest <= sample.time() => self.adjust(shortest, sample),
            _ => self.shortest = Some(sample.time()),
        }
    }
}

/// The whole part of the decimal logarithm, at least 1; the root from 1,000 on.
fn logarithm(limit: f64) -> f64 {
    if limit < 1_000.0 { limit.log10().floor().max(1.0) } else { limit.sqrt().floor() }
}
