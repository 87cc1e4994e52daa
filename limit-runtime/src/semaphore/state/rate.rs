//! Permits that cool: who takes them back, who watches for that, and what is told of them.

use super::super::Tick;
use super::super::moment::Moment;
use super::super::rate::Rate;
use super::super::slots::NO_KEY;
use super::super::special::Special;
use super::super::wakers::Wakers;
use super::State;
use crate::rejected::Window;
use crate::sync::AtomicU64;
use std::task::Waker;
use std::time::Duration;
use tokio::runtime::Id;
use tokio::time::Instant;

impl State {
    /// Takes back the permits that have cooled, for one who wants permits or watches for those who do;
    /// says when that was. To be followed by serving, before unlocking.
    pub(super) fn look(&mut self) -> Option<Moment> {
        let rate = self.rate_mut()?;
        // Under the lock: no start that is known is later, by this clock.
        let now = Moment::now();
        rate.cut_short(now);
        self.take_cooled(now, true);
        Some(now)
    }

    /// The same for one who happens to come by, for whoever waits.
    pub(super) fn let_cool(&mut self) {
        if self.rate_mut().is_some_and(|rate| rate.permits() > 0) {
            self.take_cooled(Moment::now(), false);
        }
    }

    fn take_cooled(&mut self, now: Moment, wanted: bool) {
        while let Some(Special { rate: Some(rate), keys, .. }) = self.special.as_deref_mut() {
            let Some((permits, key)) = rate.next_cooled(now, wanted) else { return };
            if let Some(keys) = keys.as_mut().filter(|_| key != NO_KEY) {
                keys.entry(key).cooled(permits);
            }
            self.give_back_key(key, permits);
            self.bank_permits(permits);
        }
    }

    /// Forgets keys that are known only because of permits that have cooled, for one who only looks
    /// on: as long as nobody waits, who would have to be served.
    pub(super) fn forget_cooled_keys(&mut self) {
        if self.queue.len() == 0 && self.keys_mut().is_some() {
            self.let_cool();
        }
    }

    /// What is spent of the window for which a call is refused, and how long it takes until those who
    /// wait and then the call are served. Both only if it is a matter of permits that cool: others come
    /// back when their holders like.
    pub(super) fn spent_window(
        &mut self,
        now: Instant,
        weight: u32,
        waiting: usize,
        key: u32,
    ) -> (Option<Window>, Option<Duration>) {
        let total = self.limit;
        let (debt, bank) = (u64::from(self.debt), u64::from(self.bank));
        let Some(Special { rate: Some(rate), keys, .. }) = self.special.as_deref_mut() else {
            return (None, None);
        };
        // One that is further away is on another clock, and is taken to be no further.
        let time = |over: Instant| over.saturating_duration_since(now).min(rate.per());
        let window = |starts, limit, of_all_keys, next: Option<Instant>| {
            let next = next.filter(|_| limit > 0 && starts > 0).map(time)?;
            Some(Window { starts, limit, of_all_keys, next })
        };
        // Whoever waits is taken to want one.
        let wanted = u64::from(weight) + waiting as u64;
        // So many have to come back for so many to be free. If none has to, those before want more.
        let of_total = |wanted: u64| rate.cooled_at((wanted + debt).saturating_sub(bank).max(1));
        let keyed = keys.as_mut().filter(|_| key != NO_KEY);
        let of_all_keys = keyed.is_some();
        if let Some(keys) = keyed {
            let limit = keys.limit;
            let entry = keys.entry(key);
            let missing =
                |wanted: u64| (wanted + u64::from(entry.in_use)).saturating_sub(u64::from(limit));
            if missing(wanted) > 0 {
                let next = entry.cooled_at(missing(1).max(1));
                let mut cooled = entry.cooled_at(missing(wanted));
                if wanted + debt > bank {
                    // And there have to be as many of all keys.
                    cooled = cooled.and_then(|over| Some(over.max(of_total(wanted)?)));
                }
                return (window(entry.cooling(), limit, false, next), cooled.map(time));
            }
        }
        let window = window(rate.permits(), total, of_all_keys, of_total(1));
        (window, of_total(wanted).map(time))
    }

    /// A waiter starts that has been handed its permits, which will cool.
    pub(in super::super) fn start(&mut self, slot: u32) {
        if let Some(rate) = self.rate_mut() {
            rate.start(slot, Moment::now());
        }
    }

    /// A waiter is polled on that runtime: if nobody watches the clock there, the number of who is to.
    pub(in super::super) fn add_ticker(&mut self, runtime: Id) -> Option<u64> {
        self.rate_mut()?.add_ticker(runtime)
    }

    /// Whoever is to watch the clock has been spawned.
    pub(in super::super) fn ticker_is_spawned(&mut self, ticker: u64) {
        if let Some(rate) = self.rate_mut() {
            rate.ticker_is_spawned(ticker);
        }
    }

    /// Whoever watches the clock looks, serves, and finds out when to look again; `None` if it is to do
    /// so at once, when the wakers have been woken. Its waker is taken if it is to be woken; one that it
    /// needs no more comes back, to be dropped after unlocking.
    pub(in super::super) fn tick(
        &mut self,
        word: &AtomicU64,
        ticker: u64,
        waker: &mut Option<Waker>,
        wakers: &mut Wakers,
    ) -> (Option<Tick>, Option<Waker>) {
        // It may be another's rate by now, with another clock.
        if !self.rate_mut().is_some_and(|rate| rate.has_ticker(ticker)) {
            return (Some(Tick::Done), None);
        }
        let now = self.look();
        if let (Some(rate), Some(now)) = (self.rate_mut(), now) {
            rate.begin_tick(ticker, now);
        }
        if self.serve(word, wakers) {
            return (None, None);
        }
        let waits = self.queue.len() > 0;
        match self.rate_mut() {
            Some(rate) if waits => rate.end_tick(ticker, waker),
            // Not later: whoever joins next is to see that nobody watches.
            Some(rate) => {
                let removed = rate.remove_ticker(ticker);
                (Some(Tick::Done), removed.and_then(|(waker, _)| waker))
            }
            None => (Some(Tick::Done), None),
        }
    }

    /// Whoever watches the clock goes. Its waker, to be dropped after unlocking, and whether calls wait
    /// that count on it.
    pub(in super::super) fn remove_ticker(&mut self, ticker: u64) -> Option<(Option<Waker>, bool)> {
        let waits = self.queue.len() > 0;
        let (waker, was_spawned) = self.rate_mut()?.remove_ticker(ticker)?;
        Some((waker, was_spawned && waits))
    }

    fn rate_mut(&mut self) -> Option<&mut Rate> {
        self.special.as_deref_mut()?.rate.as_mut()
    }

    pub(super) fn has_rate(&self) -> bool {
        self.special.as_deref().is_some_and(|special| special.rate.is_some())
    }
}
