//! A semaphore with a rate: permits that cool.

use super::super::modes::Modes;
use super::super::moment::Moment;
use super::super::rate::Rate;
use super::super::slots::NO_KEY;
use super::State;
use crate::rejected::Window;
use std::time::Duration;
use tokio::time::Instant;

impl State {
    pub(in super::super) fn has_rate(&self) -> bool {
        self.modes.as_deref().is_some_and(|modes| modes.rate.is_some())
    }

    pub(in super::super) fn rate_mut(&mut self) -> Option<&mut Rate> {
        self.modes.as_deref_mut()?.rate.as_mut()
    }

    /// Takes back the permits that have cooled, for a caller that wants permits or watches for those who
    /// do. The caller serves before it unlocks.
    pub(super) fn take_back_cooled(&mut self, now: Moment) {
        if let Some(rate) = self.rate_mut() {
            rate.cut_short(now);
            self.take_back_cooled_at(now, true);
        }
    }

    /// Takes back the permits that have cooled by their own clock, for a caller that wants none itself.
    /// The caller serves before it unlocks.
    pub(super) fn take_back_cooled_by_own_clock(&mut self) {
        if self.rate_mut().is_some_and(|rate| rate.permits() > 0) {
            self.take_back_cooled_at(Moment::now(), false);
        }
    }

    fn take_back_cooled_at(&mut self, now: Moment, wanted: bool) {
        while let Some(Modes { rate: Some(rate), keys, .. }) = self.modes.as_deref_mut() {
            let Some((permits, key)) = rate.next_cooled(now, wanted) else { return };
            if let Some(keys) = keys.as_mut().filter(|_| key != NO_KEY) {
                keys.state_mut(key).cooled(permits);
            }
            self.give_back_of_key(key, permits);
            self.bank_permits(permits);
        }
    }

    /// Forgets keys that are kept only for permits that have cooled. It does so for a reading, and only
    /// while no call waits: a reading serves nobody.
    pub(super) fn forget_cooled_keys(&mut self) {
        if self.queue.len() == 0 && self.keys_mut().is_some() {
            self.take_back_cooled_by_own_clock();
        }
    }

    /// Lets the permits of a holder cool that is done before its window is over. Returns whether they
    /// cool.
    pub(super) fn start_to_cool(&mut self, slot: u32, weight: u32, key: u32) -> bool {
        let Some(Modes { rate: Some(rate), keys, tickers, .. }) = self.modes.as_deref_mut() else {
            return false;
        };
        let Some(over) = rate.end(slot, (weight, key), Moment::now(), tickers) else {
            return false;
        };
        if let Some(keys) = keys.as_mut().filter(|_| key != NO_KEY) {
            keys.state_mut(key).cool(over, weight);
        }
        true
    }

    /// Returns how much of the window is spent for which a call is refused, and how long it takes until
    /// as many permits are free as the call and those before it want. Each is `None` unless permits that cool decide it:
    /// others come back when their holders like.
    pub(super) fn spent_window(
        &mut self,
        now: Instant,
        wanted: u64,
        key: u32,
    ) -> (Option<Window>, Option<Duration>) {
        let total = self.limit;
        let (debt, bank) = (u64::from(self.debt), u64::from(self.bank));
        let Some(Modes { rate: Some(rate), keys, .. }) = self.modes.as_deref_mut() else {
            return (None, None);
        };
        // A moment further away than a window is by another clock, and is taken to be a window away.
        let time = |over: Instant| over.saturating_duration_since(now).min(rate.per());
        let window = |starts, limit, of_all_keys, next: Option<Instant>| {
            let next = next.filter(|_| limit > 0 && starts > 0).map(time)?;
            Some(Window { starts, limit, of_all_keys, next })
        };
        // So many permits have to cool for `wanted` to be free. If none has to, the calls before this one
        // want more than one each.
        let of_total = |wanted: u64| rate.cooled_at((wanted + debt).saturating_sub(bank).max(1));
        let keyed = keys.as_mut().filter(|_| key != NO_KEY);
        let of_all_keys = keyed.is_some();
        if let Some(keys) = keyed {
            let limit = keys.limit_of(key);
            let state = keys.state_mut(key);
            let missing =
                |wanted: u64| (wanted + u64::from(state.in_use)).saturating_sub(u64::from(limit));
            if missing(wanted) > 0 {
                let next = state.cooled_at(missing(1).max(1));
                let mut cooled = state.cooled_at(missing(wanted));
                if wanted + debt > bank {
                    // The total must have as many permits too.
                    cooled = cooled.and_then(|over| Some(over.max(of_total(wanted)?)));
                }
                return (window(state.cooling(), limit, false, next), cooled.map(time));
            }
        }
        let window = window(rate.permits(), total, of_all_keys, of_total(1));
        (window, of_total(wanted).map(time))
    }

    /// Starts the window of a waiter that claims its permits, and sets its status. Returns `false`, and does
    /// nothing, if its grant was taken back.
    pub(in super::super) fn start_and_claim(&mut self, slot: u32, admitted: u64) -> bool {
        let now = self.rate_mut().map(|_| Moment::now());
        let is_claimed = self.queue.claim(slot, admitted);
        if let (Some(rate), Some(now)) = (self.rate_mut().filter(|_| is_claimed), now) {
            rate.start(slot, now);
        }
        is_claimed
    }
}
