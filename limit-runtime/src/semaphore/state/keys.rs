//! A semaphore whose limit holds for each key.
//!
//! These methods take the number of a key, [`NO_KEY`] for a semaphore without keys.

use super::super::keys::Keys;
use super::super::modes::Modes;
use super::super::queue::Queue;
use super::super::slots::NO_KEY;
use super::super::wait_list::WaitList;
use super::super::wake_list::WakeList;
use super::State;
use crate::policy::Order;

impl State {
    /// Returns the keys, if there are any.
    pub(in super::super) fn keys(&self) -> Option<&Keys> {
        self.modes.as_deref()?.keys.as_ref()
    }

    pub(super) fn keys_mut(&mut self) -> Option<&mut Keys> {
        self.modes.as_deref_mut()?.keys.as_mut()
    }

    /// Returns the wait list of a key, and the queue. `None` if the key is not there.
    pub(super) fn list_and_queue(&mut self, key: u32) -> Option<(&mut WaitList, &mut Queue)> {
        if key == NO_KEY {
            return Some((&mut self.list, &mut self.queue));
        }
        let keys = self.modes.as_deref_mut()?.keys.as_mut()?;
        Some((&mut keys.state_mut(key).list, &mut self.queue))
    }

    /// Returns whether enough permits are free for a call that comes now.
    pub(super) fn has_room(&mut self, weight: u32, key: u32) -> bool {
        let (bank, lifo) = (self.bank, self.order == Order::Lifo);
        match self.keys_mut() {
            Some(keys) => weight <= bank && !keys.has_turns() && keys.has_room(key, weight, lifo),
            None => weight <= bank && (self.list.is_empty() || lifo),
        }
    }

    /// Returns the most permits that a call may want. At limit 0, which pauses, there is no bound.
    pub(super) fn heaviest(&self) -> u32 {
        if self.is_single {
            return 1;
        }
        let bounds = [self.limit_of_call(), self.limit].into_iter();
        bounds.filter(|&bound| bound > 0).min().unwrap_or(u32::MAX)
    }

    /// Returns the limit that a call is held to: with keys, the limit of each.
    pub(super) fn limit_of_call(&self) -> u32 {
        self.keys().map_or(self.limit, |keys| keys.limit)
    }

    /// Hands permits to the waiter that is served next, if there are enough. Adds its waker to those to be woken.
    /// Returns whether it did.
    #[inline]
    pub(super) fn serve_next(&mut self, wakers: &mut WakeList) -> bool {
        let Self { bank, list, queue, modes, .. } = self;
        let served = if let Some(Modes { keys: Some(keys), .. }) = modes.as_deref_mut() {
            keys.serve_next(queue, *bank)
        } else {
            let weight = queue.head_weight(list).filter(|weight| weight <= bank);
            weight.map(|weight| (weight, queue.serve(list)))
        };
        let Some((weight, waker)) = served else { return false };
        *bank -= weight;
        wakers.push(waker);
        true
    }

    /// Returns how many calls wait for a key; without one, how many wait.
    pub(super) fn waiting(&mut self, key: u32) -> usize {
        match self.keys_mut().filter(|_| key != NO_KEY) {
            Some(keys) => keys.state_mut(key).waiting as usize,
            None => self.queue.len(),
        }
    }

    /// Returns the keys with waiters. Without keys that is [`NO_KEY`].
    pub(super) fn keys_with_waiters(&self) -> Vec<u32> {
        match self.keys() {
            Some(keys) => keys.waited_for().iter().copied().collect(),
            None => vec![NO_KEY],
        }
    }

    /// Returns the waiters of a key: slot and weight.
    pub(super) fn waiters(&mut self, key: u32) -> Vec<(u32, u32)> {
        self.list_and_queue(key).map(|(list, queue)| queue.waiters(list)).unwrap_or_default()
    }

    /// Counts more, or fewer, waiters of a key.
    pub(super) fn count_waiting(&mut self, key: u32, more: i32) {
        if let Some(keys) = self.keys_mut().filter(|_| key != NO_KEY) {
            let state = keys.state_mut(key);
            state.waiting = state.waiting.saturating_add_signed(more);
        }
    }

    /// Notes that a waiter has left the list of its key.
    pub(super) fn no_longer_waits(&mut self, key: u32) {
        self.count_waiting(key, -1);
        self.refresh_turn(key);
    }

    /// Takes permits of a key for a call that is admitted.
    pub(super) fn take_of_key(&mut self, key: u32, weight: u32) {
        if let Some(keys) = self.keys_mut().filter(|_| key != NO_KEY) {
            keys.state_mut(key).take(weight);
        }
    }

    /// Takes permits of a key back.
    pub(super) fn give_back_of_key(&mut self, key: u32, weight: u32) {
        if let Some(Modes { keys: Some(keys), garbage, .. }) = self.modes.as_deref_mut() {
            if key != NO_KEY {
                keys.give_back(&mut self.queue, key, weight, self.debt, garbage);
            }
        }
    }

    /// Gives a key a turn, or takes its turn away, after something about it has changed.
    pub(super) fn refresh_turn(&mut self, key: u32) {
        if let Some(Modes { keys: Some(keys), .. }) = self.modes.as_deref_mut() {
            if key != NO_KEY {
                keys.refresh(&mut self.queue, key);
            }
        }
    }

    /// Forgets a key that has neither holders nor waiters.
    pub(super) fn forget_if_idle(&mut self, key: u32) {
        if let Some(Modes { keys: Some(keys), garbage, .. }) = self.modes.as_deref_mut() {
            if key != NO_KEY {
                keys.forget_if_idle(key, garbage);
            }
        }
    }
}
