//! The status of a waiter, which it reads without the lock.
//!
//! A status is one of the constants below, in the lowest bits of a number, and a figure above them.

use crate::sync::AtomicU64;

/// The atomic with the status of one slot's waiter.
pub(super) type StatusCell = &'static AtomicU64;

/// The waiter is in the wait list. A free slot has this status too. The figure is the moment at which a reading
/// first saw the waiter (see [`first_seen`]), or its former grant.
pub(super) const WAITING: u64 = 0;
/// The waiter has been handed its permits, and has not claimed them yet. The figure is the grant: see
/// [`granted`].
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
/// The grant of the waiter was taken back. The waiter is in no wait list until it is polled. The figure is the
/// former grant.
pub(super) const AWAY: u64 = 6;

const FIGURE_SHIFT: u32 = 3;
/// The bits of a weight in the figure of a grant. The number of the grant is above it.
const WEIGHT_BITS: u32 = 31;
const NUMBER_MASK: u32 = (1 << 30) - 1;

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

/// Returns the value of a cell whose waiter is granted `weight` permits.
///
/// The value tells one grant of a slot from the next, until 2³⁰ grants later. It keeps the weight, because the slot's
/// own is 1 again by then.
#[inline]
pub(super) fn granted(number: u32, weight: u32) -> u64 {
    // The shift drops the two highest bits of the number.
    GRANTED | u64::from(weight) << FIGURE_SHIFT | u64::from(number) << (WEIGHT_BITS + FIGURE_SHIFT)
}

/// Returns the value with another status, and the same figure.
#[inline]
pub(super) fn with_status(value: u64, status: u64) -> u64 {
    status | figure(value) << FIGURE_SHIFT
}

/// Returns the weight of a grant.
#[expect(clippy::cast_possible_truncation, reason = "a weight has 31 bits")]
pub(super) fn grant_weight(value: u64) -> u32 {
    figure(value) as u32 & ((1 << WEIGHT_BITS) - 1)
}

/// Returns the number of a grant.
#[expect(clippy::cast_possible_truncation, reason = "a number has 30 bits")]
pub(super) fn grant_number(value: u64) -> u32 {
    (figure(value) >> WEIGHT_BITS) as u32
}

/// Returns whether one grant was made before another. Numbers wrap, so the one that is less than half of all
/// numbers behind is the earlier.
pub(super) fn is_earlier(grant: u64, other: u64) -> bool {
    let ahead = grant_number(other).wrapping_sub(grant_number(grant)) & NUMBER_MASK;
    ahead != 0 && ahead <= NUMBER_MASK / 2
}

/// Returns whether a value is that of a waiter that is back in the wait list after its grant was taken back.
pub(super) fn is_back(value: u64) -> bool {
    status(value) == WAITING && grant_weight(value) != 0
}

/// Returns the value of a cell whose waiter a reading has seen first at the moment with this number, which is not 0
/// and has 30 bits. No grant has weight 0, so the value is told from one with a former grant.
#[cfg(feature = "inspect")]
pub(super) fn first_seen(number: u32) -> u64 {
    WAITING | u64::from(number & NUMBER_MASK) << (WEIGHT_BITS + FIGURE_SHIFT)
}

/// Returns the number of the moment at which a reading first saw a waiter; `None` if no reading has. The waiter must
/// not be [back](is_back).
#[cfg(feature = "inspect")]
pub(super) fn seen_at(value: u64) -> Option<u32> {
    Some(grant_number(value)).filter(|&number| number != 0)
}

/// Returns how much later one moment is than another, by their numbers. Numbers wrap, so one that is less than half
/// of all numbers behind is no later.
#[cfg(feature = "inspect")]
pub(super) fn later_by(number: u32, other: u32) -> u32 {
    let ahead = number.wrapping_sub(other) & NUMBER_MASK;
    if ahead > NUMBER_MASK / 2 { 0 } else { ahead }
}
