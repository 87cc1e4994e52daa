//! A changed limit or policy, and the binding.

use super::super::hint::Hint;
use super::super::lease::LeaseWords;
use super::super::moment;
use super::super::queue::{Joined, Joining};
use super::super::release_rate::ReleaseRate;
use super::super::slots::NO_KEY;
use super::super::status::RETRY;
use super::super::wait_list::{Position, WaitList};
use super::super::wake_list::WakeList;
use super::{Binding, State};
use crate::policy::{Force, Order, Policy};
use crate::rejected::RejectedKind;
use crate::sync::AtomicU64;
use std::task::Waker;

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
        policy: &Policy,
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
        self.release_rate = ReleaseRate::since(self.checkpoint(word, moment::now()));
        self.max_waiting = policy.max_waiting;
        self.order = policy.order;
        if policy.needs_modes() {
            // There may be modes already: an unbound semaphore may have drainers.
            self.modes_mut().begin(policy);
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
        self.bank = 0;
        self.debt = 0;
        self.limit = 0;
        self.list = WaitList::new();
        self.max_waiting = u32::MAX;
        self.order = Order::Fifo;
        self.release_rate = ReleaseRate::default();
        true
    }

    /// Changes the limit that a call is held to: with keys, the limit of each.
    pub(in super::super) fn set_limit(
        &mut self,
        word: &AtomicU64,
        limit: u32,
        wakers: &mut WakeList,
    ) {
        self.set_slow(word);
        if let Some(keys) = self.keys_mut() {
            keys.limit = limit;
            for key in self.keys_with_waiters() {
                self.refresh_turn(key);
            }
        } else {
            self.change_limit(limit);
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
            self.change_limit(total);
            self.dismiss_too_heavy(word, wakers);
        }
        is_keyed
    }

    pub(super) fn change_limit(&mut self, limit: u32) {
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
    }

    /// Refuses the waiters that want more permits than a call may now.
    fn dismiss_too_heavy(&mut self, word: &AtomicU64, wakers: &mut WakeList) {
        let heaviest = self.heaviest();
        if heaviest < u32::MAX && (self.queue.has_heavy() || !self.away.is_empty()) {
            let too_heavy = Some(RejectedKind::TooHeavy);
            self.dismiss_all_that(word, too_heavy, wakers, |weight| weight > heaviest);
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
        self.max_waiting = policy.max_waiting;
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
