//! Random numbers that a seed decides.

use std::time::Duration;

/// A generator of random numbers: `SplitMix64`, from Steele, Lea and Flood, *Fast Splittable
/// Pseudorandom Number Generators* (2014). Two generators with one seed give the same numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns another generator, for code that runs beside this one's.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end)).expect("it is below a `u32`")
    }

    /// Returns a number from `least` to `most`, both included.
    pub(crate) fn between(&mut self, least: u32, most: u32) -> u32 {
        least + self.below(most - least + 1)
    }

    /// Returns `true` one time in `times`.
    pub(crate) fn one_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }

    /// Returns one element of a slice, which is not empty.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let number = usize::try_from(self.next() % from.len() as u64);
        &from[number.expect("it is below a `usize`")]
    }

    /// Returns a duration from `least` to `most` microseconds, both included.
    pub(crate) fn micros(&mut self, least: u32, most: u32) -> Duration {
        Duration::from_micros(self.between(least, most).into())
    }
}
