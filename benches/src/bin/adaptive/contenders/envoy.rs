//! Envoy's gradient controller: the median time of a window against the median at the lowest limit,
//! which is measured again and again.
//!
//! Source: `gradient_controller.cc` of <https://github.com/envoyproxy/envoy> and its documentation of
//! the adaptive concurrency filter, with the values of its example: windows of 100 ms, a measurement
//! of 50 calls at a limit of 3 every 60 s (up to 15 % later), a buffer of 25 %. Where Envoy refuses
//! calls over the limit, they wait here.

use crate::contender::{Contender, Sample, clamped};

const WINDOW: f64 = 0.1;
const INTERVAL: f64 = 60.0;

#[derive(Debug)]
pub(super) struct Gradient {
    low: u32,
    high: u32,
    limit: u32,
    /// While the shortest time is measured: the limit to return to, and since when.
    measuring: Option<(u32, f64)>,
    shortest: f64,
    samples: Vec<f64>,
    next_window: f64,
    next_measurement: f64,
    windows_at_lowest: u32,
    random: fastrand::Rng,
}

impl Gradient {
    pub(super) fn new(low: u32, high: u32, seed: u64) -> Self {
        let low = low.max(3).min(high);
        Self {
            low,
            high,
            limit: low,
            measuring: Some((low, 0.0)),
            shortest: 0.0,
            samples: Vec::new(),
            next_window: WINDOW,
            next_measurement: f64::INFINITY,
            windows_at_lowest: 0,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    fn measure(&mut self, now: f64) {
        self.measuring = Some((self.limit, now));
        self.limit = self.low;
        self.samples.clear();
        self.next_measurement = f64::INFINITY;
        self.windows_at_lowest = 0;
    }

    /// The median, after which the samples are forgotten.
    fn median(&mut self) -> f64 {
        self.samples.sort_by(f64::total_cmp);
        let median = self.samples[self.samples.len() / 2];
        self.samples.clear();
        median
    }

    fn close_window(&mut self, now: f64) {
        if self.samples.is_empty() {
            return;
        }
        let gradient = (1.25 * self.shortest / self.median()).clamp(0.5, 2.0);
        let limit = f64::from(self.limit) * gradient;
        let before = self.limit;
        self.limit = clamped(limit + limit.sqrt(), self.low, self.high);
        let stays = before == self.low && self.limit == self.low;
        self.windows_at_lowest = if stays { self.windows_at_lowest + 1 } else { 0 };
        if self.windows_at_lowest >= 5 {
            self.measure(now);
        }
    }
}

impl Contender for Gradient {
    fn limit(&self) -> u32 {
        self.limit
    }

    fn end(&mut self, _call: usize, sample: &Sample) {
        match self.measuring {
            Some((_, since)) if sample.began < since => {}
            Some((back, _)) => {
                self.samples.push(sample.time());
                if self.samples.len() >= 50 {
                    self.shortest = self.median();
                    self.limit = back;
                    self.measuring = None;
                    self.next_measurement =
                        sample.now + INTERVAL * (1.0 + 0.15 * self.random.f64());
                    self.next_window = sample.now + WINDOW;
                }
            }
            None => self.samples.push(sample.time()),
        }
    }

    fn next_tick(&self) -> Option<f64> {
        self.measuring.is_none().then(|| self.next_window.min(self.next_measurement))
    }

    fn tick(&mut self, now: f64, _in_flight: u32) {
        if self.measuring.is_none() && now >= self.next_measurement {
            self.measure(now);
        } else if self.measuring.is_none() && now >= self.next_window {
            self.next_window = now + WINDOW;
            self.close_window(now);
        }
    }
}
