//! What a call that cannot use the word may know without the lock.

use crate::sync::{AtomicU64, Ordering};

/// The limit of a semaphore that is bound and has no mode but keys on, and what becomes of calls that find too few permits
/// free; [`NONE`](Self::NONE) of any other semaphore. Beside it, whether the limit adapts.
///
/// ```text
/// 63             36   35        31   30        0
/// | binding (u28) |   flags (5)   |  limit (u31) |
/// ```
#[derive(Clone, Copy, Debug)]
pub(super) struct Hint(u64);

const LIMIT: u64 = (1 << 31) - 1;
/// A call that may wait nearly always does.
const QUEUES: u64 = 1 << 31;
/// The word may refuse a call that may not wait.
const REFUSES: u64 = 1 << 32;
/// No call may wait.
const NOBODY_WAITS: u64 = 1 << 33;
/// Keys are on, and no other mode.
const ONLY_KEYS: u64 = 1 << 34;
/// The limit adapts, whatever modes are on.
const ADAPTS: u64 = 1 << 35;
const BINDING: u32 = 36;

impl Hint {
    pub(super) const NONE: Self = Self(0);

    /// Makes the hint of a semaphore.
    pub(super) fn new(limit: u32, binding: u32, max_waiting: u32) -> Self {
        let flags = match max_waiting {
            0 => NOBODY_WAITS,
            u32::MAX => QUEUES,
            _ => 0,
        };
        Self(u64::from(binding) << BINDING | flags | u64::from(limit))
    }

    /// Returns the same for a semaphore whose refusals are nobody's business but the call's.
    pub(super) fn with_refusals(self) -> Self {
        Self(self.0 | REFUSES)
    }

    /// Returns the same for a semaphore on which keys are on, and no other mode.
    pub(super) fn with_only_keys(self) -> Self {
        Self(self.0 | ONLY_KEYS)
    }

    /// Returns the same for a semaphore whose limit adapts.
    pub(super) fn with_adapting(self) -> Self {
        Self(self.0 | ADAPTS)
    }

    /// Returns whether the limit adapts.
    #[inline]
    pub(super) fn adapts(self) -> bool {
        self.0 & ADAPTS != 0
    }

    #[inline]
    pub(super) fn has_only_keys(self) -> bool {
        self.0 & ONLY_KEYS != 0
    }

    /// Returns the number of the binding after one.
    pub(super) fn next_binding(binding: u32) -> u32 {
        (binding + 1) % (1 << (u64::BITS - BINDING))
    }

    pub(super) fn binding(self) -> u32 {
        (self.0 >> BINDING) as u32
    }

    pub(super) fn limit(self) -> u32 {
        (self.0 & LIMIT) as u32
    }

    /// Returns whether a call for so many permits nearly always queues, if it cannot use the word.
    #[inline]
    pub(super) fn queues(self, weight: u32) -> bool {
        self.0 & QUEUES != 0 && weight <= self.limit()
    }

    /// Returns whether a call for so many permits is refused, if too few are free and it may not wait.
    #[inline]
    pub(super) fn refuses(self, weight: u32) -> bool {
        self.0 & REFUSES != 0 && weight <= self.limit()
    }

    pub(super) fn nobody_waits(self) -> bool {
        self.0 & NOBODY_WAITS != 0
    }
}

/// A hint that calls read and the lock's holder writes.
#[derive(Debug)]
pub(super) struct SharedHint(AtomicU64);

impl SharedHint {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(Hint::NONE.0))
    }

    #[inline]
    pub(super) fn load(&self) -> Hint {
        // Relaxed: a call that decides by the hint looks at the word after it.
        Hint(self.0.load(Ordering::Relaxed))
    }

    pub(super) fn store(&self, hint: Hint) {
        self.0.store(hint.0, Ordering::Relaxed);
    }
}
