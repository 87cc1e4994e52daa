//! A call that wants several limits: what it may know of one of them, and permits that it gives back unused.

use super::super::keys::KeySource;
use super::super::slots::{NO_KEY, NO_SLOT};
use super::super::status::ADMITTED;
use super::State;
use crate::events::EventKind;
use crate::policy::{Order, Request};
use crate::sync::AtomicU64;
use std::task::Waker;

impl State {
    /// Returns whether a call that comes now would be admitted at once. Counts nothing. The semaphore must be bound. The
    /// caller serves before it unlocks.
    pub(in super::super) fn would_admit(
        &mut self,
        word: &AtomicU64,
        request: Request,
        key: Option<&dyn KeySource>,
    ) -> bool {
        self.set_slow(word);
        let weight = request.permits();
        if self.modes.is_none() {
            let is_next = self.list.is_empty() || self.order == Order::Lifo;
            return weight == 0 || is_next && weight <= self.bank && weight <= self.heaviest();
        }
        self.look_at_clock_for_call();
        let Some(modes) = self.modes.as_deref() else { return false };
        let is_held_to_limit = request.enabled && !modes.disabled;
        if modes.shadow.is_some() {
            return true;
        }
        if !is_held_to_limit || weight == 0 {
            return !(modes.closed && is_held_to_limit);
        }
        if modes.closed {
            return false;
        }
        let bank = self.bank;
        let number = match (modes.keys.as_ref(), key) {
            (Some(keys), Some(key)) => match key.find(keys) {
                Some(number) => number,
                // All permits of a new key are free.
                None => {
                    return weight <= bank
                        && !keys.has_turns()
                        && !self.whole_is_awaited()
                        && weight <= key.limit_if_new(keys);
                }
            },
            (_, key) => modes.shares.as_deref().map_or(NO_KEY, |shares| {
                key.and_then(KeySource::share).unwrap_or_else(|| shares.rest())
            }),
        };
        (weight == 1 || weight <= self.heaviest_of(number)) && self.has_room(weight, number)
    }

    /// Takes permits back that their call has not used, because it lacked those of another limit. The call does not
    /// count as admitted, and has not started as far as a rate is concerned.
    pub(in super::super) fn take_back_unused(&mut self, word: &AtomicU64, weight: u32, slot: u32) {
        let has_waited = slot != NO_SLOT && self.queue.status(slot) == ADMITTED;
        if !has_waited {
            self.uncount_acquired();
        }
        self.count_unused(slot);
        if let Some(modes) = self.modes.as_deref_mut() {
            if let Some(rate) = &mut modes.rate {
                rate.forget_start(slot);
            }
            if let Some(shares) = modes.shares.as_mut().filter(|_| slot != NO_SLOT) {
                shares.uncount_admitted(self.queue.key(slot));
            }
        }
        self.release(word, weight, slot);
    }

    /// Counts a grant that was not used, for estimates.
    fn count_unused(&mut self, slot: u32) {
        self.counters.count_unused();
        let key = if slot == NO_SLOT { NO_KEY } else { self.queue.key(slot) };
        if let Some(keys) = self.keys_mut().filter(|_| key != NO_KEY) {
            let state = keys.state_mut(key);
            state.admitted = state.admitted.wrapping_sub(1);
        }
    }

    /// Takes back the slot of a waiter that goes to the queue of another limit, and its permits if it was handed any. The
    /// call does not count as cancelled. Its waker is to be dropped after unlocking.
    pub(in super::super) fn pass_on(
        &mut self,
        word: &AtomicU64,
        slot: u32,
        weight: u32,
        was_granted: bool,
    ) -> Option<Waker> {
        if was_granted {
            self.count_unused(slot);
        }
        let waker = self.leave(word, slot, weight, false);
        if was_granted {
            // For subscribers, it undoes the `Admitted` of the grant.
            self.notify(word, EventKind::Released);
        }
        waker
    }
}
