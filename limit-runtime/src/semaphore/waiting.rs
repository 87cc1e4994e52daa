//! What waiters do until they are served, or go.

use super::rate::Tick;
use super::waiter::Waiter;
use super::wakers::Wakers;
use super::{Semaphore, unlock};
use crate::rejected::Refusal;
use crate::unwind::{Quiet, quietly, serve_each};
use std::iter;
use std::mem;
use std::task::Waker;
use tokio::runtime::Id;

impl Semaphore {
    /// A waiter goes before it was admitted, by its own will or to ask again. Its slot is given up.
    pub(super) fn leave(&self, slot: u32, weight: u32, cancelled: bool) {
        let mut state = self.lock();
        // Dropped after unlocking, as in the next two.
        let _waker = Quiet::new(state.leave(&self.word, slot, weight, cancelled));
        self.serve(state);
    }

    /// A waiter's time is up: it is refused, and has left, unless it does not wait any more.
    pub(super) fn time_out(&self, waiter: Waiter) -> Result<Refusal, Waiter> {
        // Permits that have cooled just now are handed out before.
        self.serve_all();
        let mut state = self.lock();
        let Some((refusal, waker)) = state.time_out(&self.word, waiter.slot) else {
            drop(state);
            return Err(waiter);
        };
        let _waker = Quiet::new(waker);
        // Its slot is given up: if somebody who is woken panics, it must not be given up again.
        mem::forget(waiter);
        self.serve(state);
        Ok(refusal)
    }

    /// A waiter goes that was refused while it waited. Its slot is given up.
    pub(super) fn leave_refused(&self, slot: u32, weight: u32) -> Refusal {
        let mut state = self.lock();
        let (refusal, waker) = state.leave_refused(&self.word, slot, weight);
        let _waker = Quiet::new(waker);
        self.serve(state);
        refusal.expect("whoever was refused was told why")
    }

    /// A waiter starts that was handed permits which cool.
    pub(crate) fn start(&self, slot: u32) {
        self.lock().start(slot);
    }

    /// A waiter is polled on a runtime, for permits that cool: if nobody watches the clock there, the
    /// number of who is to.
    pub(crate) fn add_ticker(&self, runtime: Id) -> Option<u64> {
        self.lock().add_ticker(runtime)
    }

    /// Whoever is to watch the clock has been spawned, if that has not been the end of it.
    pub(crate) fn ticker_is_spawned(&self, ticker: u64) {
        self.lock().ticker_is_spawned(ticker);
    }

    /// Serves whoever can be served by now; when to do so again. Does not panic, whatever the wakers
    /// do: others depend on the ticker.
    pub(crate) fn tick(&self, ticker: u64, waker: &Waker) -> Tick {
        let mut waker = Some(waker.clone());
        loop {
            let mut wakers = Wakers::default();
            let mut state = self.lock();
            // All in one: if it served, unlocked and then asked what cools next, another could take
            // permits back in between, and it would know of none and sleep on.
            let (tick, unneeded) = state.tick(&self.word, ticker, &mut waker, &mut wakers);
            quietly(|| unlock(state, wakers));
            quietly(|| drop(unneeded));
            if let Some(tick) = tick {
                return tick;
            }
        }
    }

    /// Whoever watches the clock goes. If it was needed, its runtime ends: whoever waits is polled
    /// where it lives now, to find another.
    pub(crate) fn remove_ticker(&self, ticker: u64) {
        let removed = self.lock().remove_ticker(ticker);
        if removed.is_some_and(|(_waker, was_needed)| was_needed) {
            quietly(|| self.wake_waiters());
        }
    }

    /// Wakes everybody who waits. A call that joins meanwhile sees to it in its own poll that somebody
    /// watches.
    fn wake_waiters(&self) {
        let mut next = Some(0);
        let batches = iter::from_fn(|| {
            let mut wakers = Wakers::default();
            // Taken, not cloned: that would be foreign code under the lock. Who has been woken is
            // polled, and leaves another.
            next = self.lock().queue.take_wakers(next?, &mut wakers);
            Some(wakers)
        });
        serve_each(batches, Wakers::wake);
    }

    /// A waiter is polled by another task than the one that its waker wakes.
    pub(crate) fn update_waker(&self, slot: u32, waker: &Waker) {
        if !self.lock().queue.needs_waker(slot, waker) {
            return;
        }
        let waker = waker.clone();
        let unneeded = self.lock().queue.set_waker(slot, waker);
        quietly(|| drop(unneeded));
    }

    /// Takes as many waiters out of the queue as there are at the start, the first first, and wakes them,
    /// to ask again.
    pub(crate) fn dismiss_all(&self) {
        let mut left = self.lock().queue.len();
        let batches = iter::from_fn(|| {
            if left == 0 {
                return None;
            }
            let mut state = self.lock();
            let mut wakers = Wakers::default();
            let dismissed = state.dismiss_some(&self.word, left, &mut wakers);
            left = if dismissed == 0 { 0 } else { left.saturating_sub(dismissed) };
            Some((state, wakers))
        });
        // Last of all, those who may be served now.
        serve_each(batches.map(Some).chain([None]), |batch| match batch {
            Some((state, wakers)) => unlock(state, wakers),
            None => self.serve_all(),
        });
    }
}
