//! A semaphore whose limit rises from one permit: see [`ramp`](super::super::ramp).

use super::super::moment::Moment;
use super::super::ramp::Ramp;
use super::super::slots::NO_KEY;
use super::State;
use crate::rejected::Refusal;
use std::time::Duration;

impl State {
    /// Returns the ramp, if there is one.
    #[inline]
    pub(super) fn ramp(&self) -> Option<&Ramp> {
        self.modes.as_deref()?.ramp.as_deref()
    }

    pub(super) fn ramp_mut(&mut self) -> Option<&mut Ramp> {
        self.modes.as_deref_mut()?.ramp.as_deref_mut()
    }

    /// Returns the limit, or with keys the total, without regard to permits that are not let in yet.
    #[inline]
    pub(super) fn whole_limit(&self) -> u32 {
        self.ramp().map_or(self.limit, Ramp::limit)
    }

    /// Returns whether permits are withheld, as far as is known.
    pub(super) fn withholds(&self) -> bool {
        self.ramp().is_some_and(|ramp| ramp.withheld() > 0)
    }

    /// Returns how many permits are withheld now. Lets none in, because a reading serves nobody.
    pub(super) fn withheld(&self) -> u32 {
        self.ramp().map_or(0, |ramp| ramp.withheld_at(Moment::now()))
    }

    /// Lets permits in for a call that comes, or starts the ramp. What the word has must have been banked. The caller
    /// serves before it unlocks.
    pub(super) fn let_in_for_call(&mut self, now: Moment) {
        self.ramp_on(|ramp| ramp.come(now));
    }

    /// Lets permits in for a ticker, or for a holder that wants more. The caller serves before it unlocks.
    pub(super) fn let_in(&mut self, now: Moment) {
        self.ramp_on(|ramp| ramp.look(now));
    }

    /// Lets permits in for a caller that wants none itself. The caller serves before it unlocks.
    pub(super) fn let_in_in_passing(&mut self) {
        if self.ramp().is_some_and(Ramp::is_under_way) {
            self.ramp_on(|ramp| ramp.look_in_passing(Moment::now()));
        }
    }

    /// Notes that no permit is out and no call waits.
    pub(super) fn rest(&mut self) {
        if let Some(ramp) = self.ramp_mut() {
            ramp.rest();
        }
    }

    /// Changes the limit, or with keys the total: the number of permits when all are let in.
    pub(super) fn change_whole_limit(&mut self, limit: u32) {
        let limit = self.limit_in_force(limit);
        match self.ramp_mut() {
            // The time that has passed stays, and the tickers hear of it when the caller serves.
            Some(ramp) => {
                ramp.set_limit(limit);
                self.ramp_on(|_| ());
            }
            None => self.change_limit(limit),
        }
    }

    /// Returns how long it takes until a call that is refused, and those that wait before it, have their permits from those
    /// that are not let in yet. Each waiter is taken to want one permit. `None` if they are too few, or if the call's
    /// key has no permit free.
    pub(super) fn time_until_let_in_for(
        &self,
        weight: u32,
        refusal: &Refusal,
        key: u32,
    ) -> Option<Duration> {
        let ramp = self.ramp().filter(|ramp| ramp.withheld() > 0)?;
        let is_full = self.keys().is_some() && key != NO_KEY && refusal.in_use >= refusal.limit;
        if is_full || self.shares().is_some() {
            return None;
        }
        // Of a key's calls only its own are known to wait before this one.
        let wanted = u64::from(weight) + u64::from(refusal.waiting) + u64::from(self.debt);
        let missing = wanted.saturating_sub(u64::from(self.bank)).max(1);
        ramp.time_until_more(missing)
    }

    /// Changes the ramp, and puts in force how many permits it lets in.
    fn ramp_on(&mut self, change: impl FnOnce(&mut Ramp)) {
        let Some(ramp) = self.ramp_mut() else { return };
        change(ramp);
        let let_in = ramp.let_in();
        if let_in != self.limit {
            self.change_limit(let_in);
        }
    }
}
