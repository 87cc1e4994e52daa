//! What stands behind a semaphore's lock.
//!
//! Here is the way of a plain call, in, out and through the queue. What only some semaphores have is
//! in [`special`], of these what has to do with time in [`rate`], how waiters go without having been
//! served in [`leaving`], what changes a semaphore from outside in [`changes`], and what it shows of
//! itself in [`figures`].

mod changes;
mod figures;
mod leaving;
mod rate;
mod special;

use super::keys::KeySource;
use super::keys::Keys;
use super::line::{Line, LineOrder};
use super::queue::{Joining, Queue};
use super::returns::Returns;
use super::slots::{Grant, NO_KEY, NO_SLOT};
use super::special::{Aside, Special};
use super::waiter::WaitsFor;
use super::wakers::Wakers;
use super::{AVAILABLE, SLOW};
use crate::metrics::Counters;
use crate::policy::Request;
use crate::rejected::{Refusal, RejectedKind};
use crate::sync::{AtomicU64, Ordering};
use crate::unwind::quietly;
use std::collections::BTreeMap;
use std::task::Waker;

/// Whether there is a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Binding {
    /// No: the next caller is to find out.
    Unbound,
    /// Not yet: a caller is evaluating the expression for it. Others may wait for that, in the queue;
    /// nobody else is in it then.
    Claimed,
    /// Yes.
    Bound,
}

/// What a call that may have to wait brings along.
#[derive(Debug)]
pub(super) struct Joins {
    pub(super) may_wait: bool,
    /// A clone of its waker, if there is one yet. It is taken if the call joins the queue.
    pub(super) waker: Option<Waker>,
}

/// One that was not needed, after unlocking. It is foreign code, and somebody's panic may be under way.
impl Drop for Joins {
    fn drop(&mut self) {
        if let Some(waker) = self.waker.take() {
            quietly(|| drop(waker));
        }
    }
}

/// What was decided about a call.
#[derive(Debug)]
pub(super) enum Decided {
    Admitted {
        weight: u32,
        slot: u32,
    },
    Queued {
        slot: u32,
        weight: u32,
        waits_for: WaitsFor,
        grant: Grant,
    },
    Refused(Refusal),
    /// It is to join the queue, and has no waker yet. Nothing has been done.
    NeedsWaker,
}

/// `limit + debt == free + in use + cooling`, where what is free is `bank` plus the word's
/// `available`.
///
/// In this order, so that with the word and the lock before it, nearly all that a queued call looks
/// at is in one cache line.
#[derive(Debug)]
#[repr(C)]
pub(super) struct State {
    /// With keys, the limit over all of them.
    limit: u32,
    /// Permits that are out and have no place under the limit. They are paid back before anybody is
    /// served. While there is debt nothing is free.
    debt: u32,
    /// Permits that are free, while SLOW is set. Zero otherwise.
    bank: u32,
    binding: Binding,
    /// Whether the word's SLOW bit is set.
    slow: bool,
    /// Who waits. With keys, each has a line of its own.
    line: Line,
    pub(super) queue: Queue,
    special: Option<Box<Special>>,
    /// The most that may wait. With keys, for each.
    max_waiting: u32,
    order: LineOrder,
    returns: Returns,
    /// Why waiters were refused that have not noticed yet, by slot. A tree, for it shrinks as they do.
    refusals: Option<BTreeMap<u32, Refusal>>,
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
            line: Line::new(),
            queue: Queue::new(),
            special: None,
            max_waiting: u32::MAX,
            order: LineOrder::Fifo,
            returns: Returns::new(),
            refusals: None,
            counters: Counters::new(),
            past: Counters::new(),
            acquired_before: 0,
            acquired_seen: 0,
        }
    }

    /// A call with no way through the word, once there is a limit. Others may be put out of the queue
    /// to make room for it.
    #[inline]
    pub(super) fn enter(
        &mut self,
        word: &AtomicU64,
        ask: Request,
        key: Option<&dyn KeySource>,
        joins: &mut Joins,
        wakers: &mut Wakers,
    ) -> Decided {
        self.slow_down(word);
        if self.special.is_some() {
            return self.enter_special(word, ask, key, joins, wakers);
        }
        let weight = ask.permits();
        if self.limit > 0 && weight > self.limit {
            return Decided::Refused(self.refuse(word, RejectedKind::TooHeavy, NO_KEY, weight));
        }
        let is_next = self.line.is_empty() || self.order == LineOrder::Lifo;
        if weight == 0 || (is_next && weight <= self.bank) {
            self.bank -= weight;
            self.counters.admitted_at_once += 1;
            return Decided::Admitted { weight, slot: NO_SLOT };
        }
        let is_full = self.queue.len() >= self.max_waiting as usize;
        if !joins.may_wait || (is_full && !self.can_evict(NO_KEY)) {
            let kind = RejectedKind::without_permit(joins.may_wait, ask.has_waited);
            return Decided::Refused(self.refuse(word, kind, NO_KEY, weight));
        }
        let Some(waker) = joins.waker.take() else { return Decided::NeedsWaker };
        if is_full {
            self.evict(word, NO_KEY, wakers);
        }
        let Request { priority, fallible, .. } = ask;
        let joining = Joining { weight, priority, key: NO_KEY, fallible, waker };
        let (slot, grant) = self.queue.join(&mut self.line, self.order.of(ask), joining);
        Decided::Queued { slot, weight, waits_for: WaitsFor::Permits, grant }
    }

    /// Joins those who wait for the limit, which somebody is finding out.
    pub(super) fn wait_for_limit(&mut self, weight: u32, waker: Waker) -> (u32, Grant) {
        // Their order, priority and key do not matter: they ask again when the limit is known.
        let joining = Joining { weight, priority: 0, key: NO_KEY, fallible: false, waker };
        self.queue.join(&mut self.line, LineOrder::Fifo, joining)
    }

    pub(super) fn is_bound(&self) -> bool {
        self.binding == Binding::Bound
    }

    /// See the field of the semaphore.
    pub(super) fn queues_up_to(&self) -> u32 {
        let is_plain = self.is_bound() && self.special.is_none() && self.max_waiting == u32::MAX;
        if is_plain { self.limit } else { 0 }
    }

    /// Whether there may be something to hand out, or SLOW to be cleared, after a call came in.
    ///
    /// Who has joined at the end has found nothing to hand out. A permit that has come back since is
    /// handed out by whoever brought it: SLOW is set.
    #[inline]
    pub(super) fn has_left_something(&self, decided: &Decided) -> bool {
        match (self.special.as_deref(), decided) {
            // It may stand before one who waits for more. (The newest of a line that serves it first
            // has found too little for itself, and the others stand behind it.)
            (None, Decided::Queued { .. }) => self.line.is_ranked(),
            (None, _) | (Some(_), Decided::Queued { .. }) => true,
            // The call has taken permits back that had cooled, perhaps more than it wanted.
            (Some(special), _) => special.rate.is_some(),
        }
    }

    /// Permits come back.
    #[inline]
    pub(super) fn release(&mut self, word: &AtomicU64, weight: u32, slot: u32) {
        if self.special.is_some() {
            return self.release_special(word, weight, slot);
        }
        if slot != NO_SLOT {
            self.finish(slot);
        }
        self.give_back(word, weight);
    }

    /// Debt is paid first.
    fn give_back(&mut self, word: &AtomicU64, weight: u32) {
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
    #[expect(clippy::inline_always, reason = "measured: under load every call comes here")]
    #[inline(always)]
    pub(super) fn serve(&mut self, word: &AtomicU64, wakers: &mut Wakers) -> bool {
        if !self.slow {
            return false;
        }
        self.absorb(word);
        if self.special.is_some() {
            return self.serve_special(word, wakers);
        }
        while let Some(weight) = self.queue.head_weight(&self.line) {
            if weight > self.bank {
                return false;
            }
            if wakers.is_full() {
                return true;
            }
            self.bank -= weight;
            wakers.push(self.queue.serve(&mut self.line));
        }
        self.speed_up(word);
        false
    }

    /// The holder of a slot is done.
    #[inline]
    fn finish(&mut self, slot: u32) {
        if self.queue.finish(slot) {
            self.count_waits();
        }
    }

    pub(super) fn keys(&self) -> Option<&Keys> {
        self.special.as_deref()?.keys.as_ref()
    }

    #[inline]
    pub(super) fn is_special(&self) -> bool {
        self.special.is_some()
    }

    /// What is to be done when no lock is held.
    pub(super) fn aside(&mut self) -> Option<Box<Aside>> {
        self.special.as_deref_mut()?.aside()
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
    fn absorb(&mut self, word: &AtomicU64) {
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
        if !self.slow || self.debt > 0 || !self.is_bound() {
            return;
        }
        if let Some(special) = self.special.as_deref_mut() {
            special.is_listened_to();
            if !special.is_nothing() {
                return;
            }
            self.special = None;
        }
        word.fetch_add(u64::from(self.bank).wrapping_sub(SLOW), Ordering::AcqRel);
        self.bank = 0;
        self.slow = false;
    }

    /// Permits that are out. While SLOW is set, what is available must have been absorbed before.
    fn in_use(&self, word: &AtomicU64) -> u32 {
        let available = if self.slow { 0 } else { available(word) };
        let cooling = match self.special.as_deref() {
            Some(Special { rate: Some(rate), .. }) => rate.permits(),
            _ => 0,
        };
        // Two sums, each of which fits: what is free is a part of the limit.
        (self.limit - self.bank - available) + self.debt - cooling
    }
}

/// The line of a key, [`NO_KEY`] for the one of all, and the queue beside it.
fn lines<'a>(
    line: &'a mut Line,
    queue: &'a mut Queue,
    special: &'a mut Option<Box<Special>>,
    key: u32,
) -> Option<(&'a mut Line, &'a mut Queue)> {
    if key == NO_KEY {
        return Some((line, queue));
    }
    let keys = special.as_deref_mut()?.keys.as_mut()?;
    Some((&mut keys.entry(key).line, queue))
}

/// The word's `available`, which fits its 31 bits.
fn available(word: &AtomicU64) -> u32 {
    (word.load(Ordering::Relaxed) & AVAILABLE) as u32
}
