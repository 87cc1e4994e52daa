//! Readings of a semaphore, and the figures in refusals.

use super::super::keys::Keys;
use super::super::moment;
use super::super::release_rate::{Checkpoint, Served};
use super::super::slots::NO_KEY;
use super::super::word;
use super::State;
use crate::events::EventKind;
use crate::metrics::{Counters, Reading, RejectedCounts, Usage};
use crate::policy::total_of;
use crate::rejected::{Awaited, Estimate, Reason, Refusal, RejectedKind};
use crate::sync::AtomicU64;
use std::mem;
use std::time::Duration;
use tokio::time::Instant;

impl State {
    /// Counts a refusal. Returns it with its figures. If there may be an estimate when to come back, it is worked
    /// out when somebody asks, except with keys: the key may be forgotten by then.
    #[cold]
    pub(super) fn refuse(
        &mut self,
        word: &AtomicU64,
        kind: RejectedKind,
        key: u32,
        weight: u32,
    ) -> Refusal {
        self.refuse_with(word, kind, key, |state, refusal| {
            if key != NO_KEY || state.has_rate() || state.withholds() {
                state.add_estimate(word, refusal, key, weight);
            }
        })
    }

    /// Does the same, with what is to be known at once of a refusal for which there may be an estimate.
    pub(super) fn refuse_with(
        &mut self,
        word: &AtomicU64,
        kind: RejectedKind,
        key: u32,
        add_estimate: impl FnOnce(&mut Self, &mut Refusal),
    ) -> Refusal {
        self.count_refused(kind, key);
        self.tell_controller(word, kind);
        let mut refusal = self.refusal(word, kind, key);
        if kind.is_transient() {
            refusal = refusal.estimated_later(self.binding_number);
            add_estimate(self, &mut refusal);
        }
        self.notify(word, EventKind::Rejected(kind));
        refusal
    }

    pub(super) fn count_refused(&mut self, kind: RejectedKind, key: u32) {
        self.counters.rejected.count(kind);
        if let Some(shares) = self.shares_mut() {
            shares.count_rejected(key);
        }
    }

    /// Adds what must be known at once of a refusal by a key, a rate or a ramp.
    #[cold]
    fn add_estimate(&mut self, word: &AtomicU64, refusal: &mut Refusal, key: u32, weight: u32) {
        let now = moment::now();
        // As in `time_for`.
        let is_paused = self.limit == 0 || self.limit_of_key(key) == 0;
        // Each waiter is taken to want one permit.
        let wanted = u64::from(weight) + u64::from(refusal.waiting);
        let (window, cooled) = self.spent_window(now, wanted, key);
        if let Some(window) = window {
            refusal.set_details(|details| details.window = Some(window));
        }
        // Permits that cool come back when they have cooled. For others there is an estimate.
        let let_in = self.time_until_let_in_for(weight, refusal, key);
        if cooled.is_some() {
            refusal.estimate = Estimate::known(cooled);
        } else if let_in.is_some() {
            let served = Served { calls: refusal.waiting.saturating_add(1), weight };
            let checkpoint = self.checkpoint(word, now);
            // For heavier calls, those that were let in would pass for some that have come back.
            let returned = (weight == 1 && key == NO_KEY)
                .then(|| self.release_rate.time_for(served, checkpoint))
                .flatten();
            refusal.estimate = Estimate::known(let_in.into_iter().chain(returned).min());
        } else if let Some(keys) = self.keys_mut().filter(|_| key != NO_KEY) {
            let state = keys.state_mut(key);
            let now = Checkpoint { at: now, admitted: state.admitted, in_use: state.held() };
            let served = Served { calls: refusal.waiting.saturating_add(1), weight };
            let time = state.release_rate().time_for(served, now);
            refusal.estimate = Estimate::known(time.filter(|_| !is_paused));
        }
    }

    /// Returns a refusal with its figures.
    pub(super) fn refusal(&mut self, word: &AtomicU64, kind: RejectedKind, key: u32) -> Refusal {
        let in_use = match self.keys_mut().filter(|_| key != NO_KEY) {
            Some(keys) => keys.state_mut(key).held(),
            None => self.in_use(word),
        };
        let limit = match kind {
            RejectedKind::TooHeavy => self.heaviest_of(key),
            _ if key != NO_KEY => {
                self.keys().map_or_else(|| self.whole_limit(), |keys| keys.limit_of(key))
            }
            _ => self.limit_of_call(),
        };
        let waiting = u32::try_from(self.waiting(key)).unwrap_or(u32::MAX);
        let mut refusal = Refusal::new(kind, limit, in_use, waiting);
        refusal.of_share = self.is_leased();
        refusal.reason = self.reason(kind, key, limit);
        if key != NO_KEY && in_use < limit && self.bank == 0 && self.keys().is_some() {
            let total = self.limit;
            refusal.set_details(|details| details.reached_total = Some(total));
        }
        if self.withholds() {
            let let_in = self.limit;
            refusal.set_details(|details| details.let_in = Some(let_in));
        }
        if kind == RejectedKind::QueueFull && self.is_full_of_all_keys() {
            let waiting = self.queue.len() - self.waiting_to_grow(NO_KEY).0;
            let most = self.keys().map_or(0, |keys| keys.max_waiting);
            refusal.set_details(|details| details.waiting_of_all_keys = Some((waiting, most)));
        }
        refusal
    }

    /// Returns the bound that the text of a refusal names. `limit` is its limit.
    fn reason(&self, kind: RejectedKind, key: u32, limit: u32) -> Reason {
        let is_of_key = |keys: &Keys| limit == keys.limit_of(key) && limit != keys.limit;
        match kind {
            _ if key != NO_KEY && self.keys().is_some_and(is_of_key) => Reason::OfKey,
            RejectedKind::TooHeavy if self.shares().is_some() && limit < self.heaviest() => {
                Reason::OfShare
            }
            RejectedKind::TooHeavy if self.adapts() && limit < self.limit_of_key(key) => {
                Reason::OfRange
            }
            _ => Reason::Limit,
        }
    }

    /// Estimates how long it takes until a call that was refused is served: behind those that waited, or before them if it
    /// holds permits. Returns `None` if the semaphore has been unbound since.
    pub(in super::super) fn time_for(
        &mut self,
        word: &AtomicU64,
        refusal: &Refusal,
        now: Instant,
    ) -> Option<Duration> {
        if !self.is_bound() || self.binding_number != refusal.binding {
            return None;
        }
        // Permits may come back, but nobody is admitted.
        let is_closed = self.modes.as_deref().is_some_and(|modes| modes.closed);
        if is_closed || self.limit == 0 {
            return None;
        }
        let served = match refusal.details().and_then(|details| details.awaited) {
            Some(Awaited { calls, weight }) => Served { calls, weight },
            None => Served { calls: refusal.waiting.saturating_add(1), weight: refusal.weight },
        };
        let now = self.checkpoint(word, now);
        self.release_rate.time_for(served, now)
    }

    /// Returns the figures for estimates.
    #[expect(clippy::cast_possible_truncation, reason = "only differences count, modulo 2^32")]
    pub(super) fn checkpoint(&mut self, word: &AtomicU64, at: Instant) -> Checkpoint {
        self.bank_available(word);
        // Each of the four may wrap, and so may their sum.
        let at_once = self.counters.admitted_at_once as u32;
        let admitted = word::acquired(word).wrapping_add(at_once).wrapping_add(self.queue.served());
        let admitted = admitted.wrapping_sub(self.counters.taken_back as u32);
        let admitted = admitted.wrapping_sub(self.counters.unused());
        Checkpoint { at, admitted, in_use: self.in_use(word) }
    }

    /// Adds the recent waits to the counters.
    #[cold]
    pub(super) fn count_waits(&mut self) {
        for (waited, calls) in self.queue.take_recent() {
            self.counters.count_wait(waited, calls);
        }
    }

    /// Returns the figures, given how many calls have been admitted and refused through the word.
    pub(in super::super) fn read(
        &mut self,
        word: &AtomicU64,
        acquired: u64,
        refused: &RejectedCounts,
    ) -> Reading {
        self.bank_available(word);
        self.forget_cooled_keys();
        self.count_waits();
        let mut current = self.counters.clone();
        current.admitted_at_once = self.admitted_at_once(acquired);
        current.rejected.add(refused);
        self.add_shares(&mut current);
        current.most_waiting = if self.is_bound() { self.queue.longest() } else { 0 };
        self.queue.admitted().for_each(|waited| current.count_wait(waited, 1));
        Reading {
            bound: self.is_bound(),
            usage: Usage {
                limit: self.limit_of_call() as usize,
                in_use: self.in_use(word) as usize,
                // Calls that wait for the limit wait for no permit.
                waiting: if self.is_bound() { self.queue.len() } else { 0 },
                keys: self.keys().map_or(0, Keys::len),
                withheld: self.withheld() as usize,
                total: self.keys().and(total_of(self.whole_limit())),
                stalled: None,
            },
            current,
            past: self.past.as_deref().cloned().unwrap_or_default(),
            adaptive: if self.is_bound() { self.adaptive_figures() } else { None },
            shares: self.shares().map_or_else(Vec::new, |all| all.figures(self.whole_limit())),
            #[cfg(feature = "inspect")]
            is_to_move: self.is_bound() && self.queue.len() > 0 && self.limit > 0,
        }
    }

    /// Adds the counters to those of former bindings, or with `forget`, drops both.
    pub(in super::super) fn archive_counters(
        &mut self,
        acquired: u64,
        refused: &RejectedCounts,
        forget: bool,
    ) {
        self.count_waits();
        self.counters.most_waiting = self.queue.longest();
        self.queue.restart_longest();
        let admitted_at_once = self.admitted_at_once(acquired);
        let mut current = mem::take(&mut self.counters);
        current.admitted_at_once = admitted_at_once;
        current.rejected.add(refused);
        self.add_shares(&mut current);
        self.acquired_before = acquired;
        if forget {
            self.past = None;
        } else {
            self.past.get_or_insert_default().add(&current);
        }
    }

    fn add_shares(&self, counters: &mut Counters) {
        if let Some(shares) = self.shares() {
            shares.counts().for_each(|counts| counters.add_share(&counts));
        }
    }

    /// Returns how many calls were admitted at once since the semaphore was bound last.
    fn admitted_at_once(&self, acquired: u64) -> u64 {
        // One difference of two sums: a call may be taken back that was admitted by the lock.
        (self.counters.admitted_at_once + acquired).saturating_sub(self.acquired_before)
    }

    /// Takes back that a call was admitted at once, through the word or by the lock.
    pub(in super::super) fn uncount_acquired(&mut self) {
        self.acquired_before += 1;
    }

    /// Returns the calls admitted through the word, never fewer than before. `acquired` is put together
    /// from two atomics, of which one may be behind at the moment when the word wraps.
    pub(in super::super) fn monotonic(&mut self, acquired: u64) -> u64 {
        let behind = acquired < self.acquired_seen;
        self.acquired_seen = acquired + if behind { 1 << 32 } else { 0 };
        self.acquired_seen
    }
}
