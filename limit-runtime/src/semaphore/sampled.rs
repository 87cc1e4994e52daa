//! The mark on the slot of a call from whose time a limit that adapts learns.
//!
//! The mark stands in the number that the permit keeps, and nowhere else. No slot has it, so a permit with the mark takes
//! none of the short ways on which a slot's number is compared with others.

use super::slots::NOTHING;

/// Slots are below this number: there is no memory for so many waiters.
const MARK: u32 = 1 << 31;

/// Marks a slot.
pub(super) fn mark(slot: u32) -> u32 {
    debug_assert!(slot < MARK, "slots are below the mark");
    slot | MARK
}

/// Returns whether a slot has the mark.
#[inline]
pub(super) fn is_marked(slot: u32) -> bool {
    (MARK..NOTHING).contains(&slot)
}

/// Returns the slot without the mark.
#[inline]
pub(super) fn without_mark(slot: u32) -> u32 {
    if is_marked(slot) { slot & !MARK } else { slot }
}
