//! Figures of a histogram as exporters show them.

use super::{BUCKETS, Histogram, bucket, upper_bound};

#[allow(dead_code, reason = "each exporter needs a part of it")]
impl Histogram {
    /// Returns the sum of all samples, in seconds.
    pub(crate) fn sum(&self) -> f64 {
        self.total().as_secs_f64()
    }

    /// Returns how many samples lie between bounds that ascend, in nanoseconds: above the bound before, up to
    /// and with the bound itself. The last count is that of the samples above all bounds.
    ///
    /// Counts are exact if each bound is a power of two from 2¹⁰ to 2⁴², or parts such a power and the next
    /// into eighths. A bucket with another bound in it counts as above that bound.
    pub(crate) fn counts_between(&self, bounds: &[u64]) -> Vec<u64> {
        let mut first = 0;
        let mut count_to = |end: usize| {
            // The maximum, so that bounds that do not ascend give zeros in place of a panic.
            let end = end.max(first);
            let count = self.buckets[first..end].iter().sum();
            first = end;
            count
        };
        let mut counts = Vec::with_capacity(bounds.len() + 1);
        for &bound in bounds {
            let last = bucket(bound);
            counts.push(count_to(if upper_bound(last) == bound { last + 1 } else { last }));
        }
        counts.push(count_to(BUCKETS));
        counts
    }
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;

    #[test]
    fn counts_between_powers_of_two_are_exact() {
        let mut histogram = Histogram::default();
        let mut samples = vec![0, 1, u64::MAX];
        for shift in 1..63_u32 {
            let power = 1_u64 << shift;
            samples.extend([power - 1, power, power + 1, power + (power >> 1)]);
        }
        for &sample in &samples {
            histogram.record(sample);
        }
        let bounds: Vec<u64> = (18..=34).step_by(2).map(|shift| 1 << shift).collect();
        let counts = histogram.counts_between(&bounds);
        let mut up_to = 0;
        for (bound, count) in std::iter::zip(bounds, &counts) {
            up_to += count;
            let exact = samples.iter().filter(|&&sample| sample <= bound).count();
            assert_eq!(up_to, exact as u64, "up to {bound} ns");
        }
        assert_eq!(counts.iter().sum::<u64>(), samples.len() as u64);
        assert_eq!(histogram.counts_between(&[]), [samples.len() as u64]);
    }
}
