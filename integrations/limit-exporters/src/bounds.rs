//! The bounds of the exported histograms.
//!
//! Each bound costs a line of text for each limiter. With more of them, a scrape of very many limiters is slow.

use std::time::Duration;

/// The binary logarithm of the lowest bound in nanoseconds.
const LOWEST: u32 = 18;
/// The binary logarithm of the highest bound in nanoseconds.
const HIGHEST: u32 = 34;
/// The number of powers of two from one bound to the next.
const STEP: u32 = 2;
pub(crate) const BOUNDS: usize = ((HIGHEST - LOWEST) / STEP + 1) as usize;

/// The bounds: every second power of two of nanoseconds, from 262 µs to 17 s.
pub(crate) const DURATIONS: [Duration; BOUNDS] = {
    let mut bounds = [Duration::ZERO; BOUNDS];
    let mut index = 0;
    while index < BOUNDS {
        bounds[index] = Duration::from_nanos(1 << (LOWEST as usize + STEP as usize * index));
        index += 1;
    }
    bounds
};

/// Returns the bounds in seconds.
pub(crate) fn seconds() -> [f64; BOUNDS] {
    DURATIONS.map(|bound| bound.as_secs_f64())
}
