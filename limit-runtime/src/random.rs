//! Small random numbers for tests. They are the same in each run.

/// A generator (xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", 2016).
pub(crate) struct Random(u64);

impl Random {
    /// Makes the generator of a test's case.
    pub(crate) fn new(case: u64) -> Self {
        // Cases that are near each other begin far apart, and none with 0.
        Self(case.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).expect("31 bits") % bound
    }

    #[cfg(feature = "diagnostics")]
    pub(crate) fn is_one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}
