//! What stands behind a semaphore's lock.

use super::keys::{KeySource, Keys};
use super::line::Line;
use super::queue::{Joining, Place, Queue, refused};
use super::returns::Returns;
use super::slots::{GRANTED, NO_KEY, NO_SLOT, REFUSED, RETRY, WAITING};
use super::special::{Aside, Special};
use super::wakers::Wakers;
use super::{AVAILABLE, Entered, MAX_LIMIT, SLOW};
use crate::events::{Event, EventKind};
use crate::metrics::{Counters, Reading};
use crate::policy::{Ask, Order, Policy};
use crate::rejected::{Refusal, RejectedKind};
use crate::sync::{AtomicU64, Ordering};
use std::task::Waker;
use tokio::sync::broadcast::Sender;
use tokio::time::Instant;

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
    pub(super) binding: Binding,
    /// Whether the word's SLOW bit is set.
    slow: bool,
    /// Who waits. With keys, each has a line of its own.
    line: Line,
    pub(super) queue: Queue,
    special: Option<Box<Special>>,
    /// The most that may wait. With keys, for each.
    max_waiting: u32,
    /// The newest is served first.
    lifo: bool,
    /// Waiters have ranks, whether or not they have priorities.
    ranked: bool,
    returns: Returns,
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
            lifo: false,
            ranked: false,
            returns: Returns::new(),
            counters: Counters::new(),
            past: Counters::new(),
            acquired_before: 0,
            acquired_seen: 0,
        }
    }

    /// A caller is to find the limit out. The policy holds from now on.
    pub(super) fn claim(&mut self, policy: &Policy) {
        self.binding = Binding::Claimed;
        self.max_waiting = policy.max_waiting;
        self.lifo = policy.order == Order::Lifo;
        self.ranked = policy.ranked;
        // Whoever has waited for a limit that could not be found out is in there.
        if self.special.is_none() && policy.is_special() {
            self.special = Some(Box::new(Special::new(policy)));
        }
        if policy.keyed {
            // Not `set_limit`, which is that of each key.
            self.change_limit(policy.total.unwrap_or(MAX_LIMIT));
        }
    }

    /// A call with no way through the word. The waker is taken if it joins.
    #[inline]
    pub(super) fn enter(
        &mut self,
        word: &AtomicU64,
        ask: Ask,
        key: Option<&dyn KeySource>,
        waker: &mut Option<Waker>,
        wakers: &mut Wakers,
    ) -> Entered {
        self.slow_down(word);
        if self.special.is_some() {
            return self.enter_special(word, ask, key, waker, wakers);
        }
        if self.limit > 0 && ask.weight > self.limit {
            return Entered::Refused(self.refuse(word, RejectedKind::TooHeavy, NO_KEY));
        }
        if ask.weight == 0 || (self.line.is_empty() && ask.weight <= self.bank) {
            self.bank -= ask.weight;
            self.counters.admitted_at_once += 1;
            return Entered::Admitted { weight: ask.weight, slot: NO_SLOT };
        }
        self.join(word, ask, NO_KEY, waker, wakers)
    }

    #[cold]
    fn enter_special(
        &mut self,
        word: &AtomicU64,
        ask: Ask,
        key: Option<&dyn KeySource>,
        waker: &mut Option<Waker>,
        wakers: &mut Wakers,
    ) -> Entered {
        let now = self.let_cool();
        let (closed, shadow) = match &self.special {
            Some(special) => (special.closed, special.shadow),
            None => (false, false),
        };
        let refused_anyway = if ask.enabled && closed && ask.fallible && !shadow {
            Some(RejectedKind::Closed)
        } else if self.too_heavy(ask.weight) {
            Some(RejectedKind::TooHeavy)
        } else {
            None
        };
        match refused_anyway {
            Some(kind) if shadow => return self.shadow_refused(word, kind),
            Some(kind) => return Entered::Refused(self.refuse(word, kind, NO_KEY)),
            None if ask.weight == 0 => {
                self.counters.admitted_at_once += 1;
                self.note(word, EventKind::Admitted);
                return Entered::Admitted { weight: 0, slot: NO_SLOT };
            }
            None => {}
        }
        let key = match (self.keys_mut(), key) {
            (Some(keys), Some(key)) => key.intern(keys),
            _ => NO_KEY,
        };
        if self.has_room(ask.weight, key) {
            return self.admit(word, ask.weight, key, now);
        }
        if shadow {
            let waiting = self.above_the_limit(key);
            if waiting >= self.max_waiting || waker.is_none() {
                self.forget_if_idle(key);
                return self.shadow_refused(word, RejectedKind::QueueFull);
            }
            self.counters.shadowed.waited += 1;
            return self.admit(word, ask.weight, key, now);
        }
        self.join(word, ask, key, waker, wakers)
    }

    /// Joins the queue, if it is not full and there is a waker to join with.
    #[inline]
    fn join(
        &mut self,
        word: &AtomicU64,
        ask: Ask,
        key: u32,
        waker: &mut Option<Waker>,
        wakers: &mut Wakers,
    ) -> Entered {
        if self.queue.len() >= self.max_waiting as usize
            && !self.make_place(word, key, waker.is_some(), wakers)
        {
            *waker = None;
        }
        let Some(waker) = waker.take() else {
            let refusal = self.refuse(word, RejectedKind::QueueFull, key);
            self.forget_if_idle(key);
            return Entered::Refused(refusal);
        };
        let (lifo, ranked) = (self.lifo, self.ranked || ask.priority > 0);
        let Some((line, queue)) = lines(&mut self.line, &mut self.queue, &mut self.special, key)
        else {
            unreachable!("a key that was interned has a line");
        };
        let joining = Joining { weight: ask.weight, key, fallible: ask.fallible, waker };
        let (slot, grant) = queue.join(joining, |slots, slot| {
            if lifo {
                line.push_first(slots, slot);
            } else if ranked {
                line.push_ranked(slots, slot, ask.priority);
            } else {
                line.push_last(slots, slot);
            }
        });
        let mut timed = false;
        if let Some(special) = &mut self.special {
            timed = special.rate.is_some();
            self.count_waiting(key, 1);
            self.refresh(key);
            self.note(word, EventKind::Waiting);
        }
        Entered::Queued(Place { slot, timed, grant })
    }

    /// As many wait as may, or with keys, may be: whether there is a place all the same. If the
    /// newest is served first, the oldest makes one.
    #[cold]
    fn make_place(
        &mut self,
        word: &AtomicU64,
        key: u32,
        may_wait: bool,
        wakers: &mut Wakers,
    ) -> bool {
        // Who waits for the limit to be found out may turn out to be let in at once.
        if matches!(self.binding, Binding::Claimed) || self.waiting(key) < self.max_waiting as usize
        {
            return true;
        }
        self.lifo && may_wait && self.dismiss_last(word, key, wakers)
    }

    /// Refuses who would be served last; says whether there was somebody.
    fn dismiss_last(&mut self, word: &AtomicU64, key: u32, wakers: &mut Wakers) -> bool {
        let last = lines(&mut self.line, &mut self.queue, &mut self.special, key)
            .and_then(|(line, _)| line.last());
        let Some(last) = last else { return false };
        let kind = if self.lifo { RejectedKind::Evicted } else { RejectedKind::QueueFull };
        self.dismiss(word, key, last, Some(kind), wakers);
        true
    }

    /// More wait than may, because they joined before the limit was known: refuses those who would be
    /// served last.
    pub(super) fn trim(&mut self, word: &AtomicU64, wakers: &mut Wakers) {
        for key in self.lines_waited_for() {
            while self.waiting(key) > self.max_waiting as usize {
                self.dismiss_last(word, key, wakers);
            }
            self.forget_if_idle(key);
        }
    }

    /// Takes a waiter out of the queue: refused, or to ask again. Its key is to be forgotten if it is
    /// idle now.
    fn dismiss(
        &mut self,
        word: &AtomicU64,
        key: u32,
        slot: u32,
        refusal: Option<RejectedKind>,
        wakers: &mut Wakers,
    ) {
        let grant = refusal.map_or(RETRY, |kind| refused(kind, self.limit_of_a_call()));
        let parts = lines(&mut self.line, &mut self.queue, &mut self.special, key);
        wakers.push(parts.and_then(|(line, queue)| queue.dismiss(line, slot, grant)));
        self.no_longer_waits(slot, key);
        if let Some(kind) = refusal {
            self.counters.rejected.count(kind);
            self.note(word, EventKind::Rejected(kind));
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

    #[cold]
    fn release_special(&mut self, word: &AtomicU64, weight: u32, slot: u32) {
        let mut cools = false;
        if slot != NO_SLOT {
            let key = self.queue.key(slot);
            if let Some(Special { rate: Some(rate), .. }) = self.special.as_deref_mut() {
                cools = rate.end(slot, weight, key, Instant::now());
            }
            self.finish(slot);
            if !cools {
                self.give_back_key(key, weight);
            } else if let Some(keys) = self.keys_mut().filter(|_| key != NO_KEY) {
                keys.entry(key).cooling += weight;
            }
        }
        if !cools {
            self.give_back(word, weight);
        }
        self.note(word, EventKind::Released);
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
    #[inline]
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

    #[cold]
    fn serve_special(&mut self, word: &AtomicU64, wakers: &mut Wakers) -> bool {
        self.let_cool();
        while let Some((key, weight)) = self.next_to_serve() {
            if weight > self.bank {
                break;
            }
            if wakers.is_full() {
                return true;
            }
            let slot = self.line_head(key);
            self.bank -= weight;
            if let Some(keys) = self.keys_mut().filter(|_| key != NO_KEY) {
                keys.end_turn(key);
                keys.entry(key).in_use += weight;
            }
            let parts = lines(&mut self.line, &mut self.queue, &mut self.special, key);
            wakers.push(parts.and_then(|(line, queue)| queue.serve(line)));
            self.no_longer_waits(slot, key);
            self.note(word, EventKind::Admitted);
        }
        self.tell_the_time(wakers);
        if self.is_drained(word)
            && let Some(special) = &mut self.special
        {
            special.drainers.drain(..).for_each(|drainer| wakers.push(Some(drainer)));
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

    fn line_head(&mut self, key: u32) -> u32 {
        lines(&mut self.line, &mut self.queue, &mut self.special, key)
            .map_or(NO_SLOT, |(line, _)| line.head())
    }

    /// While permits cool, one of the waiters looks at the clock: sees to it that there is one.
    fn tell_the_time(&mut self, wakers: &mut Wakers) {
        let Some(special) = self.special.as_deref_mut() else { return };
        let Some(rate) = &mut special.rate else { return };
        let head = match &mut special.keys {
            None => self.line.head(),
            Some(keys) => match keys.waited_for().first().copied() {
                Some(key) => keys.entry(key).line.head(),
                None => NO_SLOT,
            },
        };
        if let Some(watcher) = rate.tell((head != NO_SLOT).then_some(head)) {
            wakers.push(self.queue.take_waker(watcher));
        }
    }

    /// A waiter looks at the clock, because permits cool: when it has to look again, if it has to.
    /// To be served before.
    pub(super) fn watch(&mut self, slot: u32) -> Option<Instant> {
        if self.queue.standing(slot) != WAITING {
            return None;
        }
        self.special.as_deref_mut()?.rate.as_mut()?.watched_by(slot)
    }

    /// A waiter starts that has been handed its permits, which will cool.
    pub(super) fn start(&mut self, slot: u32, now: Instant) {
        if let Some(Special { rate: Some(rate), .. }) = self.special.as_deref_mut() {
            rate.start(slot, now);
        }
    }

    /// Takes back the permits that have cooled. Looks at the clock if there is need to.
    fn let_cool(&mut self) -> Option<Instant> {
        self.special.as_deref()?.rate.as_ref()?;
        let now = Instant::now();
        loop {
            let special = self.special.as_deref_mut()?;
            let Some((weight, key)) = special.rate.as_mut()?.next_cooled(now) else {
                return Some(now);
            };
            if let Some(keys) = special.keys.as_mut().filter(|_| key != NO_KEY) {
                keys.entry(key).cooling -= weight;
            }
            self.give_back_key(key, weight);
            self.bank_permits(weight);
        }
    }

    /// Whether no permit is out, nobody waits and nobody is finding the limit out.
    pub(super) fn is_idle(&mut self, word: &AtomicU64) -> bool {
        self.absorb(word);
        let claimed = matches!(self.binding, Binding::Claimed);
        !claimed && self.in_use(word) == 0 && self.queue.len() == 0
    }

    fn is_drained(&mut self, word: &AtomicU64) -> bool {
        self.in_use(word) == 0 && self.queue.len() == 0
    }

    /// Whether no permit is out and nobody waits; if not, the waker is kept until that is so. What
    /// comes back is to be dropped after unlocking.
    pub(super) fn poll_drained(&mut self, word: &AtomicU64, waker: Waker) -> (bool, Option<Waker>) {
        self.slow_down(word);
        if self.is_drained(word) {
            return (true, Some(waker));
        }
        let drainers = &mut self.special().drainers;
        if drainers.iter().any(|known| known.will_wake(&waker)) {
            return (false, Some(waker));
        }
        drainers.push(waker);
        (false, None)
    }

    /// As [`serve`](Self::serve) when nobody waits.
    pub(super) fn settle(&mut self, word: &AtomicU64) {
        self.absorb(word);
        if self.queue.len() == 0 {
            self.speed_up(word);
        }
    }

    /// The holder of a slot is done.
    #[inline]
    fn finish(&mut self, slot: u32) {
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
        let standing = self.queue.standing(slot);
        // A waiter that was dismissed is in no line, and its key may be forgotten.
        let concerned = standing == WAITING || standing == GRANTED;
        let key = if concerned { self.queue.key(slot) } else { NO_KEY };
        let parts = lines(&mut self.line, &mut self.queue, &mut self.special, key);
        let waker = parts.and_then(|(line, queue)| queue.leave(line, slot));
        if standing == WAITING {
            self.no_longer_waits(slot, key);
            self.forget_if_idle(key);
        } else if standing == GRANTED {
            self.give_back_key(key, weight);
            self.give_back(word, weight);
        }
        if cancelled && standing != REFUSED {
            self.counters.cancelled += 1;
            self.note(word, EventKind::Cancelled);
        }
        waker
    }

    /// A waiter's time is up. If it still waits, it is refused.
    pub(super) fn time_out(
        &mut self,
        word: &AtomicU64,
        slot: u32,
        weight: u32,
    ) -> Option<(Refusal, Option<Waker>)> {
        if self.queue.standing(slot) != WAITING {
            return None;
        }
        self.absorb(word);
        let key = self.queue.key(slot);
        let refusal = self.refuse(word, RejectedKind::TimedOut, key);
        Some((refusal, self.leave(word, slot, weight, false)))
    }

    /// A waiter goes that was refused while it waited.
    pub(super) fn leave_refused(
        &mut self,
        word: &AtomicU64,
        slot: u32,
        weight: u32,
    ) -> (Refusal, Option<Waker>) {
        self.absorb(word);
        // The reason and the limit are those of that moment; the rest is as of now.
        let (kind, limit) = self.queue.refused(slot);
        let refusal = Refusal { limit, ..self.refusal(word, kind, NO_KEY) };
        (refusal, self.leave(word, slot, weight, false))
    }

    /// Takes up to `most` waiters out of the queue without permits, to ask again; says how many
    /// it were. With keys, takes all.
    pub(super) fn dismiss_some(
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

    /// That of a call: with keys, that of each.
    pub(super) fn set_limit(&mut self, word: &AtomicU64, limit: u32, dismissed: &mut Wakers) {
        self.slow_down(word);
        if let Some(keys) = self.keys_mut() {
            keys.limit = limit;
            for key in self.lines_waited_for() {
                self.refresh(key);
            }
        } else {
            self.change_limit(limit);
        }
        if limit > 0 && self.queue.has_heavy() {
            self.dismiss_heavier_than(word, limit, dismissed);
        }
        self.note(word, EventKind::LimitChanged);
    }

    /// The limit over all keys.
    pub(super) fn set_total(&mut self, word: &AtomicU64, total: u32, dismissed: &mut Wakers) {
        self.slow_down(word);
        if self.keys_mut().is_some() {
            self.change_limit(total);
            if total > 0 && self.queue.has_heavy() {
                self.dismiss_heavier_than(word, total, dismissed);
            }
            self.note(word, EventKind::LimitChanged);
        }
    }

    fn change_limit(&mut self, limit: u32) {
        if limit >= self.limit {
            self.bank_permits(limit - self.limit);
        } else {
            let lowered = self.limit - limit;
            let free = lowered.min(self.bank);
            self.bank -= free;
            self.debt += lowered - free;
        }
        self.limit = limit;
    }

    fn dismiss_heavier_than(&mut self, word: &AtomicU64, limit: u32, wakers: &mut Wakers) {
        for key in self.lines_waited_for() {
            for (slot, weight, _) in self.waiters(key) {
                if weight > limit {
                    self.dismiss(word, key, slot, Some(RejectedKind::TooHeavy), wakers);
                }
            }
            self.forget_if_idle(key);
        }
    }

    /// Who can be refused is, from now on.
    pub(super) fn close(&mut self, word: &AtomicU64, wakers: &mut Wakers) {
        self.slow_down(word);
        self.special().closed = true;
        for key in self.lines_waited_for() {
            for (slot, _, fallible) in self.waiters(key) {
                if fallible {
                    self.dismiss(word, key, slot, Some(RejectedKind::Closed), wakers);
                }
            }
            self.forget_if_idle(key);
        }
    }

    pub(super) fn reopen(&mut self) {
        if let Some(special) = &mut self.special {
            special.closed = false;
        }
    }

    /// Tells what happens from now on.
    pub(super) fn listen(&mut self, word: &AtomicU64, listeners: Sender<Event>) {
        self.slow_down(word);
        self.special().listeners = Some(listeners);
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
        self.line = Line::new();
        self.max_waiting = u32::MAX;
        true
    }

    /// What was special, to be dropped after unlocking.
    pub(super) fn take_special(&mut self) -> Option<Box<Special>> {
        self.special.take()
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

    /// Counts a refusal, and says why and when to come back.
    #[cold]
    fn refuse(&mut self, word: &AtomicU64, kind: RejectedKind, key: u32) -> Refusal {
        self.counters.rejected.count(kind);
        let mut refusal = self.refusal(word, kind, key);
        if matches!(kind, RejectedKind::QueueFull | RejectedKind::TimedOut) {
            refusal.retry_after = self.time_for(word, refusal.waiting + 1);
        }
        self.note(word, EventKind::Rejected(kind));
        refusal
    }

    #[expect(clippy::cast_possible_truncation, reason = "only differences count, modulo 2^32")]
    fn time_for(&mut self, word: &AtomicU64, calls: usize) -> Option<std::time::Duration> {
        // Each of the three may wrap, and so may their sum: only differences count.
        let acquired = (word.load(Ordering::Relaxed) >> 32) as u32;
        let at_once = self.counters.admitted_at_once as u32;
        let admitted = acquired.wrapping_add(at_once).wrapping_add(self.queue.served());
        self.returns.time_for(calls, admitted, Instant::now())
    }

    fn refusal(&mut self, word: &AtomicU64, kind: RejectedKind, key: u32) -> Refusal {
        let in_use = match self.keys_mut().filter(|_| key != NO_KEY) {
            Some(keys) => keys.entry(key).in_use - keys.entry(key).cooling,
            None => self.in_use(word),
        };
        Refusal {
            kind,
            limit: self.limit_of_a_call(),
            in_use,
            waiting: self.waiting(key),
            retry_after: None,
        }
    }

    /// A call goes in that would have been refused.
    fn shadow_refused(&mut self, word: &AtomicU64, kind: RejectedKind) -> Entered {
        self.counters.shadowed.rejected.count(kind);
        self.counters.admitted_at_once += 1;
        self.note(word, EventKind::Admitted);
        Entered::Admitted { weight: 0, slot: NO_SLOT }
    }

    /// A call is let in without waiting.
    fn admit(&mut self, word: &AtomicU64, weight: u32, key: u32, now: Option<Instant>) -> Entered {
        let free = weight.min(self.bank);
        self.bank -= free;
        self.debt += weight - free;
        if let Some(keys) = self.keys_mut().filter(|_| key != NO_KEY) {
            keys.entry(key).in_use += weight;
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
        Entered::Admitted { weight, slot }
    }

    /// Whether so many permits are free for one who comes now.
    fn has_room(&mut self, weight: u32, key: u32) -> bool {
        let bank = self.bank;
        match self.keys_mut() {
            Some(keys) => weight <= bank && !keys.has_turns() && keys.has_room(key, weight),
            None => weight <= bank && self.line.is_empty(),
        }
    }

    /// Permits that are out and would not be, if calls had to wait.
    fn above_the_limit(&mut self, key: u32) -> u32 {
        let debt = self.debt;
        match self.keys_mut() {
            Some(keys) => keys.entry(key).in_use.saturating_sub(keys.limit).max(debt),
            None => debt,
        }
    }

    fn too_heavy(&mut self, weight: u32) -> bool {
        let (limit, total) = (self.limit_of_a_call(), self.limit);
        (limit > 0 && weight > limit) || (total > 0 && weight > total)
    }

    /// What a call is held to: with keys, the limit of each.
    fn limit_of_a_call(&self) -> u32 {
        match self.special.as_deref() {
            Some(Special { keys: Some(keys), .. }) => keys.limit,
            _ => self.limit,
        }
    }

    pub(super) fn limit(&self) -> u32 {
        self.limit_of_a_call()
    }

    /// How many wait, or with a key, wait for that.
    fn waiting(&mut self, key: u32) -> usize {
        match self.keys_mut().filter(|_| key != NO_KEY) {
            Some(keys) => keys.entry(key).waiting as usize,
            None => self.queue.len(),
        }
    }

    /// The keys that somebody waits for, [`NO_KEY`] if there are no keys.
    fn lines_waited_for(&mut self) -> Vec<u32> {
        match self.keys_mut() {
            Some(keys) => keys.waited_for().iter().copied().collect(),
            None => vec![NO_KEY],
        }
    }

    /// Who waits in a line: slot, weight, and whether it can be refused.
    fn waiters(&mut self, key: u32) -> Vec<(u32, u32, bool)> {
        lines(&mut self.line, &mut self.queue, &mut self.special, key)
            .map(|(line, queue)| queue.waiters(line))
            .unwrap_or_default()
    }

    /// A waiter has left its line, for whatever reason.
    fn no_longer_waits(&mut self, slot: u32, key: u32) {
        let Some(special) = self.special.as_deref_mut() else { return };
        if let Some(rate) = &mut special.rate {
            rate.unwatch(slot);
        }
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
    fn give_back_key(&mut self, key: u32, weight: u32) {
        if let Some(keys) = self.keys_mut().filter(|_| key != NO_KEY) {
            keys.entry(key).in_use -= weight;
            self.refresh(key);
            self.forget_if_idle(key);
        }
    }

    fn refresh(&mut self, key: u32) {
        if let Some(Special { keys: Some(keys), .. }) = self.special.as_deref_mut()
            && key != NO_KEY
        {
            keys.refresh(&mut self.queue, key);
        }
    }

    fn forget_if_idle(&mut self, key: u32) {
        if let Some(special) = self.special.as_deref_mut()
            && let Some(keys) = special.keys.as_mut().filter(|_| key != NO_KEY)
        {
            special.forgotten.extend(keys.forget_if_idle(key));
        }
    }

    fn keys_mut(&mut self) -> Option<&mut Keys> {
        self.special.as_deref_mut().and_then(|special| special.keys.as_mut())
    }

    fn special(&mut self) -> &mut Special {
        self.special.get_or_insert_with(Box::default)
    }

    /// Tells those who listen.
    fn note(&mut self, word: &AtomicU64, kind: EventKind) {
        if self.special.as_deref_mut().is_none_or(|special| !special.is_listened_to()) {
            return;
        }
        let event = Event {
            kind,
            limit: self.limit_of_a_call() as usize,
            in_use: self.in_use(word) as usize,
            waiting: self.queue.len(),
        };
        self.special().note(event);
    }

    /// What is to be done when no lock is held.
    #[inline]
    pub(super) fn aside(&mut self) -> Option<Aside> {
        self.special.as_deref_mut()?.aside()
    }

    pub(super) fn is_special(&self) -> bool {
        self.special.is_some()
    }

    /// `acquired` calls have been admitted through the word.
    pub(super) fn read(&mut self, word: &AtomicU64, acquired: u64) -> Reading {
        self.absorb(word);
        self.let_cool();
        let mut current = self.counters.clone();
        current.admitted_at_once += acquired.saturating_sub(self.acquired_before);
        current.most_waiting = self.queue.longest();
        self.queue.uncounted().for_each(|waited| current.count_wait(waited));
        Reading {
            bound: matches!(self.binding, Binding::Bound),
            limit: self.limit_of_a_call() as usize,
            in_use: self.in_use(word) as usize,
            waiting: self.queue.len(),
            keys: self.keys_mut().map_or(0, |keys| keys.len()),
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
        let cooling = match self.special.as_deref() {
            Some(Special { rate: Some(rate), .. }) => rate.permits,
            _ => 0,
        };
        self.limit + self.debt - self.bank - available - cooling
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
        if !self.slow || self.debt > 0 || !matches!(self.binding, Binding::Bound) {
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
