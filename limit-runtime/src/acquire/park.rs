//! A thread that sleeps while its call waits.

use crate::semaphore::{Semaphore, Tick, TickerRef, Waiter, WaitsFor};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::task::{Context, Wake, Waker};
use tokio::time::Instant;

/// Wakes the thread that blocks. The thread's own token would not do: other code that runs on the
/// thread, such as a subscriber of `tracing`, may park as well, and take the token.
struct ThreadWaker(SyncSender<()>);

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        // An error means that the thread is to wake up already.
        let _ = self.0.try_send(());
    }
}

/// A thread that blocks for a call.
pub(super) struct ParkedThread {
    waker: Waker,
    woken: Receiver<()>,
    ticker: Option<TickerRef>,
}

impl ParkedThread {
    pub(super) fn new() -> Self {
        let (wake, woken) = mpsc::sync_channel(1);
        Self { waker: Waker::from(Arc::new(ThreadWaker(wake))), woken, ticker: None }
    }

    /// Returns the context in which the call is polled.
    pub(super) fn context(&self) -> Context<'_> {
        Context::from_waker(&self.waker)
    }

    /// Sleeps until the call is to be polled again: it was woken, or its time is over. `waiter` is the queue in which it
    /// waits.
    pub(super) fn park(&mut self, waiter: Option<&Waiter>, until: Option<Instant>) {
        let tick = self.watch_the_clock(waiter);
        // An error means that it is time to look again.
        let _ = match tick.into_iter().chain(until).min() {
            Some(until) => self.woken.recv_timeout(until.saturating_duration_since(Instant::now())),
            None => self.woken.recv().map_err(RecvTimeoutError::from),
        };
    }

    /// Serves the calls whose permits have come with time, if no other thread that blocks is the ticker. Returns when to
    /// do so again, if that is known.
    fn watch_the_clock(&mut self, waiter: Option<&Waiter>) -> Option<Instant> {
        let waiter = waiter.filter(|waiter| waiter.waits_for() == WaitsFor::Time);
        let semaphore = waiter.map(Waiter::semaphore);
        // The call may wait elsewhere by now, because its runtime has ended, or because it wants several limits.
        let number = semaphore.map(Semaphore::id);
        self.ticker.take_if(|ticker| Some(ticker.semaphore().id()) != number);
        if self.ticker.is_none() {
            // Dropping it wakes the other threads that wait, and one of them has the next ticker.
            self.ticker = semaphore?.add_ticker(None);
        }
        match self.ticker.as_ref()?.tick(&self.waker) {
            Tick::Until(until) => until,
            Tick::Done => {
                self.ticker = None;
                None
            }
        }
    }
}
