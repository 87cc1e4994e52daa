//! What waiters do until they are served, or go.

use super::rate::Tick;
use super::waiter::Waiter;
use super::wakers::{Wakers, serve_each};
use super::{Semaphore, unlock};
use crate::rejected::Refusal;
use std::iter;
use std::mem;
use std::task::Waker;
use tokio::runtime::Id;
use tokio::time::Instant;

impl Semaphore {
    /// A waiter goes before it was admitted, by its own will or to ask again. Its slot is given up.
    pub(super) fn leave(&self, slot: u32, weight: u32, cancelled: bool) {
        let mut state = self.lock();
        // Dropped after unlocking, as in the next two.
        let _waker = state.leave(&self.word, slot, weight, cancelled);
        self.serve(state);
    }

    /// A waiter's time is up: it is refused, and has left, unless it does not wait any more.
    pub(super) fn time_out(&self, waiter: Waiter) -> Result<Refusal, Waiter> {
        // Permits that have cooled just now are handed out before.
        self.serve_all();
        let mut state = self.lock();
        let Some((refusal, _waker)) = state.time_out(&self.word, waiter.slot) else {
            drop(state);
            return Err(waiter);
        };
        // Its slot is given up: if somebody who is woken panics, it must not be given up again.
        mem::forget(waiter);
        self.serve(state);
        Ok(refusal)
    }

    /// A waiter goes that was refused while it waited. Its slot is given up.
    pub(super) fn leave_refused(&self, slot: u32, weight: u32) -> Refusal {
        let mut state = self.lock();
        let (refusal, _waker) = state.leave_refused(&self.word, slot, weight);
        self.serve(state);
        refusal.expect("whoever was refused was told why")
    }

    /// A waiter starts that was handed permits which cool.
    pub(crate) fn start(&self, slot: u32) {
        let now = Instant::now();
        self.lock().start(slot, now);
    }

    /// A waiter is polled on a runtime, for permits that cool: if nobody watches the clock there, the
    /// number of who is to.
    pub(crate) fn add_ticker(&self, runtime: Id) -> Option<u64> {
        self.lock().add_ticker(runtime)
    }

    /// Serves whoever can be served by now; when to do so again.
    pub(crate) fn tick(&self, ticker: u64, waker: &Waker) -> Tick {
        let waker = waker.clone();
        self.serve_all();
        let (tick, unneeded) = self.lock().tick(ticker, waker);
        drop(unneeded);
        tick
    }

    /// Whoever watches the clock goes.
    pub(crate) fn remove_ticker(&self, ticker: u64) {
        let waker = self.lock().remove_ticker(ticker);
        drop(waker);
    }

    /// A waiter is polled by another task than the one that its waker wakes.
    pub(crate) fn update_waker(&self, slot: u32, waker: &Waker) {
        if !self.lock().queue.needs_waker(slot, waker) {
            return;
        }
        let waker = waker.clone();
        let unneeded = self.lock().queue.set_waker(slot, waker);
        drop(unneeded);
    }

    /// Takes every waiter out of the queue and wakes it, to ask again. Who joins meanwhile stays.
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
