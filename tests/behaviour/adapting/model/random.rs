//! Numbers that are the same in each run.

/// The generator `SplitMix64` (G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
#[derive(Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    /// Returns a number below `end`.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ mixed >> 31) % u64::from(end)).expect("it is below")
    }

    /// Takes one of the items, if there are any.
    pub(super) fn take<T>(&mut self, items: &mut Vec<T>) -> Option<T> {
        let count = u32::try_from(items.len()).expect("they are few");
        (count > 0).then(|| items.swap_remove(self.below(count) as usize))
    }
}
