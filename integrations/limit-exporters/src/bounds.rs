//! The bounds of the exported histograms.
//!
//! Each bound costs a line of text for each limiter. With more of them, a scrape of very many limiters is slow.

/// The binary logarithm of the lowest bound in nanoseconds.
const LOWEST: u32 = 18;
/// The binary logarithm of the highest bound in nanoseconds.
const HIGHEST: u32 = 34;
/// The number of powers of two from one bound to the next.
const STEP: u32 = 2;
const BOUNDS: usize = ((HIGHEST - LOWEST) / STEP + 1) as usize;

/// The bounds in nanoseconds: every second power of two from 262 µs to 17 s.
pub(super) const NANOSECONDS: [u64; BOUNDS] = {
    let mut bounds = [0; BOUNDS];
    let mut index = 0;
    while index < BOUNDS {
        bounds[index] = 1 << (LOWEST as usize + STEP as usize * index);
        index += 1;
    }
    bounds
};

/// Returns the bounds in seconds.
#[expect(clippy::cast_precision_loss, reason = "a power of two is exact")]
pub(super) fn seconds() -> [f64; BOUNDS] {
    NANOSECONDS.map(|bound| bound as f64 / 1e9)
}
