//! Samples that are to be told one by one, after the event.

use super::{Histogram, seconds, upper_bound};

impl Histogram {
    /// Samples, in seconds and how often, that fall in the same buckets as those that have come
    /// since `before`, and whose sum is the same.
    pub(crate) fn since(&self, before: Option<&Self>) -> Vec<(f64, u64)> {
        let new: Vec<_> = std::iter::zip(0.., self.buckets)
            .filter_map(|(bucket, count): (usize, u64)| {
                let known = before.map_or(0, |before| before.buckets[bucket]);
                let new = count.checked_sub(known).filter(|&new| new > 0)?;
                let lower = bucket.checked_sub(1).map_or(0, |below| upper_bound(below) + 1);
                Some(((lower, upper_bound(bucket).min(self.max)), new))
            })
            .collect();
        // All stand equally far between the bounds of their buckets.
        let weigh = |bound: fn(&(u64, u64)) -> u64| -> u128 {
            new.iter().map(|(bounds, new)| u128::from(bound(bounds)) * u128::from(*new)).sum()
        };
        let (least, most) = (weigh(|bounds| bounds.0), weigh(|bounds| bounds.1));
        let sum = self.sum.saturating_sub(before.map_or(0, |before| before.sum));
        let part = share(sum.saturating_sub(least), most - least);
        let samples = new.into_iter().map(|((lower, upper), new)| {
            let (lower, upper) = (seconds(lower), seconds(upper));
            // Not above the bound, by however little.
            ((lower + part * (upper - lower)).min(upper), new)
        });
        samples.collect()
    }

    /// Adds what the other has and this one has not.
    #[cfg(feature = "opentelemetry")]
    pub(crate) fn catch_up(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine = (*mine).max(*theirs);
        }
        self.count = self.buckets.iter().sum();
        self.sum = self.sum.max(other.sum);
        self.max = self.max.max(other.max);
    }
}

#[expect(clippy::cast_precision_loss, reason = "see `seconds`")]
fn share(part: u128, whole: u128) -> f64 {
    if whole == 0 { 1.0 } else { (part as f64 / whole as f64).min(1.0) }
}

#[cfg(all(test, not(limit_loom)))]
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
        let mut before = None;
        for round in 1..4 {
            let mut new = Histogram::default();
            for sample in samples(round) {
                histogram.record(sample);
                new.record(sample);
            }
            let told = histogram.since(before.as_ref());
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
            before = Some(histogram.clone());
        }
        assert!(histogram.since(before.as_ref()).is_empty());
    }
}
