//! What a semaphore shows of itself: figures, refusals and events.

use super::super::moment;
use super::super::slots::NO_KEY;
use super::super::special::Special;
use super::State;
use crate::events::{Event, EventKind};
use crate::metrics::{Counters, Reading, Usage};
use crate::rejected::{Refusal, RejectedKind};
use crate::sync::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

impl State {
    /// Counts a refusal, and says why and when to come back.
    #[cold]
    pub(super) fn refuse(
        &mut self,
        word: &AtomicU64,
        kind: RejectedKind,
        key: u32,
        weight: u32,
    ) -> Refusal {
        self.counters.rejected.count(kind);
        let mut refusal = self.refusal(word, kind, key);
        if kind.is_transient() {
            let now = moment::now();
            let (window, cooled) = self.spent_window(now, weight, refusal.waiting, key);
            refusal.window = window;
            // Permits that cool come back when they do.
            refusal.retry_after = cooled.or_else(|| self.time_for(word, now, refusal.waiting, key));
        }
        self.note(word, EventKind::Rejected(kind));
        refusal
    }

    pub(super) fn refusal(&mut self, word: &AtomicU64, kind: RejectedKind, key: u32) -> Refusal {
        let in_use = match self.keys_mut().filter(|_| key != NO_KEY) {
            Some(keys) => keys.entry(key).held(),
            None => self.in_use(word),
        };
        let (limit, total) = (self.limit_of_a_call(), self.limit);
        Refusal {
            kind,
            // That which it is too heavy for.
            limit: if kind == RejectedKind::TooHeavy && total > 0 {
                limit.min(total)
            } else {
                limit
            },
            in_use,
            waiting: self.waiting(key),
            window: None,
            retry_after: None,
        }
    }

    /// How long it may take until one is served behind so many that wait.
    #[expect(clippy::cast_possible_truncation, reason = "only differences count, modulo 2^32")]
    fn time_for(
        &mut self,
        word: &AtomicU64,
        now: Instant,
        waiting: usize,
        key: u32,
    ) -> Option<Duration> {
        if let Some(keys) = self.keys_mut().filter(|_| key != NO_KEY) {
            let entry = keys.entry(key);
            let admitted = entry.admitted;
            return entry.returns().time_for(waiting + 1, admitted, now);
        }
        // Each of the three may wrap, and so may their sum.
        let acquired = (word.load(Ordering::Relaxed) >> 32) as u32;
        let at_once = self.counters.admitted_at_once as u32;
        let admitted = acquired.wrapping_add(at_once).wrapping_add(self.queue.served());
        self.returns.time_for(waiting + 1, admitted, now)
    }

    /// Tells those who listen.
    pub(in super::super) fn note(&mut self, word: &AtomicU64, kind: EventKind) {
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

    #[cold]
    pub(super) fn count_waits(&mut self) {
        for &waited in self.queue.take_recent() {
            self.counters.count_wait(waited);
        }
    }

    /// `acquired` calls have been admitted through the word.
    pub(in super::super) fn read(&mut self, word: &AtomicU64, acquired: u64) -> Reading {
        self.absorb(word);
        self.forget_cooled_keys();
        let mut current = self.counters.clone();
        current.admitted_at_once += acquired.saturating_sub(self.acquired_before);
        current.most_waiting = if self.is_bound() { self.queue.longest() } else { 0 };
        self.queue.uncounted().for_each(|waited| current.count_wait(waited));
        Reading {
            bound: self.is_bound(),
            usage: Usage {
                limit: self.limit_of_a_call() as usize,
                in_use: self.in_use(word) as usize,
                // Who waits for the limit waits for no permit.
                waiting: if self.is_bound() { self.queue.len() } else { 0 },
                keys: match self.special.as_deref() {
                    Some(Special { keys: Some(keys), .. }) => keys.len(),
                    _ => 0,
                },
            },
            current,
            past: self.past.clone(),
        }
    }

    /// Adds the figures to those of the past, or forgets both.
    pub(in super::super) fn close_books(&mut self, acquired: u64, forget: bool) {
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

    /// `acquired`, put together from two atomics, of which one may be behind at the moment when the
    /// word wraps.
    pub(in super::super) fn monotonic(&mut self, acquired: u64) -> u64 {
        let behind = acquired < self.acquired_seen;
        self.acquired_seen = acquired + if behind { 1 << 32 } else { 0 };
        self.acquired_seen
    }
}
