//! The samples that came since an earlier reading.

use super::Histogram;
#[cfg(feature = "_exporters")]
use super::{seconds, upper_bound};

impl Histogram {
    /// Takes away samples that this histogram contains. (The largest of the rest is not known: the maximum
    /// stays as an upper bound.)
    pub(crate) fn subtract(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine = mine.saturating_sub(*theirs);
        }
        self.count = self.buckets.iter().sum();
        self.sum = self.sum.saturating_sub(other.sum);
    }

    /// Returns samples, in seconds and how often, that fall in the same buckets and have the same sum.
    #[cfg(feature = "_exporters")]
    #[allow(dead_code, reason = "not every exporter hands on samples")]
    pub(crate) fn samples(&self) -> Vec<(f64, u64)> {
        let all: Vec<_> = std::iter::zip(0.., self.buckets)
            .filter(|&(_, count)| count > 0)
            .map(|(bucket, count): (usize, u64)| {
                let lower = bucket.checked_sub(1).map_or(0, |below| upper_bound(below) + 1);
                ((lower, upper_bound(bucket).min(self.max)), count)
            })
            .collect();
        // All stand equally far between the bounds of their buckets.
        let weigh = |bound: fn(&(u64, u64)) -> u64| -> u128 {
            all.iter().map(|(bounds, count)| u128::from(bound(bounds)) * u128::from(*count)).sum()
        };
        let (least, most) = (weigh(|bounds| bounds.0), weigh(|bounds| bounds.1));
        let part = share(self.sum.saturating_sub(least), most.saturating_sub(least));
        let samples = all.into_iter().map(|((lower, upper), count)| {
            let (lower, upper) = (seconds(lower), seconds(upper));
            // Not above the bound, by however little.
            ((lower + part * (upper - lower)).min(upper), count)
        });
        samples.collect()
    }
}

#[cfg(feature = "_exporters")]
#[expect(clippy::cast_precision_loss, reason = "see `seconds`")]
fn share(part: u128, whole: u128) -> f64 {
    if whole == 0 { 1.0 } else { (part as f64 / whole as f64).min(1.0) }
}

#[cfg(all(test, feature = "_exporters", not(limit_loom)))]
mod tests {
    use super::super::{BUCKETS, bucket};
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
        // Numbers all over the place, the bounds of buckets among them.
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
                histogram.record(sample);
                new.record(sample);
            }
            let mut since = histogram.clone();
            since.subtract(&before);
            let told = since.samples();
            let mut told_buckets = [0; BUCKETS];
            let mut sum = 0.0;
            for &(sample, count) in &told {
                let nanoseconds = (sample * 1e9).round() as u64;
                let bucket = bucket(nanoseconds);
                // Not beyond the bounds by rounding.
                let within = |bucket| seconds(upper_bound(bucket));
                assert!(sample <= within(bucket));
                assert!(bucket == 0 || sample > within(bucket - 1));
                told_buckets[bucket] += count;
                sum += sample * count as f64;
            }
            assert_eq!(told_buckets, new.buckets);
            let exact = new.sum as f64 / 1e9;
            assert!((sum - exact).abs() <= exact * 1e-9, "{sum} for {exact}");
            before = histogram.clone();
        }
        histogram.subtract(&before);
        assert!(histogram.samples().is_empty());
    }
}
