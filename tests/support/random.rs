//! Random numbers that are the same in each run.

/// A generator of small numbers: xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators,
/// scrambled", 2016).
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Makes a generator. Each seed gives other numbers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Returns a number below the bound, which is not 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as u32 % bound
    }

    /// Returns an index into so many items, of which there is one at least.
    ///
    /// # Panics
    ///
    /// If there are more than 2³² items.
    pub fn index(&mut self, length: usize) -> usize {
        self.below(u32::try_from(length).expect("few")) as usize
    }
}
