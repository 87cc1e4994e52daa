//! A semaphore whose permits come with time, by a rate or a ramp: who looks at the clock, and the
//! [tickers](super::super::tickers).

use super::super::modes::Modes;
use super::super::moment::{Clock, Moment};
use super::super::ramp::Ramp;
use super::super::rate::Rate;
use super::super::tickers::Tick;
use super::super::wake_list::WakeList;
use super::State;
use crate::sync::AtomicU64;
use std::task::Waker;
use tokio::runtime::Id;
use tokio::time::Instant;

impl State {
    /// Returns whether permits come with time, so that a call that waits needs a ticker.
    pub(super) fn awaits_clock(&self) -> bool {
        self.modes.as_deref().is_some_and(|modes| {
            modes.rate.is_some() || modes.ramp.as_deref().is_some_and(Ramp::is_under_way)
        })
    }

    /// Takes the permits that have come with time, for a call that comes. Returns the time at which it looked, if it did.
    /// The caller serves before it unlocks.
    pub(super) fn look_at_clock_for_call(&mut self) -> Option<Moment> {
        let now = self.read_clock()?;
        self.take_back_cooled(now);
        self.let_in_for_call(now);
        Some(now)
    }

    /// Does the same for a caller that watches the clock for calls, or for a holder.
    pub(super) fn look_at_clock(&mut self) -> Option<Moment> {
        let now = self.read_clock()?;
        self.take_back_cooled(now);
        self.let_in(now);
        Some(now)
    }

    /// Takes the permits that have come with time, for a caller that wants none itself. The caller serves before it
    /// unlocks.
    pub(super) fn look_at_clock_in_passing(&mut self) {
        self.take_back_cooled_by_own_clock();
        self.let_in_in_passing();
    }

    /// Reads the clock if anything depends on it. It is read under the lock: by this clock no start that is known is later.
    fn read_clock(&self) -> Option<Moment> {
        let modes = self.modes.as_deref()?;
        (modes.rate.is_some() || modes.ramp.is_some()).then(Moment::now)
    }

    /// Looks at the clock for a ticker, and serves. Returns when the ticker is to look again; `None` for
    /// at once, when the wakers have been woken.
    ///
    /// `waker` is taken if the ticker is to be woken. The second result is a waker that is not needed any
    /// more, to be dropped after unlocking.
    pub(in super::super) fn tick(
        &mut self,
        word: &AtomicU64,
        ticker: u64,
        waker: &mut Option<Waker>,
        wakers: &mut WakeList,
    ) -> (Option<Tick>, Option<Waker>) {
        // The semaphore may have another owner by now, and its rate another clock.
        if !self.modes.as_deref().is_some_and(|modes| modes.tickers.has(ticker)) {
            return (Some(Tick::Done), None);
        }
        let now = self.look_at_clock();
        if let (Some(modes), Some(now)) = (self.modes.as_deref_mut(), now) {
            modes.tickers.begin_tick(ticker, now);
        }
        if self.serve(word, wakers) {
            return (None, None);
        }
        // A call that is away adds a ticker when it is back.
        let goes_on = self.has_waiters() && self.awaits_clock();
        match (self.modes.as_deref_mut(), now) {
            (Some(modes), Some(now)) if goes_on => {
                let until = modes.next_permits(now.clock);
                modes.tickers.end_tick(ticker, until, waker)
            }
            // Removed at once, so that the next call that joins finds no ticker, and adds one.
            (Some(modes), _) => {
                let removed = modes.tickers.remove(ticker);
                (Some(Tick::Done), removed.and_then(|(waker, _)| waker))
            }
            (None, _) => (Some(Tick::Done), None),
        }
    }

    /// Adds a ticker for a runtime, or for the threads that block. Returns its number; `None` if there is one already, or
    /// no permit comes with time.
    pub(in super::super) fn add_ticker(&mut self, runtime: Option<Id>) -> Option<u64> {
        if !self.awaits_clock() {
            return None;
        }
        self.modes.as_deref_mut()?.tickers.add(runtime)
    }

    /// Marks a ticker as spawned, if it is still there.
    pub(in super::super) fn ticker_is_spawned(&mut self, ticker: u64) {
        if let Some(modes) = self.modes.as_deref_mut() {
            modes.tickers.mark_spawned(ticker);
        }
    }

    /// Removes a ticker. Returns its waker, to be dropped after unlocking, and whether calls wait that
    /// count on it.
    pub(in super::super) fn remove_ticker(&mut self, ticker: u64) -> Option<(Option<Waker>, bool)> {
        let waits = self.has_waiters();
        let (waker, was_spawned) = self.modes.as_deref_mut()?.tickers.remove(ticker)?;
        Some((waker, was_spawned && waits))
    }
}

impl Modes {
    /// Returns when the next permits come with time, by a clock.
    fn next_permits(&self, clock: Clock) -> Option<Instant> {
        next_permits(self.rate.as_ref(), self.ramp.as_deref(), clock)
    }

    /// Wakes the tickers that sleep for longer than until the next permits come.
    pub(super) fn wake_late_tickers(&mut self, wakers: &mut WakeList) {
        let Self { rate, ramp, tickers, .. } = self;
        tickers.wake_late(|clock| next_permits(rate.as_ref(), ramp.as_deref(), clock), wakers);
    }
}

fn next_permits(rate: Option<&Rate>, ramp: Option<&Ramp>, clock: Clock) -> Option<Instant> {
    rate.and_then(Rate::next).or_else(|| ramp?.next(clock))
}
