//! Access to the samples of a histogram, for exporters with histograms of their own.

use super::{Histogram, upper_bound};
use std::time::Duration;

impl Histogram {
    /// Subtracts the samples of another histogram that this one includes. The largest remaining
    /// sample is not known: [`WaitTimes::max`](super::WaitTimes::max) is an upper bound then.
    pub fn subtract(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine = mine.saturating_sub(*theirs);
        }
        self.count = self.buckets.iter().sum();
        self.sum = self.sum.saturating_sub(other.sum);
    }

    /// Counts the samples between ascending bounds. The first count contains the samples up to the
    /// first bound, the last count those above the last bound. The counts are exact for bounds of
    /// 2ⁿ nanoseconds, from 2¹⁰ (1 µs) to 2⁴² (73 minutes).
    #[must_use]
    pub fn counts(&self, bounds: &[Duration]) -> Vec<u64> {
        let mut counts = vec![0; bounds.len() + 1];
        let mut bound = 0;
        for (bucket, count) in self.buckets.iter().enumerate().filter(|(_, count)| **count > 0) {
            // A bucket contains its upper bound.
            let upper = Duration::from_nanos(upper_bound(bucket));
            while bounds.get(bound).is_some_and(|bound| *bound < upper) {
                bound += 1;
            }
            counts[bound] += count;
        }
        counts
    }

    /// Returns samples in seconds, each with its count. They fall in the same buckets as the real
    /// samples, and have the same sum.
    #[must_use]
    pub fn samples(&self) -> Vec<(f64, u64)> {
        let all: Vec<_> = std::iter::zip(0.., self.buckets)
            .filter(|&(_, count)| count > 0)
            .map(|(bucket, count): (usize, u64)| {
                let lower = bucket.checked_sub(1).map_or(0, |below| upper_bound(below) + 1);
                ((lower, upper_bound(bucket).min(self.max)), count)
            })
            .collect();
        // All samples stand at the same fraction of their buckets' widths.
        let weigh = |bound: fn(&(u64, u64)) -> u64| -> u128 {
            all.iter().map(|(bounds, count)| u128::from(bound(bounds)) * u128::from(*count)).sum()
        };
        let (least, most) = (weigh(|bounds| bounds.0), weigh(|bounds| bounds.1));
        let share = share(self.sum.saturating_sub(least), most.saturating_sub(least));
        let samples = all.into_iter().map(|((lower, upper), count)| {
            let (lower, upper) = (seconds(lower), seconds(upper));
            // Rounding must not bring a sample above its bucket's bound.
            ((lower + share * (upper - lower)).min(upper), count)
        });
        samples.collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "more than 2^53 ns are known well enough")]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

#[expect(clippy::cast_precision_loss, reason = "as in `seconds`")]
fn share(part: u128, whole: u128) -> f64 {
    if whole == 0 { 1.0 } else { (part as f64 / whole as f64).min(1.0) }
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::super::{BUCKETS, bucket, upper_bound};
    use super::*;

    #[test]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "positive and small"
    )]
    fn samples_since_have_the_same_buckets_and_the_same_sum() {
        let mut histogram = Histogram::default();
        // Numbers of all magnitudes, with bounds of buckets among them.
        let mut state = 7_u64;
        let samples = |from: u32| {
            (0..500_u32).map(move |index| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(from.into());
                if index % 5 == 0 { 1 << (index % 41) } else { state >> (24 + index % 40) }
            })
        };
        let mut before = Histogram::default();
        for round in 1..4 {
            let mut new = Histogram::default();
            for sample in samples(round) {
                histogram.record(sample, 1);
                new.record(sample, 1);
            }
            let mut since = histogram.clone();
            since.subtract(&before);
            let given = since.samples();
            let mut given_buckets = [0; BUCKETS];
            let mut sum = 0.0;
            for &(sample, count) in &given {
                let nanoseconds = (sample * 1e9).round() as u64;
                let bucket = bucket(nanoseconds);
                // Rounding must not bring a sample beyond the bounds.
                let within = |bucket| seconds(upper_bound(bucket));
                assert!(sample <= within(bucket));
                assert!(bucket == 0 || sample > within(bucket - 1));
                given_buckets[bucket] += count;
                sum += sample * count as f64;
            }
            assert_eq!(given_buckets, new.buckets);
            let exact = new.sum as f64 / 1e9;
            assert!((sum - exact).abs() <= exact * 1e-9, "{sum} for {exact}");
            before = histogram.clone();
        }
        histogram.subtract(&before);
        assert!(histogram.samples().is_empty());
    }

    #[test]
    fn counts_between_powers_of_two_are_exact() {
        let mut histogram = Histogram::default();
        let mut samples = vec![0, 1, u64::MAX];
        for shift in 1..63_u32 {
            let power = 1_u64 << shift;
            samples.extend([power - 1, power, power + 1, power + (power >> 1)]);
        }
        for &sample in &samples {
            histogram.record(sample, 1);
        }
        let bounds: Vec<_> =
            (18..=34).step_by(2).map(|bound| Duration::from_nanos(1 << bound)).collect();
        let counts = histogram.counts(&bounds);
        let mut up_to = 0;
        for (bound, count) in std::iter::zip((18..=34).step_by(2), &counts) {
            up_to += count;
            let exact = samples.iter().filter(|&&sample| sample <= 1 << bound).count();
            assert_eq!(up_to, exact as u64, "up to 2^{bound} ns");
        }
        assert_eq!(counts.iter().sum::<u64>(), samples.len() as u64);
    }
}
