//! Waiters that leave the wait list without having been served.

use super::super::moment;
use super::super::slots::NO_KEY;
use super::super::status::{AWAY, GRANTED, REFUSED, RETRY, WAITING};
use super::super::wake_list::WakeList;
use super::State;
use crate::events::EventKind;
use crate::policy::Order;
use crate::rejected::{Refusal, RejectedKind};
use crate::sync::AtomicU64;
use std::task::Waker;

impl State {
    /// Takes back the slot of a waiter that leaves before it was admitted, and its permits if it was
    /// handed any. Its waker is to be dropped after unlocking.
    pub(in super::super) fn leave(
        &mut self,
        word: &AtomicU64,
        slot: u32,
        weight: u32,
        cancelled: bool,
    ) -> Option<Waker> {
        let status = self.queue.status(slot);
        let key = self.queue.key(slot);
        let waker = self.take_out(slot);
        match status {
            WAITING | AWAY => self.forget_if_idle(key),
            GRANTED => {
                if let Some(shares) = self.shares_mut() {
                    shares.uncount_admitted(key);
                }
                self.give_back_of_key(key, weight);
                self.give_back(word, weight);
            }
            REFUSED => drop(self.take_refusal(slot)),
            _ => {}
        }
        // A call that was refused is counted as that.
        if cancelled && status != REFUSED {
            self.counters.cancelled += 1;
            self.notify(word, EventKind::Cancelled);
        }
        waker
    }

    /// Frees a waiter's slot, after taking it out of its wait list if it is in one.
    fn take_out(&mut self, slot: u32) -> Option<Waker> {
        let waits = matches!(self.queue.status(slot), WAITING | AWAY);
        // A waiter that was dismissed is in no list, and its key may be forgotten.
        let key = if waits { self.queue.key(slot) } else { NO_KEY };
        let parts = self.list_of_waiter(key, slot);
        let waker = parts.and_then(|(list, queue)| queue.leave(list, slot));
        if waits {
            self.no_longer_waits(key);
        }
        waker
    }

    /// Refuses a waiter whose time is up, and frees its slot. `None` if it does not wait any more. Its
    /// waker is to be dropped after unlocking.
    pub(in super::super) fn time_out(
        &mut self,
        word: &AtomicU64,
        slot: u32,
    ) -> Option<(Refusal, Option<Waker>)> {
        if !matches!(self.queue.status(slot), WAITING | AWAY) {
            return None;
        }
        self.bank_available(word);
        let key = self.queue.key(slot);
        let weight = self.queue.weight(slot);
        let claim = self.claim_of(slot);
        let waker = self.take_out(slot);
        let kind = RejectedKind::TimedOut;
        let refusal = match claim {
            Some(claim) => self.refuse_growth(word, kind, claim),
            None => self.refuse(word, kind, key, weight),
        };
        self.forget_if_idle(key);
        Some((refusal, waker))
    }

    /// Takes back the slot of a waiter that was refused while it waited. Returns the refusal, and its
    /// waker, to be dropped after unlocking.
    pub(in super::super) fn leave_refused(
        &mut self,
        word: &AtomicU64,
        slot: u32,
        weight: u32,
    ) -> (Option<Refusal>, Option<Waker>) {
        let refusal = self.take_refusal(slot);
        (refusal, self.leave(word, slot, weight, false))
    }

    fn take_refusal(&mut self, slot: u32) -> Option<Refusal> {
        let refusal = self.rare.as_mut()?.refusals.remove(&slot);
        self.drop_rare_if_unused();
        refusal
    }

    /// Takes a waiter out of its wait list, refused or told to retry. It keeps its slot until it leaves.
    /// The caller then forgets the key if it is idle.
    pub(super) fn dismiss(
        &mut self,
        word: &AtomicU64,
        key: u32,
        slot: u32,
        refusal: Option<RejectedKind>,
        wakers: &mut WakeList,
    ) {
        let status = if refusal.is_some() { REFUSED } else { RETRY };
        let parts = self.list_of_waiter(key, slot);
        wakers.push(parts.and_then(|(list, queue)| queue.dismiss(list, slot, status)));
        self.no_longer_waits(key);
        if let Some(kind) = refusal {
            self.count_refused(kind, key);
            self.tell_controller(word, kind);
            let mut refusal = self.refusal(word, kind, key);
            if kind.is_transient() && key == NO_KEY {
                refusal = refusal.estimated_later(self.binding_number);
            }
            self.rare.get_or_insert_default().refusals.insert(slot, refusal);
            self.notify(word, EventKind::Rejected(kind));
        }
    }

    /// Returns whether a call that finds the wait list full takes the place of a waiter.
    pub(super) fn can_evict(&mut self, key: u32, priority: u8) -> bool {
        let may_wait = self.max_waiting > 0 && self.keys().is_none_or(|keys| keys.max_waiting > 0);
        may_wait && self.gives_way(key, priority).is_some()
    }

    /// Returns the waiter of a key that gives way to a call that joins a full wait list: the oldest if the newest is served
    /// first, in order of arrival the youngest of the lowest priority, if the call's is higher. In the order of
    /// deadlines none does.
    fn gives_way(&mut self, key: u32, priority: u8) -> Option<u32> {
        match self.order {
            Order::Lifo => self.oldest(key),
            Order::Fifo => {
                let (list, queue) = self.list_and_queue(key)?;
                queue.lowest_below(list, priority)
            }
            Order::Deadline => None,
        }
    }

    /// Returns the waiter of a key that would be served last: one that is away, if there is one.
    fn oldest(&mut self, key: u32) -> Option<u32> {
        let away = self.those_away().into_iter().find(|&(_, _, of)| of == key);
        away.map(|(slot, ..)| slot).or_else(|| self.list_and_queue(key)?.0.last())
    }

    /// Refuses the waiter that gives way, to make room for a call that joins. If more wait than may, because the
    /// bound was lowered or grants were taken back, refuses the next one as well. So the wait list gets shorter, and no
    /// call pays for all of it.
    pub(super) fn evict(
        &mut self,
        word: &AtomicU64,
        key: u32,
        priority: u8,
        wakers: &mut WakeList,
    ) {
        let (growing, of_key) = self.waiting_to_grow(key);
        let all = self.queue.len() - growing;
        let too_many = self.max_waiting_total().is_some_and(|most| all > most);
        let is_longer = too_many || self.waiting(key) - of_key > self.max_waiting as usize;
        for _ in 0..=u8::from(is_longer) {
            if let Some(slot) = self.gives_way(key, priority) {
                self.dismiss(word, key, slot, Some(RejectedKind::Evicted), wakers);
            }
        }
    }

    /// Refuses the waiters whose turn it is and whose deadlines are over, in the order of deadlines. Returns whether
    /// the wake list is full before all are refused.
    #[cold]
    pub(super) fn refuse_late(&mut self, word: &AtomicU64, wakers: &mut WakeList) -> bool {
        // Read under the lock, as the clock of a rate: the call behind is to have the permits.
        let mut now = None;
        while let Some(key) = self.next_key() {
            let now = *now.get_or_insert_with(moment::now);
            let Some((list, queue)) = self.list_and_queue(key) else { return false };
            if !queue.is_head_over(list, now) {
                return false;
            }
            if wakers.is_full() {
                return true;
            }
            let head = list.head();
            self.dismiss(word, key, head, Some(RejectedKind::TimedOut), wakers);
            self.forget_if_idle(key);
        }
        false
    }

    /// Dismisses the waiters for which `is_dismissed` is true, given the key and the weight of each. `refusal` is as
    /// in [`dismiss`](Self::dismiss).
    pub(super) fn dismiss_all_that(
        &mut self,
        word: &AtomicU64,
        refusal: Option<RejectedKind>,
        wakers: &mut WakeList,
        is_dismissed: impl Fn(&Self, u32, u32) -> bool,
    ) {
        for key in self.keys_with_waiters() {
            for (slot, weight) in self.waiters(key) {
                if is_dismissed(self, key, weight) {
                    self.dismiss(word, key, slot, refusal, wakers);
                }
            }
            self.forget_if_idle(key);
        }
        for (slot, weight, key) in self.those_growing() {
            if is_dismissed(self, key, weight) {
                self.dismiss(word, key, slot, refusal, wakers);
            }
        }
        for (slot, weight, key) in self.those_away() {
            if is_dismissed(self, key, weight) {
                self.dismiss(word, key, slot, refusal, wakers);
                self.forget_if_idle(key);
            }
        }
    }

    /// Tells up to `most` waiters to enter again, the first first, as far as the wake list has room.
    /// Returns how many they were. While a mode is on, tells all of them at once.
    pub(in super::super) fn dismiss_some(
        &mut self,
        word: &AtomicU64,
        most: usize,
        wakers: &mut WakeList,
    ) -> usize {
        if self.modes.is_none() {
            let mut dismissed = 0;
            while dismissed < most && !wakers.is_full() && !self.list.is_empty() {
                let head = self.list.head();
                wakers.push(self.queue.dismiss(&mut self.list, head, RETRY));
                dismissed += 1;
            }
            // Those that are away have no wakers, and see it when they are polled.
            while dismissed < most && !self.away.is_empty() {
                let first = self.away.head();
                self.queue.dismiss(&mut self.away, first, RETRY);
                dismissed += 1;
            }
            return dismissed;
        }
        self.dismiss_all_that(word, None, wakers, |_, _, _| true);
        most
    }
}
