//! Histograms of times.
//!
//! The buckets follow `HdrHistogram`: each power of two has eight buckets of the same width. So
//! from one microsecond to 73 minutes, the upper bound of a bucket is at most an eighth above its
//! lower bound. A bucket contains its upper bound, as exporters expect, so counts up to a power of
//! two are exact.

#[cfg(feature = "inspect")]
mod samples;

use std::time::Duration;

/// log₂ of the buckets in one power of two.
const PARTS: u32 = 3;
/// log₂ of the upper bound of the first bucket, in nanoseconds.
const LOWEST: u32 = 10;
/// log₂ of the lower bound of the last bucket, in nanoseconds.
const HIGHEST: u32 = 42;
const BUCKETS: usize = (((HIGHEST - LOWEST) << PARTS) + 2) as usize;

/// A histogram of times. Samples are rounded to an eighth; counts, sum and the largest sample are
/// exact. (Not all waits are samples: see [`WaitTimes`].)
#[derive(Clone, Debug)]
pub struct Histogram {
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
    /// Adds a sample so many times.
    pub(crate) fn record(&mut self, nanoseconds: u64, times: u64) {
        self.buckets[bucket(nanoseconds)] += times;
        self.count += times;
        self.sum += u128::from(nanoseconds) * u128::from(times);
        self.max = self.max.max(nanoseconds);
    }

    /// Adds the samples of another histogram.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// Summarises the samples.
    #[must_use]
    pub fn times(&self) -> WaitTimes {
        WaitTimes {
            count: self.count,
            total: self.total(),
            p50: self.percentile(50),
            p90: self.percentile(90),
            p99: self.percentile(99),
            max: Duration::from_nanos(self.max),
        }
    }

    /// Returns the number of samples.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the sum of all samples.
    #[must_use]
    pub fn total(&self) -> Duration {
        Duration::from_nanos(u64::try_from(self.sum).unwrap_or(u64::MAX))
    }

    /// Returns the upper bound of the bucket in which the sample of that rank lies, or the largest
    /// sample if that is less.
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

/// Returns the bucket of a sample.
fn bucket(nanoseconds: u64) -> usize {
    // A bucket contains its upper bound, not its lower one.
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

/// Returns the largest sample of a bucket, in nanoseconds.
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

/// The waits of the calls that were admitted after waiting, by tokio's clock. A wait begins when
/// the call joins the queue. It ends at the poll in which the call takes the permits that it was
/// handed.
///
/// Percentiles are upper bounds: the true value is at most an eighth less. (Below one microsecond
/// and above 73 minutes the buckets are wider.) `count` is exact.
///
/// The time of each wait is measured while fewer than some 10,000 waits a second begin at a limiter in a runtime. Above
/// that rate one in sixteen is, if the calls are served in the order in which they come, because a look at the clock
/// takes as long as much of the call. (With another order, priorities or keys each wait is measured at any rate, and so
/// is the first call of a queue.) A wait that is not measured counts as one that ended at about the same time. So under
/// such a load `total` and the percentiles are those of a sample, and `max` is the longest wait of the sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct WaitTimes {
    /// The number of calls that waited and were admitted.
    pub count: u64,
    /// The sum of all waits.
    pub total: Duration,
    /// The time within which half of the calls were admitted.
    pub p50: Duration,
    /// The time within which 90 in 100 calls were admitted.
    pub p90: Duration,
    /// The time within which 99 in 100 calls were admitted.
    pub p99: Duration,
    /// The longest wait that was measured.
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
            histogram.record(milliseconds * 1_000_000, 1);
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
