//! The limit of go-zero's and kratos's shedders, which they call BBR: the most calls that ended in a
//! tenth of a second, times the shortest mean time of a tenth of a second, over the last ten seconds.
//!
//! Source: `ratelimit/bbr/bbr.go` of <https://github.com/go-kratos/aegis>; `core/load` of
//! <https://github.com/zeromicro/go-zero> is the same over five seconds. Both shed only while their
//! own processor is busy, which says nothing of a backend; here they count as busy always.

use std::collections::VecDeque;

use crate::contender::{Contender, Sample, clamped};

const BUCKET: f64 = 0.1;

#[derive(Debug, Default)]
struct Bucket {
    number: f64,
    ended: f64,
    time: f64,
}

#[derive(Debug)]
pub(super) struct Bbr {
    low: u32,
    high: u32,
    limit: u32,
    buckets: VecDeque<Bucket>,
}

impl Bbr {
    pub(super) fn new(low: u32, high: u32) -> Self {
        Self { low, high, limit: high, buckets: VecDeque::new() }
    }
}

impl Contender for Bbr {
    fn limit(&self) -> u32 {
        self.limit
    }

    fn end(&mut self, _call: usize, sample: &Sample) {
        let number = (sample.now / BUCKET).floor();
        if self.buckets.back().is_none_or(|last| last.number < number) {
            while self.buckets.front().is_some_and(|first| first.number <= number - 100.0) {
                self.buckets.pop_front();
            }
            let most = self.buckets.iter().map(|bucket| bucket.ended).fold(1.0, f64::max);
            let shortest = self.buckets.iter().map(|bucket| bucket.time / bucket.ended);
            let shortest = shortest.fold(f64::INFINITY, f64::min);
            // A call is let in while at most so many run.
            if shortest.is_finite() {
                self.limit = clamped(most / BUCKET * shortest + 1.5, self.low, self.high);
            }
            self.buckets.push_back(Bucket { number, ..Bucket::default() });
        }
        if let Some(last) = self.buckets.back_mut() {
            last.ended += 1.0;
            // Its clock counts milliseconds.
            last.time += (sample.time() * 1e3).ceil() / 1e3;
        }
    }
}
