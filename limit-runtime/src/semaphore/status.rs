//! The status of a waiter, which it reads without the lock.
//!
//! A status is one of the constants below, in the lowest bits of a number, and a figure above them.

use crate::sync::AtomicU64;

/// The atomic with the status of one slot's waiter.
pub(super) type StatusCell = &'static AtomicU64;

/// The waiter is in the wait list. A free slot has this status too.
pub(super) const WAITING: u64 = 0;
/// The waiter has been handed its permits, and has not seen it yet.
pub(super) const GRANTED: u64 = 1;
/// The waiter has seen its permits and runs. The figure is how long it waited, in nanoseconds.
pub(super) const ADMITTED: u64 = 2;
/// The waiter was taken out of the wait list without permits, to enter again at the runtime that polls
/// it.
pub(super) const RETRY: u64 = 3;
/// The waiter was taken out of the wait list without permits, and is refused.
pub(super) const REFUSED: u64 = 4;
/// The call has never waited, and runs.
pub(super) const AT_ONCE: u64 = 5;

const FIGURE_SHIFT: u32 = 3;

/// Returns the status in a cell's value.
#[inline]
pub(super) fn status(value: u64) -> u64 {
    value & ((1 << FIGURE_SHIFT) - 1)
}

/// Returns the figure in a cell's value.
#[inline]
pub(super) fn figure(value: u64) -> u64 {
    value >> FIGURE_SHIFT
}

/// Returns a cell's value. A figure that has no room, a wait of more than 73 years, is cut short.
#[inline]
pub(super) fn with_figure(status: u64, figure: u64) -> u64 {
    status | figure.min(u64::MAX >> FIGURE_SHIFT) << FIGURE_SHIFT
}
