//! Calls at a semaphore that has something special: keys, a rate, listeners, or it is closed, drained
//! or a shadow.

use super::super::keys::{KeySource, Keys};
use super::super::moment::Moment;
use super::super::queue::Joining;
use super::super::slots::{NO_KEY, NO_SLOT};
use super::super::special::Special;
use super::super::waiter::WaitsFor;
use super::super::wakers::Wakers;
use super::{Decided, Joins, LineOrder, State, lines};
use crate::events::EventKind;
use crate::policy::Request;
use crate::rejected::RejectedKind;
use crate::sync::AtomicU64;
use std::any::Any;
use std::mem;

impl State {
    #[cold]
    pub(super) fn enter_special(
        &mut self,
        word: &AtomicU64,
        ask: Request,
        key: Option<&dyn KeySource>,
        joins: &mut Joins,
        wakers: &mut Wakers,
    ) -> Decided {
        let now = self.look();
        let (closed, disabled, shadow) = match &self.special {
            Some(special) => (special.closed, special.disabled, special.shadow),
            None => (false, false, false),
        };
        let ask = Request { enabled: ask.enabled && !disabled, ..ask };
        let weight = ask.permits();
        let closed = closed && ask.enabled && ask.fallible && !shadow;
        if weight == 0 && !closed {
            self.counters.admitted_at_once += 1;
            self.note(word, EventKind::Admitted);
            return Decided::Admitted { weight: 0, slot: NO_SLOT };
        }
        let is_too_heavy = self.is_too_heavy(weight);
        // A key that is not in use has no number, and is not given one to no purpose: it would be
        // cloned, and forgotten again.
        let needs_waker = joins.may_wait && joins.waker.is_none() && self.max_waiting > 0;
        if needs_waker && !closed && !is_too_heavy && !shadow {
            let bank = self.bank;
            if let (Some(keys), Some(key)) = (self.keys_mut(), key) {
                let has_room = weight <= bank && !keys.has_turns() && keys.has_room_for_new(weight);
                if !has_room && key.find(keys).is_none() {
                    return Decided::NeedsWaker;
                }
            }
        }
        let key = match (self.keys_mut(), key) {
            (Some(keys), Some(key)) => key.intern(keys),
            _ => NO_KEY,
        };
        let refused = if closed {
            Some(RejectedKind::Closed)
        } else if is_too_heavy {
            Some(RejectedKind::TooHeavy)
        } else {
            None
        };
        if let Some(kind) = refused {
            return self.not_let_in(word, kind, key, weight);
        }
        if self.has_room(weight, key) {
            return self.admit(word, weight, key, now);
        }
        if shadow {
            return self.enter_shadow(word, ask, key, now, joins.may_wait);
        }
        // With keys, so many for each.
        let most = self.max_waiting as usize;
        let is_full = self.queue.len() >= most && self.waiting(key) >= most;
        if !joins.may_wait || (is_full && !self.can_evict(key)) {
            let kind = RejectedKind::without_permit(joins.may_wait, ask.has_waited);
            return self.not_let_in(word, kind, key, weight);
        }
        // If there are keys, this one is in use.
        let Some(waker) = joins.waker.take() else { return Decided::NeedsWaker };
        if is_full {
            self.evict(word, key, wakers);
        }
        let Request { priority, fallible, .. } = ask;
        let joining = Joining { weight, priority, key, fallible, waker };
        let order = self.order.of(ask);
        let parts = lines(&mut self.line, &mut self.queue, &mut self.special, key);
        let (line, queue) = parts.expect("a key that was interned has a line");
        let (slot, grant) = queue.join(line, order, joining);
        self.count_waiting(key, 1);
        self.refresh(key);
        self.note(word, EventKind::Waiting);
        let waits_for = if self.has_rate() { WaitsFor::Time } else { WaitsFor::Permits };
        Decided::Queued { slot, weight, waits_for, grant }
    }

    /// A call is refused, or if nobody is, takes no permits.
    fn not_let_in(
        &mut self,
        word: &AtomicU64,
        kind: RejectedKind,
        key: u32,
        weight: u32,
    ) -> Decided {
        let entered = if self.special.as_deref().is_some_and(|special| special.shadow) {
            self.counters.shadowed.rejected.count(kind);
            self.counters.admitted_at_once += 1;
            self.note(word, EventKind::Admitted);
            Decided::Admitted { weight: 0, slot: NO_SLOT }
        } else {
            Decided::Refused(self.refuse(word, kind, key, weight))
        };
        self.forget_if_idle(key);
        entered
    }

    /// A call over the limit that nobody holds up.
    fn enter_shadow(
        &mut self,
        word: &AtomicU64,
        ask: Request,
        key: u32,
        now: Option<Moment>,
        may_wait: bool,
    ) -> Decided {
        let weight = ask.permits();
        let (max_waiting, debt) = (self.max_waiting as usize, self.debt);
        let over = weight.saturating_sub(self.bank);
        let Some(special) = self.special.as_deref_mut() else {
            return self.admit(word, weight, key, now);
        };
        let (line, excess) = match special.keys.as_mut().filter(|_| key != NO_KEY) {
            None => (&mut special.shadows, debt),
            Some(keys) => {
                let limit = keys.limit;
                let entry = keys.entry(key);
                let excess = entry.in_use.saturating_sub(limit).max(debt);
                (entry.shadows(), excess)
            }
        };
        line.settle(excess);
        // Beyond what can be counted it takes no permits. (What is out of one key is a part of the limit
        // over all of them and the debt, which are 31 bits each.)
        if debt.checked_add(over).is_none_or(|debt| debt > u32::MAX / 2) {
            return self.not_let_in(word, RejectedKind::QueueFull, key, weight);
        }
        if line.len() >= max_waiting || !may_wait {
            let kind = RejectedKind::without_permit(may_wait, ask.has_waited);
            return self.not_let_in(word, kind, key, weight);
        }
        line.join(weight);
        self.counters.shadowed.waited += 1;
        self.admit(word, weight, key, now)
    }

    /// A call is let in without waiting.
    fn admit(&mut self, word: &AtomicU64, weight: u32, key: u32, now: Option<Moment>) -> Decided {
        let free = weight.min(self.bank);
        self.bank -= free;
        self.debt += weight - free;
        if let Some(keys) = self.keys_mut().filter(|_| key != NO_KEY) {
            keys.take(key, weight);
        }
        self.counters.admitted_at_once += 1;
        let mut slot = NO_SLOT;
        if let Some(special) = self.special.as_deref_mut().filter(|special| special.has_slots()) {
            slot = self.queue.hold(key);
            if let (Some(rate), Some(now)) = (&mut special.rate, now) {
                rate.start(slot, now);
            }
        }
        self.note(word, EventKind::Admitted);
        Decided::Admitted { weight, slot }
    }

    #[cold]
    pub(super) fn release_special(&mut self, word: &AtomicU64, weight: u32, slot: u32) {
        self.absorb(word);
        let mut cools = false;
        if slot != NO_SLOT {
            let key = self.queue.key(slot);
            if let Some(special) = self.special.as_deref_mut() {
                cools = special.cool(slot, weight, key);
            }
            self.finish(slot);
            if !cools {
                self.give_back_key(key, weight);
            }
        }
        if !cools {
            self.give_back(word, weight);
        }
        let debt = self.debt;
        if let Some(special) = self.special.as_deref_mut().filter(|special| special.shadow) {
            special.shadows.settle(debt);
        }
        self.note(word, EventKind::Released);
    }

    #[cold]
    pub(super) fn serve_special(&mut self, word: &AtomicU64, wakers: &mut Wakers) -> bool {
        if self.queue.len() > 0 {
            self.let_cool();
        }
        while let Some((key, weight)) = self.next_to_serve() {
            if weight > self.bank {
                break;
            }
            if wakers.is_full() {
                return true;
            }
            self.bank -= weight;
            if let Some(keys) = self.keys_mut().filter(|_| key != NO_KEY) {
                keys.end_turn(key);
                keys.take(key, weight);
            }
            let parts = lines(&mut self.line, &mut self.queue, &mut self.special, key);
            wakers.push(parts.and_then(|(line, queue)| queue.serve(line)));
            self.no_longer_waits(key);
            self.note(word, EventKind::Admitted);
        }
        let is_drained = self.is_drained(word);
        if let Some(special) = self.special.as_deref_mut() {
            special.tell_the_time(wakers);
            if is_drained {
                let drainers = std::mem::take(&mut special.drainers);
                for (_, drainer) in drainers {
                    wakers.push(Some(drainer));
                }
            }
        }
        if self.queue.len() == 0 {
            self.speed_up(word);
        }
        false
    }

    /// Whose turn it is, and what the first of that line wants.
    fn next_to_serve(&mut self) -> Option<(u32, u32)> {
        let Some(Special { keys: Some(keys), .. }) = self.special.as_deref_mut() else {
            return self.queue.head_weight(&self.line).map(|weight| (NO_KEY, weight));
        };
        let key = keys.next()?;
        let weight = self.queue.head_weight(&keys.entry(key).line)?;
        Some((key, weight))
    }

    /// Whether so many permits are free for one who comes now.
    fn has_room(&mut self, weight: u32, key: u32) -> bool {
        let (bank, lifo) = (self.bank, self.order == LineOrder::Lifo);
        match self.keys_mut() {
            Some(keys) => weight <= bank && !keys.has_turns() && keys.has_room(key, weight, lifo),
            None => weight <= bank && (self.line.is_empty() || lifo),
        }
    }

    fn is_too_heavy(&self, weight: u32) -> bool {
        let (limit, total) = (self.limit_of_a_call(), self.limit);
        (limit > 0 && weight > limit) || (total > 0 && weight > total)
    }

    /// What a call is held to: with keys, the limit of each.
    pub(super) fn limit_of_a_call(&self) -> u32 {
        match self.special.as_deref() {
            Some(Special { keys: Some(keys), .. }) => keys.limit,
            _ => self.limit,
        }
    }

    /// How many wait, or with a key, wait for that.
    pub(super) fn waiting(&mut self, key: u32) -> usize {
        match self.keys_mut().filter(|_| key != NO_KEY) {
            Some(keys) => keys.entry(key).waiting as usize,
            None => self.queue.len(),
        }
    }

    /// The keys that somebody waits for, [`NO_KEY`] if there are no keys.
    pub(super) fn lines_waited_for(&mut self) -> Vec<u32> {
        match self.keys_mut() {
            Some(keys) => keys.waited_for().iter().copied().collect(),
            None => vec![NO_KEY],
        }
    }

    /// Who waits in a line: slot, weight, and whether it can be refused.
    pub(super) fn waiters(&mut self, key: u32) -> Vec<(u32, u32, bool)> {
        lines(&mut self.line, &mut self.queue, &mut self.special, key)
            .map(|(line, queue)| queue.waiters(line))
            .unwrap_or_default()
    }

    /// A waiter has left its line, for whatever reason.
    pub(super) fn no_longer_waits(&mut self, key: u32) {
        self.count_waiting(key, -1);
        self.refresh(key);
    }

    fn count_waiting(&mut self, key: u32, more: i32) {
        if let Some(keys) = self.keys_mut().filter(|_| key != NO_KEY) {
            let entry = keys.entry(key);
            entry.waiting = entry.waiting.saturating_add_signed(more);
        }
    }

    /// Permits of a key come back.
    pub(super) fn give_back_key(&mut self, key: u32, weight: u32) {
        if let Some(Special { keys: Some(keys), forgotten, .. }) = self.special.as_deref_mut() {
            if key != NO_KEY {
                keys.give_back(&mut self.queue, key, weight, self.debt, forgotten);
            }
        }
    }

    /// Something about a key has changed: it may have a turn now, or none any more.
    pub(super) fn refresh(&mut self, key: u32) {
        if let Some(Special { keys: Some(keys), .. }) = self.special.as_deref_mut() {
            if key != NO_KEY {
                keys.refresh(&mut self.queue, key);
            }
        }
    }

    pub(super) fn forget_if_idle(&mut self, key: u32) {
        if let Some(special) = self.special.as_deref_mut() {
            if let Some(keys) = special.keys.as_mut().filter(|_| key != NO_KEY) {
                keys.forget_if_idle(key, &mut special.forgotten);
            }
        }
    }

    /// Keys that were forgotten, to be dropped when no lock is held.
    pub(in super::super) fn take_forgotten(&mut self) -> Vec<Box<dyn Any + Send>> {
        self.special
            .as_deref_mut()
            .map(|special| mem::take(&mut special.forgotten))
            .unwrap_or_default()
    }

    pub(super) fn keys_mut(&mut self) -> Option<&mut Keys> {
        self.special.as_deref_mut().and_then(|special| special.keys.as_mut())
    }

    pub(super) fn special(&mut self) -> &mut Special {
        self.special.get_or_insert_with(Box::default)
    }
}
