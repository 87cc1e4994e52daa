//! Keys whose permits are leased from a fleet.

use super::super::lease::KeyLease;
use super::Keys;
use super::states::KeyState;

impl Keys {
    /// Returns the limit of a key: its share, if it is leased, or its own, if it has one.
    #[inline]
    pub(in super::super) fn limit_of(&self, number: u32) -> u32 {
        self.limit_of_state(self.states.get(number))
    }

    /// Returns the limit of the key with this state.
    #[inline]
    pub(super) fn limit_of_state(&self, state: &KeyState) -> u32 {
        if self.are_leased {
            state.lease().map_or(0, |lease| lease.share)
        } else {
            state.limit(self.limit)
        }
    }

    /// Returns the limit of a key that is not in use, and has none of its own.
    pub(in super::super) fn limit_of_new(&self) -> u32 {
        if self.are_leased { 0 } else { self.limit }
    }

    /// Returns the lease of a key, if it has one.
    pub(in super::super) fn lease(&self, number: u32) -> Option<&KeyLease> {
        self.states.get(number).lease()
    }

    /// Returns whether more permits of a key are out than its share.
    pub(in super::super) fn is_in_debt(&self, number: u32) -> bool {
        self.states.get(number).in_use > self.limit_of(number)
    }

    /// Returns the numbers of all keys with holders, waiters or a lease.
    pub(in super::super) fn numbers_in_use(&self) -> Vec<u32> {
        self.states.numbers_in_use()
    }

    /// Returns the text of a key.
    pub(in super::super) fn name(&self, number: u32) -> String {
        self.states.name(number)
    }
}
