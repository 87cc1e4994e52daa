//! What stands behind a semaphore's lock.

use super::queue::Queue;
use super::slots::{GRANTED, TOO_HEAVY};
use super::wakers::Wakers;
use super::{AVAILABLE, Entered, Refusal, SLOW};
use crate::metrics::{Counters, Reading};
use crate::sync::{AtomicU64, Ordering};
use std::task::Waker;

/// Whether there is a limit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Binding {
    /// No: the next caller is to find out.
    Unbound,
    /// Not yet: a caller is finding out.
    Claimed,
    /// Yes.
    Bound,
}

/// `limit + debt == free + in use`, where what is free is `bank` plus the word's `available`.
///
/// In this order, so that with the word and the lock before it, nearly all that a queued call looks
/// at is in one cache line.
#[derive(Debug)]
#[repr(C)]
pub(super) struct State {
    pub(super) limit: u32,
    /// Permits that are out and have no place under the limit. They are paid back before anybody is
    /// served. While there is debt nothing is free.
    debt: u32,
    /// Permits that are free, while SLOW is set. Zero otherwise.
    bank: u32,
    pub(super) binding: Binding,
    /// Whether the word's SLOW bit is set.
    slow: bool,
    pub(super) queue: Queue,
    /// Since it was bound last. What was admitted through the word is not in it.
    counters: Counters,
    /// Of former bindings.
    past: Counters,
    /// How many had been admitted through the word when it was bound last.
    acquired_before: u64,
    acquired_seen: u64,
}

impl State {
    pub(super) const fn new() -> Self {
        Self {
            limit: 0,
            debt: 0,
            bank: 0,
            binding: Binding::Unbound,
            slow: true,
            queue: Queue::new(),
            counters: Counters::new(),
            past: Counters::new(),
            acquired_before: 0,
            acquired_seen: 0,
        }
    }

    /// A call with no way through the word. The waker is taken if it joins.
    #[inline]
    pub(super) fn enter(
        &mut self,
        word: &AtomicU64,
        weight: u32,
        waker: &mut Option<Waker>,
    ) -> Entered {
        self.slow_down(word);
        if self.limit > 0 && weight > self.limit {
            self.counters.rejected.too_heavy += 1;
            return Entered::Refused(self.refusal(word, true));
        }
        if weight == 0 || (self.queue.is_empty() && weight <= self.bank) {
            self.bank -= weight;
            self.counters.admitted_at_once += 1;
            return Entered::Admitted;
        }
        let Some(waker) = waker.take() else {
            self.counters.rejected.queue_full += 1;
            return Entered::Refused(self.refusal(word, false));
        };
        Entered::Queued(self.queue.join(weight, waker))
    }

    /// Permits come back. Debt is paid first.
    pub(super) fn give_back(&mut self, word: &AtomicU64, weight: u32) {
        if self.slow {
            self.bank_permits(weight);
        } else {
            word.fetch_add(u64::from(weight), Ordering::Release);
        }
    }

    /// Pays debt, and keeps the rest until it is handed out. SLOW must be set.
    fn bank_permits(&mut self, permits: u32) {
        debug_assert!(self.slow, "otherwise permits are in the word");
        let paid = permits.min(self.debt);
        self.debt -= paid;
        self.bank += permits - paid;
    }

    /// Hands permits to waiters in order, for as long as there are enough, and clears SLOW if no
    /// reason for it is left. Says whether there is more to do when the wakers have been woken.
    #[inline]
    pub(super) fn serve(&mut self, word: &AtomicU64, wakers: &mut Wakers) -> bool {
        if !self.slow {
            return false;
        }
        self.absorb(word);
        while let Some(weight) = self.queue.head_weight() {
            if weight > self.bank {
                return false;
            }
            if wakers.is_full() {
                return true;
            }
            self.bank -= weight;
            wakers.push(self.queue.serve());
        }
        self.speed_up(word);
        false
    }

    /// Whether no permit is out, nobody waits and nobody is finding the limit out.
    pub(super) fn is_idle(&mut self, word: &AtomicU64) -> bool {
        self.absorb(word);
        let claimed = matches!(self.binding, Binding::Claimed);
        !claimed && self.in_use(word) == 0 && self.queue.is_empty()
    }

    /// As [`serve`](Self::serve) when nobody waits.
    pub(super) fn settle(&mut self, word: &AtomicU64) {
        self.absorb(word);
        if self.queue.is_empty() {
            self.speed_up(word);
        }
    }

    /// The holder of a slot is done.
    #[inline]
    pub(super) fn finish(&mut self, slot: u32) {
        if self.queue.finish(slot) {
            self.count_waits();
        }
    }

    #[cold]
    fn count_waits(&mut self) {
        for &waited in self.queue.take_recent() {
            self.counters.count_wait(waited);
        }
    }

    /// A waiter goes before it was admitted. The waker is to be dropped after unlocking.
    pub(super) fn leave(
        &mut self,
        word: &AtomicU64,
        slot: u32,
        weight: u32,
        cancelled: bool,
    ) -> Option<Waker> {
        let (standing, waker) = self.queue.leave(slot);
        if standing == GRANTED {
            self.give_back(word, weight);
        }
        self.counters.cancelled += u64::from(cancelled && standing != TOO_HEAVY);
        waker
    }

    /// Takes up to `most` waiters out of the queue without permits, to ask again; says how many
    /// it were.
    pub(super) fn dismiss(&mut self, most: usize, wakers: &mut Wakers) -> usize {
        let mut dismissed = 0;
        while dismissed < most && !wakers.is_full() && !self.queue.is_empty() {
            wakers.push(self.queue.dismiss_head());
            dismissed += 1;
        }
        dismissed
    }

    pub(super) fn set_limit(&mut self, word: &AtomicU64, limit: u32, dismissed: &mut Vec<Waker>) {
        self.slow_down(word);
        if limit >= self.limit {
            self.bank_permits(limit - self.limit);
        } else {
            let lowered = self.limit - limit;
            let free = lowered.min(self.bank);
            self.bank -= free;
            self.debt += lowered - free;
        }
        self.limit = limit;
        if limit > 0 && self.queue.has_heavy() {
            self.counters.rejected.too_heavy += self.queue.dismiss_heavier_than(limit, dismissed);
        }
    }

    /// Gives the limit up if no permit is out and nobody waits. The word has been changed before, by
    /// one `acquired` that was none.
    pub(super) fn unbind(&mut self, word: &AtomicU64) -> bool {
        self.acquired_before += 1;
        self.slow_down(word);
        if !self.is_idle(word) {
            self.settle(word);
            return false;
        }
        self.binding = Binding::Unbound;
        self.bank = 0;
        self.debt = 0;
        self.limit = 0;
        true
    }

    /// Adds the figures to those of the past, or forgets both.
    pub(super) fn close_books(&mut self, acquired: u64, forget: bool) {
        self.count_waits();
        self.counters.most_waiting = self.queue.longest();
        self.queue.restart_longest();
        let mut current = std::mem::replace(&mut self.counters, Counters::new());
        current.admitted_at_once += acquired.saturating_sub(self.acquired_before);
        self.acquired_before = acquired;
        if forget {
            self.past = Counters::new();
        } else {
            self.past.add(&current);
        }
    }

    pub(super) fn refusal(&self, word: &AtomicU64, too_heavy: bool) -> Refusal {
        Refusal {
            too_heavy,
            limit: self.limit,
            in_use: self.in_use(word),
            waiting: self.queue.len(),
        }
    }

    /// `acquired` calls have been admitted through the word.
    pub(super) fn read(&mut self, word: &AtomicU64, acquired: u64) -> Reading {
        self.absorb(word);
        let mut current = self.counters.clone();
        current.admitted_at_once += acquired.saturating_sub(self.acquired_before);
        current.most_waiting = self.queue.longest();
        self.queue.uncounted().for_each(|waited| current.count_wait(waited));
        Reading {
            bound: matches!(self.binding, Binding::Bound),
            limit: self.limit as usize,
            in_use: self.in_use(word) as usize,
            waiting: self.queue.len(),
            current,
            past: self.past.clone(),
        }
    }

    /// `acquired`, put together from two atomics, of which one may be behind at the moment when the
    /// word wraps.
    pub(super) fn monotonic(&mut self, acquired: u64) -> u64 {
        let behind = acquired < self.acquired_seen;
        self.acquired_seen = acquired + if behind { 1 << 32 } else { 0 };
        self.acquired_seen
    }

    /// Permits that are out. While SLOW is set, what is available must have been absorbed before.
    fn in_use(&self, word: &AtomicU64) -> u32 {
        let available = if self.slow { 0 } else { available(word) };
        self.limit + self.debt - self.bank - available
    }

    /// Sets SLOW: from here on only we take from the word, and we take what it has.
    fn slow_down(&mut self, word: &AtomicU64) {
        if !self.slow {
            self.slow = true;
            word.fetch_or(SLOW, Ordering::AcqRel);
        }
        self.absorb(word);
    }

    /// Moves what came back through the word to the bank.
    pub(super) fn absorb(&mut self, word: &AtomicU64) {
        if !self.slow {
            return;
        }
        let available = available(word);
        if available > 0 {
            word.fetch_sub(u64::from(available), Ordering::AcqRel);
            self.bank_permits(available);
        }
    }

    /// Clears SLOW if nothing is out of the ordinary.
    fn speed_up(&mut self, word: &AtomicU64) {
        if self.slow && self.debt == 0 && matches!(self.binding, Binding::Bound) {
            word.fetch_add(u64::from(self.bank).wrapping_sub(SLOW), Ordering::AcqRel);
            self.bank = 0;
            self.slow = false;
        }
    }
}

/// The word's `available`, which fits its 31 bits.
fn available(word: &AtomicU64) -> u32 {
    (word.load(Ordering::Relaxed) & AVAILABLE) as u32
}
