//! A changed limit or policy, and the binding.

use super::super::hint::Hint;
use super::super::keys::{Keys, OwnLimits};
use super::super::lease::LeaseWords;
use super::super::moment;
use super::super::queue::{Joined, Joining};
use super::super::release_rate::ReleaseRate;
use super::super::slots::NO_KEY;
use super::super::status::RETRY;
use super::super::wait_list::{Position, WaitList};
use super::super::wake_list::WakeList;
use super::{ALL_SHORT, Binding, State};
use crate::policy::{Force, Order, Policy};
use crate::rejected::RejectedKind;
use crate::share::Share;
use crate::sync::AtomicU64;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

impl State {
    /// Makes the caller the one that resolves the limit, unless another has or does. Returns whether it
    /// is.
    pub(in super::super) fn claim(&mut self) -> bool {
        let claims = self.binding == Binding::Unbound;
        if claims {
            self.binding = Binding::Claimed;
        }
        claims
    }

    /// Gives a claim up, because the caller could not resolve the limit. Those who wait for it retry, and
    /// the next caller is to resolve it. Does nothing if another has bound the semaphore meanwhile.
    pub(in super::super) fn unclaim(&mut self, wakers: &mut WakeList) {
        if self.binding == Binding::Claimed {
            self.binding = Binding::Unbound;
            self.dismiss_waiters_for_limit(wakers);
        }
    }

    /// Joins the calls that wait for the limit, which another caller resolves.
    pub(in super::super) fn wait_for_limit(&mut self, weight: u32, waker: Waker) -> Joined {
        // Position and key do not matter: the call enters again when the limit is known. The list is not ranked,
        // because it is new since the semaphore was unbound.
        let joining = Joining { weight, key: NO_KEY, waker };
        self.queue.join(&mut self.list, Position::Last, joining)
    }

    /// Tells all that wait for the limit to retry. It must be all of them under one lock: after unlocking
    /// another caller may bind, and then calls wait for permits.
    fn dismiss_waiters_for_limit(&mut self, wakers: &mut WakeList) {
        while !self.list.is_empty() {
            let head = self.list.head();
            wakers.push(self.queue.dismiss(&mut self.list, head, RETRY));
        }
        // They have not waited for a permit, and do not count.
        self.queue.restart_longest();
    }

    /// Binds the semaphore to a limit, and with keys to a total over all of them. Those who wait for the
    /// limit retry.
    pub(in super::super) fn bind(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        (policy, shares, ramp): (&Policy, &'static [Share], Option<Duration>),
        limit: u32,
        owner: u32,
        wakers: &mut WakeList,
    ) {
        self.set_slow(word);
        self.dismiss_waiters_for_limit(wakers);
        self.owner = owner;
        self.is_single = policy.is_single;
        self.binding = Binding::Bound;
        self.binding_number = Hint::next_binding(self.binding_number);
        self.forget_own_pace();
        self.release_rate = ReleaseRate::since(self.checkpoint(word, moment::now()));
        self.max_waiting = policy.max_waiting;
        self.set_order(policy.order);
        if policy.needs_modes() || !shares.is_empty() || ramp.is_some() {
            // There may be modes already: an unbound semaphore may have drainers.
            self.modes_mut().begin(policy, shares, ramp);
        }
        if self.keys_mut().is_some() {
            self.set_total(word, policy.total, wakers);
        }
        self.lease_keys(word, words, wakers);
        self.set_limit(word, limit, wakers);
    }

    /// Unbinds the semaphore if it is idle. Returns whether it did. The caller has changed the word
    /// before, by a call in `acquired` that was none.
    pub(in super::super) fn unbind(&mut self, word: &AtomicU64) -> bool {
        self.acquired_before += 1;
        self.set_slow(word);
        if !self.is_idle(word) {
            if self.queue.len() == 0 {
                self.clear_slow(word);
            }
            return false;
        }
        self.binding = Binding::Unbound;
        self.adapting = None;
        self.bank = 0;
        self.debt = 0;
        self.limit = 0;
        self.list = WaitList::new();
        self.max_waiting = u32::MAX;
        self.set_order(Order::Fifo);
        self.release_rate = ReleaseRate::default();
        self.forget_own_pace();
        true
    }

    fn set_order(&mut self, order: Order) {
        self.order = order;
        self.short_way = if order == Order::Deadline { 0 } else { ALL_SHORT };
    }

    /// Changes the limit that a call is held to: with keys, the limit of each.
    pub(in super::super) fn set_limit(
        &mut self,
        word: &AtomicU64,
        limit: u32,
        wakers: &mut WakeList,
    ) {
        self.set_slow(word);
        self.doubt_growers();
        if let Some(keys) = self.keys_mut() {
            let was_paused = std::mem::replace(&mut keys.limit, limit) == 0;
            if was_paused {
                self.forget_pace();
            }
            for key in self.keys_with_waiters() {
                self.refresh_turn(key);
            }
        } else {
            self.change_whole_limit(limit);
        }
        self.dismiss_too_heavy(word, wakers);
    }

    /// Changes the limit over all keys. Returns whether there are keys.
    pub(in super::super) fn set_total(
        &mut self,
        word: &AtomicU64,
        total: u32,
        wakers: &mut WakeList,
    ) -> bool {
        self.set_slow(word);
        let is_keyed = self.keys_mut().is_some();
        if is_keyed {
            self.change_whole_limit(total);
            self.dismiss_too_heavy(word, wakers);
        }
        is_keyed
    }

    /// Replaces the limits of single keys. Keys in use keep theirs until they are
    /// [looked up](Self::find_own_limits).
    pub(in super::super) fn replace_own_limits(&mut self, own: Option<Arc<OwnLimits>>) {
        let Some(modes) = self.modes.as_deref_mut() else { return };
        let Some(keys) = &mut modes.keys else { return };
        if let Some(former) = keys.replace_own_limits(own) {
            // It may contain users' keys.
            modes.garbage.push(Box::new(former));
        }
    }

    /// Looks up the own limits of some thousands of keys: see [`Keys::find_own_limits`]. After the last, refuses the
    /// waiters that want more permits than a call of their key may now.
    pub(in super::super) fn find_own_limits(
        &mut self,
        word: &AtomicU64,
        from: u32,
        wakers: &mut WakeList,
    ) -> Option<u32> {
        let Self { queue, modes, .. } = self;
        let next = modes.as_deref_mut()?.keys.as_mut()?.find_own_limits(queue, from);
        if next.is_none() {
            self.doubt_growers();
            self.dismiss_too_heavy(word, wakers);
        }
        next
    }

    pub(super) fn change_limit(&mut self, limit: u32) {
        self.doubt_growers();
        if self.limit == 0 {
            self.forget_pace();
        }
        if limit >= self.limit {
            let raised = limit - self.limit;
            self.limit = limit;
            self.bank_permits(raised);
        } else {
            let lowered = self.limit - limit;
            let free = lowered.min(self.bank);
            self.bank -= free;
            self.debt += lowered - free;
            self.limit = limit;
        }
        if let Some(shares) = self.shares_mut() {
            shares.set_limit(limit);
        }
    }

    /// Refuses the waiters that want more permits than a call may now.
    pub(super) fn dismiss_too_heavy(&mut self, word: &AtomicU64, wakers: &mut WakeList) {
        let has_bound = self.heaviest() < u32::MAX || self.keys().is_some_and(Keys::has_own_limits);
        if has_bound && (self.queue.has_heavy() || !self.away.is_empty()) {
            let too_heavy = Some(RejectedKind::TooHeavy);
            self.dismiss_all_that(word, too_heavy, wakers, |state, key, weight| {
                weight > state.heaviest_of(key)
            });
        }
    }

    /// Changes the parts of a policy that can change. If no call is to wait any more, the waiters are
    /// told to enter again.
    pub(in super::super) fn set_policy(
        &mut self,
        word: &AtomicU64,
        policy: &Policy,
        wakers: &mut WakeList,
    ) {
        self.set_max_waiting(policy.max_waiting);
        if self.modes.is_none() && !policy.needs_modes() {
            return;
        }
        self.set_slow(word);
        self.modes_mut().set_policy(policy);
        if policy.force != Force::Full {
            self.dismiss_some(word, usize::MAX, wakers);
        }
        self.dismiss_too_heavy(word, wakers);
    }
}
