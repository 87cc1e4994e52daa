//! The short way of a call whose limit holds for each key, while no other mode is on and its permits are free.
//!
//! SLOW is set for as long as there are keys. So all permits are in the bank, and none is in the word.

use super::super::keys::KeySource;
use super::super::modes::Modes;
use super::super::slots::NO_KEY;
use super::State;
use crate::policy::Order;

impl State {
    /// Returns whether keys are on and nothing else is.
    #[inline]
    pub(in super::super) fn has_only_keys(&self) -> bool {
        self.modes.as_deref().is_some_and(|modes| modes.only_keys)
    }

    /// Finds out whether keys are on and nothing else is. To be called under the same lock as anything that
    /// turns a mode on.
    pub(in super::super) fn note_only_keys(&mut self) -> bool {
        let is_bound = self.is_bound() && self.leasing.is_none();
        let Some(modes) = self.modes.as_deref_mut() else { return false };
        modes.only_keys = is_bound && modes.keys.is_some() && modes.are_others_off();
        modes.only_keys
    }

    /// Takes permits for a call of a key if they are free, and nothing but keys is on. Returns the call's slot.
    /// Otherwise changes nothing.
    #[inline]
    pub(in super::super) fn admit_of_key(
        &mut self,
        weight: u32,
        key: &impl KeySource,
    ) -> Option<u32> {
        let Some(Modes { keys: Some(keys), only_keys: true, .. }) = self.modes.as_deref_mut()
        else {
            return None;
        };
        let has_room = weight <= self.bank && !keys.has_turns();
        if !has_room || weight == 0 || (weight > 1 && self.is_single) {
            return None;
        }
        let key = key.admit(keys, weight, self.order == Order::Lifo)?;
        self.bank -= weight;
        self.counters.admitted_at_once += 1;
        Some(self.queue.hold(key))
    }

    /// Takes permits and their slot back. Returns whether calls wait, so that the caller is to serve. Returns `None`,
    /// and does nothing, if more is on than keys.
    #[inline]
    pub(in super::super) fn release_of_key(&mut self, weight: u32, slot: u32) -> Option<bool> {
        if !self.has_only_keys() {
            return None;
        }
        let (key, counts) = self.queue.finish_of_key(slot);
        debug_assert_ne!(key, NO_KEY, "each slot is one of a key");
        if counts {
            self.count_waits();
        }
        self.bank_permits(weight);
        let Self { queue, modes, debt, .. } = self;
        let Some(Modes { keys: Some(keys), garbage, .. }) = modes.as_deref_mut() else {
            return None;
        };
        keys.give_back(queue, key, weight, *debt, garbage);
        Some(keys.has_waiters())
    }
}
