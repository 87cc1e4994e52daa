//! A semaphore whose limit holds for each key, or parts of whose permits are guaranteed to shares of the calls.
//!
//! These methods take the number of a key, or of a share; [`NO_KEY`] for a semaphore with neither.

use super::super::adapting::Adapting;
use super::super::keys::Keys;
use super::super::modes::Modes;
use super::super::queue::Queue;
use super::super::shares::{Free, Shares};
use super::super::slots::NO_KEY;
use super::super::wait_list::WaitList;
use super::super::wake_list::WakeList;
use super::State;
use crate::policy::{MAX_LIMIT, Order};

impl State {
    /// Returns the keys, if there are any.
    pub(in super::super) fn keys(&self) -> Option<&Keys> {
        self.modes.as_deref()?.keys.as_ref()
    }

    pub(super) fn keys_mut(&mut self) -> Option<&mut Keys> {
        self.modes.as_deref_mut()?.keys.as_mut()
    }

    /// Returns the shares, if there are any.
    pub(in super::super) fn shares(&self) -> Option<&Shares> {
        self.modes.as_deref()?.shares.as_deref()
    }

    pub(super) fn shares_mut(&mut self) -> Option<&mut Shares> {
        self.modes.as_deref_mut()?.shares.as_deref_mut()
    }

    /// Returns the wait list of a key, and the queue. `None` if the key is not there.
    pub(super) fn list_and_queue(&mut self, key: u32) -> Option<(&mut WaitList, &mut Queue)> {
        if key == NO_KEY {
            return Some((&mut self.list, &mut self.queue));
        }
        let list = match self.modes.as_deref_mut()? {
            Modes { keys: Some(keys), .. } => &mut keys.state_mut(key).list,
            Modes { shares: Some(shares), .. } => shares.list_mut(key),
            _ => return None,
        };
        Some((list, &mut self.queue))
    }

    /// Returns whether enough permits are free for a call that comes now.
    pub(super) fn has_room(&mut self, weight: u32, key: u32) -> bool {
        let (bank, lifo) = (self.bank, self.order == Order::Lifo);
        let is_awaited = self.whole_is_awaited();
        match self.modes.as_deref() {
            Some(Modes { shares: Some(shares), .. }) => {
                let free = Free { permits: bank, is_awaited };
                shares.has_room(&mut self.queue, free, key, weight, lifo)
            }
            _ if is_awaited => false,
            Some(Modes { keys: Some(keys), .. }) => {
                weight <= bank && !keys.has_turns() && keys.has_room(key, weight, lifo)
            }
            _ => weight <= bank && (self.list.is_empty() || lifo),
        }
    }

    /// Returns the most permits that a call of a key may want, at least one. At limit 0, which pauses, there is no bound.
    /// With shares it takes an allocation.
    pub(super) fn heaviest_of(&self, key: u32) -> u32 {
        let heaviest = match self.keys().filter(|keys| key != NO_KEY && keys.has_own_limits()) {
            Some(keys) => self.heaviest_under(Some(keys.limit_of(key))),
            None => self.heaviest(),
        };
        match self.shares() {
            // The whole permits of a share may become fewer while the limit grows (the Alabama paradox of this way to share
            // out). They do so in the same way for each hundred permits.
            Some(shares) if heaviest < u32::MAX && self.adapts() => {
                let limits = heaviest..=heaviest.saturating_add(100).min(MAX_LIMIT);
                limits.map(|limit| shares.heaviest(key, limit)).min().unwrap_or(heaviest)
            }
            Some(shares) if heaviest < u32::MAX => shares.heaviest(key, heaviest),
            _ => heaviest,
        }
    }

    /// Returns the most permits that a call may want, apart from the bounds of its share and of a key that has a limit of
    /// its own.
    pub(super) fn heaviest(&self) -> u32 {
        self.heaviest_under(self.keys().map(|keys| keys.limit))
    }

    /// Returns the most permits that a call may want whose key has a limit.
    pub(super) fn heaviest_under(&self, of_key: Option<u32>) -> u32 {
        if self.is_single {
            return 1;
        }
        // A limit that adapts may go down to the lowest at any time, and no limit is in force while calls are held off.
        // Permits that are not let in yet need only be waited for.
        let whole = self.adapting.as_deref().map_or_else(|| self.whole_limit(), Adapting::heaviest);
        let bounds = [of_key.unwrap_or(whole), whole].into_iter();
        bounds.filter(|&bound| bound > 0).min().unwrap_or(u32::MAX)
    }

    /// Returns the limit that a call is held to: with keys, the limit of each.
    pub(super) fn limit_of_call(&self) -> u32 {
        self.keys().map_or_else(|| self.whole_limit(), |keys| keys.limit)
    }

    /// Returns the limit that a call of a key is held to.
    pub(super) fn limit_of_key(&self, key: u32) -> u32 {
        match self.keys().filter(|_| key != NO_KEY) {
            Some(keys) => keys.limit_of(key),
            None => self.limit_of_call(),
        }
    }

    /// Hands permits to the waiter that is served next, if there are enough. Adds its waker to those to be woken.
    /// Returns whether it did.
    #[inline]
    pub(super) fn serve_next(&mut self, wakers: &mut WakeList) -> bool {
        if self.growers().is_some() && self.serve_grower(wakers) {
            return true;
        }
        let is_awaited = self.whole_is_awaited();
        let Self { bank, list, queue, modes, .. } = self;
        let served = match modes.as_deref_mut() {
            Some(Modes { shares: Some(shares), .. }) => {
                shares.serve_next(queue, Free { permits: *bank, is_awaited })
            }
            _ if is_awaited => None,
            Some(Modes { keys: Some(keys), .. }) => keys.serve_next(queue, *bank),
            _ => {
                let weight = queue.head_weight(list).filter(|weight| weight <= bank);
                weight.map(|weight| (weight, queue.serve(list)))
            }
        };
        let Some((weight, waker)) = served else { return false };
        *bank -= weight;
        wakers.push(waker);
        true
    }

    /// Returns the key whose first waiter is served next, if there are enough permits for it. Without keys that is
    /// [`NO_KEY`].
    pub(super) fn next_key(&mut self) -> Option<u32> {
        let is_awaited = self.whole_is_awaited();
        let Self { bank, list, queue, modes, .. } = self;
        let (key, list) = match modes.as_deref_mut() {
            Some(Modes { keys: Some(keys), .. }) => {
                let key = keys.next()?;
                (key, &keys.state_mut(key).list)
            }
            Some(Modes { shares: Some(shares), .. }) => {
                return shares.next_share(queue, Free { permits: *bank, is_awaited });
            }
            _ => (NO_KEY, &*list),
        };
        (queue.head_weight(list)? <= *bank).then_some(key)
    }

    /// Returns how many calls wait for a key; without one, how many wait.
    pub(super) fn waiting(&mut self, key: u32) -> usize {
        match self.modes.as_deref_mut() {
            Some(Modes { keys: Some(keys), .. }) if key != NO_KEY => {
                keys.state_mut(key).waiting as usize
            }
            Some(Modes { shares: Some(shares), .. }) if key != NO_KEY => {
                shares.waiting(key) as usize
            }
            _ => self.queue.len(),
        }
    }

    /// Returns whether no more calls of a key may wait: as many wait as may for each, or for all together.
    pub(super) fn is_full_for(&mut self, key: u32) -> bool {
        let (growing, of_key) = self.waiting_to_grow(key);
        let (all, most) = (self.queue.len() - growing, self.max_waiting as usize);
        self.is_full_of_all_keys() || all >= most && self.waiting(key) - of_key >= most
    }

    /// Returns whether as many calls of all keys together wait as may.
    pub(super) fn is_full_of_all_keys(&self) -> bool {
        let (growing, _) = self.waiting_to_grow(NO_KEY);
        self.max_waiting_total().is_some_and(|most| self.queue.len() - growing >= most)
    }

    /// Returns how many calls of all keys together may wait now.
    pub(super) fn max_waiting_total(&self) -> Option<usize> {
        // A question withholds permits from calls, and refuses none of them.
        let more = self.adapting.as_deref().map_or(0, |adapting| adapting.controller.dip());
        Some(self.keys()?.max_waiting.saturating_add(more) as usize)
    }

    /// Returns the keys with waiters. Without keys that is [`NO_KEY`].
    pub(super) fn keys_with_waiters(&self) -> Vec<u32> {
        match self.modes.as_deref() {
            Some(Modes { keys: Some(keys), .. }) => keys.waited_for().iter().copied().collect(),
            Some(Modes { shares: Some(shares), .. }) => shares.waited_for().collect(),
            _ => vec![NO_KEY],
        }
    }

    /// Returns the waiters of a key: slot and weight.
    pub(super) fn waiters(&mut self, key: u32) -> Vec<(u32, u32)> {
        self.list_and_queue(key).map(|(list, queue)| queue.waiters(list)).unwrap_or_default()
    }

    /// Counts more, or fewer, waiters of a key.
    pub(super) fn count_waiting(&mut self, key: u32, more: i32) {
        if key == NO_KEY {
            return;
        }
        if let Some(keys) = self.keys_mut() {
            let state = keys.state_mut(key);
            state.waiting = state.waiting.saturating_add_signed(more);
        } else if let Some(shares) = self.shares_mut() {
            shares.count_waiting(key, more);
        }
    }

    /// Notes that a waiter has left the list of its key.
    pub(super) fn no_longer_waits(&mut self, key: u32) {
        self.count_waiting(key, -1);
        if self.growers().is_some() {
            self.modes_mut().growers.forget_those_gone();
            self.note_growers_of(key);
            self.forget_pace();
        }
        self.refresh_turn(key);
    }

    /// Takes permits of a key for a call that is admitted.
    pub(super) fn take_of_key(&mut self, key: u32, weight: u32) {
        if key == NO_KEY {
            return;
        }
        if let Some(keys) = self.keys_mut() {
            keys.state_mut(key).take(weight);
        } else if let Some(shares) = self.shares_mut() {
            shares.take(key, weight);
        }
    }

    /// Takes permits of a key back.
    pub(super) fn give_back_of_key(&mut self, key: u32, weight: u32) {
        if key == NO_KEY {
            return;
        }
        match self.modes.as_deref_mut() {
            Some(Modes { keys: Some(keys), garbage, .. }) => {
                keys.give_back(&mut self.queue, key, weight, self.debt, garbage);
            }
            Some(Modes { shares: Some(shares), .. }) => shares.give_back(key, weight),
            _ => {}
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
