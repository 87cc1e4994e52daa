//! How waiters leave the queue that are not served.

use super::super::slots::{GRANTED, NO_KEY, REFUSED, RETRY, WAITING};
use super::super::wakers::Wakers;
use super::{LineOrder, State, lines};
use crate::events::EventKind;
use crate::rejected::{Refusal, RejectedKind};
use crate::sync::AtomicU64;
use std::collections::BTreeMap;
use std::task::Waker;

impl State {
    /// A waiter goes before it was admitted. The waker is to be dropped after unlocking.
    pub(in super::super) fn leave(
        &mut self,
        word: &AtomicU64,
        slot: u32,
        weight: u32,
        cancelled: bool,
    ) -> Option<Waker> {
        let standing = self.queue.standing(slot);
        let key = self.queue.key(slot);
        let waker = self.take_out(slot);
        match standing {
            WAITING => self.forget_if_idle(key),
            GRANTED => {
                self.give_back_key(key, weight);
                self.give_back(word, weight);
            }
            REFUSED => drop(self.take_refusal(slot)),
            _ => {}
        }
        if cancelled && standing != REFUSED {
            self.counters.cancelled += 1;
            self.note(word, EventKind::Cancelled);
        }
        waker
    }

    /// A waiter gives its slot back, and its place if it has one.
    fn take_out(&mut self, slot: u32) -> Option<Waker> {
        let waits = self.queue.standing(slot) == WAITING;
        // Who was dismissed is in no line, and its key may be forgotten.
        let key = if waits { self.queue.key(slot) } else { NO_KEY };
        let parts = lines(&mut self.line, &mut self.queue, &mut self.special, key);
        let waker = parts.and_then(|(line, queue)| queue.leave(line, slot));
        if waits {
            self.no_longer_waits(key);
        }
        waker
    }

    /// A waiter's time is up. If it still waits, it is refused.
    pub(in super::super) fn time_out(
        &mut self,
        word: &AtomicU64,
        slot: u32,
    ) -> Option<(Refusal, Option<Waker>)> {
        if self.queue.standing(slot) != WAITING {
            return None;
        }
        self.absorb(word);
        let key = self.queue.key(slot);
        let weight = self.queue.weight(slot);
        let waker = self.take_out(slot);
        let refusal = self.refuse(word, RejectedKind::TimedOut, key, weight);
        self.forget_if_idle(key);
        Some((refusal, waker))
    }

    /// A waiter goes that was refused while it waited.
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
        let refusals = self.refusals.as_mut()?;
        let refusal = refusals.remove(&slot);
        if refusals.is_empty() {
            self.refusals = None;
        }
        refusal
    }

    /// Takes a waiter out of the queue: refused, or to ask again. Its slot stays its own until it
    /// leaves. Its key is to be forgotten if it is idle now.
    pub(super) fn dismiss(
        &mut self,
        word: &AtomicU64,
        key: u32,
        slot: u32,
        refusal: Option<RejectedKind>,
        wakers: &mut Wakers,
    ) {
        let grant = if refusal.is_some() { REFUSED } else { RETRY };
        let parts = lines(&mut self.line, &mut self.queue, &mut self.special, key);
        wakers.push(parts.and_then(|(line, queue)| queue.dismiss(line, slot, grant)));
        self.no_longer_waits(key);
        if let Some(kind) = refusal {
            self.counters.rejected.count(kind);
            let refusal = self.refusal(word, kind, key);
            self.refusals.get_or_insert_with(BTreeMap::default).insert(slot, refusal);
            self.note(word, EventKind::Rejected(kind));
        }
    }

    /// Whether one who joins a full queue takes the place of the oldest: if the newest is served first,
    /// and somebody may wait and does.
    pub(super) fn can_evict(&mut self, key: u32) -> bool {
        self.order == LineOrder::Lifo
            && self.max_waiting > 0
            && lines(&mut self.line, &mut self.queue, &mut self.special, key)
                .is_some_and(|(line, _)| !line.is_empty())
    }

    /// Refuses the oldest, to make room for one who joins. If more wait than may, because the bound has
    /// been lowered, the one before it as well: so the queue gets shorter, and no call pays for it all.
    pub(super) fn evict(&mut self, word: &AtomicU64, key: u32, wakers: &mut Wakers) {
        let is_longer = self.waiting(key) > self.max_waiting as usize;
        for _ in 0..=u8::from(is_longer) {
            let last = lines(&mut self.line, &mut self.queue, &mut self.special, key)
                .and_then(|(line, _)| line.last());
            if let Some(last) = last {
                self.dismiss(word, key, last, Some(RejectedKind::Evicted), wakers);
            }
        }
    }

    /// Refuses all waiters of which this is so, given their weight and whether they can be refused.
    pub(super) fn dismiss_all_that(
        &mut self,
        word: &AtomicU64,
        kind: RejectedKind,
        wakers: &mut Wakers,
        are: impl Fn(u32, bool) -> bool,
    ) {
        for key in self.lines_waited_for() {
            for (slot, weight, fallible) in self.waiters(key) {
                if are(weight, fallible) {
                    self.dismiss(word, key, slot, Some(kind), wakers);
                }
            }
            self.forget_if_idle(key);
        }
    }

    /// Takes up to `most` waiters out of the queue without permits, to ask again; says how many
    /// it were. If there is something special, takes all.
    pub(in super::super) fn dismiss_some(
        &mut self,
        word: &AtomicU64,
        most: usize,
        wakers: &mut Wakers,
    ) -> usize {
        if self.special.is_none() {
            let mut dismissed = 0;
            while dismissed < most && !wakers.is_full() && !self.line.is_empty() {
                let head = self.line.head();
                wakers.push(self.queue.dismiss(&mut self.line, head, RETRY));
                dismissed += 1;
            }
            return dismissed;
        }
        for key in self.lines_waited_for() {
            for (slot, ..) in self.waiters(key) {
                self.dismiss(word, key, slot, None, wakers);
            }
            self.forget_if_idle(key);
        }
        most
    }
}
