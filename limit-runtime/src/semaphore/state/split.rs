//! Permits of one call that are parted, or put together again.

use super::super::slots::NO_SLOT;
use super::State;

impl State {
    /// Returns the slot for a part of the permits that have that slot.
    ///
    /// Only the slot of a key or a rate says something about the permits. Otherwise a slot is there to
    /// count the call's wait, once, and stays with the rest of the permits.
    pub(in super::super) fn split_slot(&mut self, slot: u32) -> u32 {
        let Some(modes) = self.modes.as_deref_mut().filter(|modes| modes.need_slots()) else {
            return NO_SLOT;
        };
        let part = self.queue.hold(self.queue.key(slot));
        if let Some(rate) = &mut modes.rate {
            rate.split(slot, part);
        }
        part
    }

    /// Frees a slot whose permits are put together with those of `slot`. Returns `false`, and changes
    /// nothing, if they belong to two keys.
    pub(in super::super) fn merge_slots(&mut self, slot: u32, other: u32) -> bool {
        if let Some(modes) = self.modes.as_deref_mut().filter(|modes| modes.need_slots()) {
            if self.queue.key(slot) != self.queue.key(other) {
                return false;
            }
            if let Some(rate) = &mut modes.rate {
                rate.merge(slot, other);
            }
        }
        self.free_slot(other);
        true
    }
}
