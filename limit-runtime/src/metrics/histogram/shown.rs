//! The histogram as exporters show it.

use super::seconds;
#[cfg(feature = "prometheus")]
use super::{Histogram, LOWEST, PARTS};

/// log₂ of the nanoseconds of the lowest and of the highest bound that is shown.
const SHOWN: (u32, u32) = (18, 34);
/// log₂ from one bound to the next. Each costs a line for each limiter: more would make a scrape of
/// very many limiters slow.
const STEP: u32 = 2;
const BOUNDS: usize = ((SHOWN.1 - SHOWN.0) / STEP + 1) as usize;

/// The bounds that are shown, in seconds: every second power of two of nanoseconds from 262 µs to 17 s.
pub(crate) fn bounds() -> [f64; BOUNDS] {
    std::array::from_fn(|bound| seconds(1 << (SHOWN.0 as usize + STEP as usize * bound)))
}

#[cfg(feature = "prometheus")]
impl Histogram {
    /// All samples together, in seconds.
    pub(crate) fn sum(&self) -> f64 {
        self.total().as_secs_f64()
    }

    /// How many samples there are between two bounds: up to the first, and last above the highest.
    pub(crate) fn between_bounds(&self) -> [u64; BOUNDS + 1] {
        let first = ((SHOWN.0 - LOWEST) << PARTS) as usize;
        let last = ((SHOWN.1 - LOWEST) << PARTS) as usize;
        let mut counts = [0; BOUNDS + 1];
        counts[0] = self.buckets[..=first].iter().sum();
        let between = self.buckets[first + 1..=last].chunks_exact((STEP << PARTS) as usize);
        for (count, between) in counts[1..].iter_mut().zip(between) {
            *count = between.iter().sum();
        }
        counts[BOUNDS] = self.buckets[last + 1..].iter().sum();
        counts
    }
}

#[cfg(all(test, feature = "prometheus", not(limit_loom)))]
mod tests {
    use super::*;

    #[test]
    fn counts_between_the_bounds_shown_are_exact() {
        let mut histogram = Histogram::default();
        let mut samples = vec![0, 1, u64::MAX];
        for shift in 1..63_u32 {
            let power = 1_u64 << shift;
            samples.extend([power - 1, power, power + 1, power + (power >> 1)]);
        }
        for &sample in &samples {
            histogram.record(sample);
        }
        let counts = histogram.between_bounds();
        let mut up_to = 0;
        for (bound, count) in std::iter::zip((18..=34).step_by(2), counts) {
            up_to += count;
            let exact = samples.iter().filter(|&&sample| sample <= 1 << bound).count();
            assert_eq!(up_to, exact as u64, "up to 2^{bound} ns");
        }
        assert_eq!(counts.iter().sum::<u64>(), samples.len() as u64);
    }
}
