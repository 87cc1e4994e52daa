//! The rank of a waiter that may have a priority or a deadline.
//!
//! A waiter is served as though it had come one second earlier for each level of its priority. Its
//! *rank* is the time at which it came, less its priority in seconds, and the lowest rank is served
//! next. So of calls that come at about the same time the one with the higher priority is first, and
//! within one priority the first is first. A call that has waited for as many seconds as a newcomer
//! is levels above it goes before the newcomer. So no call waits for ever under a steady stream of
//! higher priorities. Ranks never change: all waiters age alike.
//!
//! Where the earliest deadline is first, the rank is the deadline.

use std::sync::OnceLock;
use std::time::Duration;
use tokio::time::Instant;

/// A time in nanoseconds. Its lowest bits are the level instead: of two waiters with one time the one with the
/// lower priority came earlier, and goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(u64);

/// The time that one level of priority is worth, in nanoseconds.
const LEVEL: u64 = 1_000_000_000;
/// The bits of a level.
const LEVELS: u64 = (1 << 9) - 1;
/// The time that stands for the start, in the middle of all: a paused clock may be behind.
const MIDDLE: u64 = 1 << 62;

const _: () = assert!(LEVEL & LEVELS == 0, "a level of priority leaves the lowest bits alone");

impl Rank {
    /// The rank of a waiter whose grant was taken back: it is before all others.
    pub(super) const FRONT: Self = Self(0);

    /// Returns the rank of a call that comes now.
    pub(super) fn new(now: Instant, priority: u8) -> Self {
        let time = time(now);
        Self(((time - LEVEL * u64::from(priority)) & !LEVELS) | Self::level_of(priority))
    }

    /// Returns the rank of a call by its deadline, if it has one. Such ranks have no levels.
    pub(super) fn of_deadline(deadline: Option<Instant>) -> Self {
        deadline.map_or(Self(u64::MAX), |deadline| Self(time(deadline)))
    }

    /// Returns whether the deadline that the rank is of is over.
    pub(super) fn is_over(self, now: Instant) -> bool {
        self != Self::FRONT && self.0 <= time(now)
    }

    /// Returns the rank of a call without a priority that comes at the same time.
    pub(super) fn without_priority(self) -> Self {
        Self(((self.0 & !LEVELS) + LEVEL * (self.level() - 1)) | 1)
    }

    /// Returns the number of a priority's level, which is above 0.
    pub(super) fn level_of(priority: u8) -> u64 {
        u64::from(priority) + 1
    }

    /// Returns the number of the level. Each priority is a level, and those in front are one.
    #[inline]
    pub(super) fn level(self) -> u64 {
        self.0 & LEVELS
    }
}

/// Returns a moment in nanoseconds, from some moment on that is the same for all.
fn time(moment: Instant) -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = *START.get_or_init(|| moment);
    match moment.checked_duration_since(start) {
        Some(after) => MIDDLE + nanoseconds(after),
        None => MIDDLE - nanoseconds(start - moment),
    }
}

/// Returns a time in nanoseconds, 73 years at most.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).min(MIDDLE / 2)
}
