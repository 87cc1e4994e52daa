//! Tickers: who watches the clock for calls that wait for permits that come with time. See [`super::tickers`].

use super::permits::Semaphore;
use super::tickers::Tick;
use super::wake_list::WakeList;
use crate::unwind::{quietly, run_all_then_resume_panic};
use std::iter;
use std::task::Waker;
use tokio::runtime::Id;

/// A ticker of a semaphore. Dropping it removes it. If calls wait then that counted on it, its runtime
/// ends: they are woken, so that each is polled where it lives now and adds another ticker.
#[derive(Debug)]
pub(crate) struct TickerRef {
    semaphore: &'static Semaphore,
    number: u64,
}

impl TickerRef {
    pub(crate) fn semaphore(&self) -> &'static Semaphore {
        self.semaphore
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Serves the calls that can be served by now, and returns when to do so again. Does not panic
    /// whatever the wakers do, because other calls depend on the ticker.
    pub(crate) fn tick(&self, waker: &Waker) -> Tick {
        let mut waker = Some(waker.clone());
        loop {
            let mut wakers = WakeList::default();
            let mut state = self.semaphore.lock();
            // All of it under one lock. If it served, unlocked and then asked when the next permits come,
            // another could take them in between. Then it would know of none, and sleep on.
            let (tick, unneeded) =
                state.tick(&self.semaphore.word, self.number, &mut waker, &mut wakers);
            quietly(|| self.semaphore.unlock(state, wakers));
            quietly(|| drop(unneeded));
            if let Some(tick) = tick {
                return tick;
            }
        }
    }
}

impl Drop for TickerRef {
    fn drop(&mut self) {
        let removed = self.semaphore.lock().remove_ticker(self.number);
        if removed.is_some_and(|(_waker, was_needed)| was_needed) {
            quietly(|| self.semaphore.wake_waiters());
        }
    }
}

impl Semaphore {
    /// Adds a ticker for a runtime, on which a waiter is polled, or for the threads that block. Returns
    /// `None` if there is a ticker already, or no permit comes with time.
    pub(crate) fn add_ticker(&'static self, runtime: Option<Id>) -> Option<TickerRef> {
        let number = self.lock().add_ticker(runtime)?;
        Some(TickerRef { semaphore: self, number })
    }

    /// Marks a ticker as spawned. Does nothing if it was dropped while it was spawned.
    pub(crate) fn ticker_is_spawned(&self, ticker: u64) {
        self.lock().ticker_is_spawned(ticker);
    }

    /// Returns the option for which calls wait for time.
    pub(crate) fn timed_by(&self) -> &'static str {
        if self.lock().has_rate() { "per" } else { "ramp" }
    }

    /// Wakes all waiters. A call that joins meanwhile adds a ticker in its own poll.
    fn wake_waiters(&self) {
        let mut next = Some(0);
        let batches = iter::from_fn(|| {
            let mut wakers = WakeList::default();
            // Taken, not cloned: a clone would be foreign code under the lock. A waiter that has been
            // woken is polled, and leaves another waker.
            next = self.lock().queue.take_wakers(next?, &mut wakers);
            Some(wakers)
        });
        run_all_then_resume_panic(batches, WakeList::wake);
    }
}
