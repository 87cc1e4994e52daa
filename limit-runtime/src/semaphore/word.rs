//! The atomic word of a semaphore.
//!
//! ```text
//! 63                32   31   30                0
//! | acquired (u32)  | SLOW |  available (u31)    |
//! ```

use crate::sync::{AtomicU64, Ordering};

/// The bit that sends every call and every permit to the lock.
pub(super) const SLOW: u64 = 1 << 31;

/// The bits that count the free permits.
pub(super) const AVAILABLE: u64 = SLOW - 1;

/// The amount that counts one call in `acquired`.
pub(super) const ONE_ACQUIRED: u64 = 1 << 32;

/// Returns the permits that are free in the word. They fit its 31 bits.
pub(super) fn available(word: &AtomicU64) -> u32 {
    (word.load(Ordering::Relaxed) & AVAILABLE) as u32
}

/// Returns the number of calls that took their permits from the word. It wraps at 2³².
pub(super) fn acquired(word: &AtomicU64) -> u32 {
    (word.load(Ordering::Relaxed) >> 32) as u32
}
