//! How long calls waited.
//!
//! Buckets as in `HdrHistogram`: each power of two is parted into eight of the same width, so that a
//! bucket is at most an eighth wider than its lower bound, from one microsecond to 73 minutes. A bucket's
//! upper bound belongs to it, as exporters have it, so that counts up to a power of two are exact.

#[cfg(feature = "_exporters")]
mod shown;
#[cfg(any(feature = "_exporters", feature = "console"))]
mod since;

use std::time::Duration;

/// log₂ of the buckets in one power of two.
const PARTS: u32 = 3;
/// log₂ of the nanoseconds below which all is one bucket.
const LOWEST: u32 = 10;
/// log₂ of the nanoseconds above which all is one bucket.
const HIGHEST: u32 = 42;
const BUCKETS: usize = (((HIGHEST - LOWEST) << PARTS) + 2) as usize;

/// Samples in nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    buckets: [u64; BUCKETS],
    count: u64,
    sum: u128,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: [0; BUCKETS], count: 0, sum: 0, max: 0 }
    }
}

impl Histogram {
    pub(crate) fn record(&mut self, nanoseconds: u64) {
        self.buckets[bucket(nanoseconds)] += 1;
        self.count += 1;
        self.sum += u128::from(nanoseconds);
        self.max = self.max.max(nanoseconds);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    pub(crate) fn times(&self) -> WaitTimes {
        WaitTimes {
            count: self.count,
            total: self.total(),
            p50: self.percentile(50),
            p90: self.percentile(90),
            p99: self.percentile(99),
            max: Duration::from_nanos(self.max),
        }
    }

    #[cfg(any(feature = "_exporters", feature = "console"))]
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn total(&self) -> Duration {
        Duration::from_nanos(u64::try_from(self.sum).unwrap_or(u64::MAX))
    }

    /// The upper bound of the bucket in which the sample of that rank lies, or the largest sample
    /// if that is less.
    fn percentile(&self, percent: u64) -> Duration {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(upper_bound(bucket).min(self.max));
            }
        }
        Duration::ZERO
    }
}

/// The bucket that a sample falls in.
fn bucket(nanoseconds: u64) -> usize {
    // Its upper bound belongs to a bucket, not its lower one.
    let nanoseconds = nanoseconds.saturating_sub(1);
    let exponent = nanoseconds.max(1).ilog2();
    if exponent < LOWEST {
        return 0;
    }
    if exponent >= HIGHEST {
        return BUCKETS - 1;
    }
    let part = (nanoseconds >> (exponent - PARTS)) & ((1 << PARTS) - 1);
    ((exponent - LOWEST) << PARTS) as usize + usize::from(part as u8) + 1
}

/// The largest sample that falls in a bucket, in nanoseconds.
fn upper_bound(bucket: usize) -> u64 {
    if bucket == 0 {
        return 1 << LOWEST;
    }
    if bucket == BUCKETS - 1 {
        return u64::MAX;
    }
    let octave = (bucket - 1) >> PARTS;
    let part = ((bucket - 1) & ((1 << PARTS) - 1)) as u64;
    let width = 1 << (octave + (LOWEST - PARTS) as usize);
    (1 << (octave + LOWEST as usize)) + (part + 1) * width
}

#[cfg(feature = "_exporters")]
#[expect(clippy::cast_precision_loss, reason = "more than 2^53 ns are known well enough")]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

/// How long the calls waited that were admitted after waiting: from joining the queue until they went
/// on, which is when their task was polled after they had been handed their permits. On tokio's clock.
///
/// Percentiles are upper bounds: the true one is at most an eighth less (below one microsecond and
/// above 73 minutes the classes are wider). `count`, `total` and `max` are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct WaitTimes {
    /// How many samples there are: one for each call that waited and was admitted.
    pub count: u64,
    /// All their waits together.
    pub total: Duration,
    /// Half of them waited no longer than this.
    pub p50: Duration,
    /// 90 in 100 waited no longer than this.
    pub p90: Duration,
    /// 99 in 100 waited no longer than this.
    pub p99: Duration,
    /// The longest wait.
    pub max: Duration,
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_sample_lies_within_its_bucket() {
        for shift in 0..64_u32 {
            for near in [0_u64, 1, 3] {
                let sample =
                    (1_u64 << shift).saturating_add((near << shift.saturating_sub(3)) & !(1 << 63));
                let bucket = bucket(sample);
                assert!(sample <= upper_bound(bucket), "{sample} in {bucket}");
                assert!(bucket == 0 || sample > upper_bound(bucket - 1), "{sample} in {bucket}");
            }
        }
    }

    #[test]
    fn buckets_are_at_most_an_eighth_wide() {
        for bucket in 1..BUCKETS - 1 {
            let (below, upper) = (upper_bound(bucket - 1), upper_bound(bucket));
            assert!((upper - below) * 8 <= below, "{below}..={upper}");
        }
    }

    #[test]
    fn percentiles_are_of_the_rank_asked_for() {
        let mut histogram = Histogram::default();
        for milliseconds in 1..=100 {
            histogram.record(milliseconds * 1_000_000);
        }
        let times = histogram.times();
        for (percentile, milliseconds) in [(times.p50, 50), (times.p90, 90), (times.p99, 99)] {
            let exact = Duration::from_millis(milliseconds);
            assert!(percentile >= exact && percentile <= exact + exact / 8, "{percentile:?}");
        }
        assert_eq!(times.max, Duration::from_millis(100));
        assert_eq!(times.total, Duration::from_millis(5050));
        assert_eq!(times.count, 100);
    }
}
