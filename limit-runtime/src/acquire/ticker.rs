//! The task that serves waiters when permits have cooled: see [`crate::semaphore`]'s rates.

use crate::semaphore::{Semaphore, Tick};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep_until};

/// Spawns a ticker for that semaphore on this runtime, if it has none there.
///
/// # Panics
///
/// Outside a runtime, and in one without a timer.
pub(super) fn ensure_ticker(semaphore: &'static Semaphore) {
    let runtime = Handle::current();
    if let Some(number) = semaphore.add_ticker(Some(runtime.id())) {
        let mut ticker = Ticker { semaphore, number, sleep: None };
        // Here, so that it is the caller who is told that there is no timer.
        ticker.sleep = Some(Box::pin(sleep_until(Instant::now())));
        // Under no lock: a closing runtime drops it inside `spawn`. Nobody has counted on it then, and
        // nobody is woken: whoever is polled here would only come by here again.
        runtime.spawn(ticker);
        semaphore.ticker_is_spawned(number);
    }
}

struct Ticker {
    semaphore: &'static Semaphore,
    number: u64,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Future for Ticker {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self { semaphore, number, sleep } = &mut *self;
        loop {
            let until = match semaphore.tick(*number, context.waker()) {
                Tick::Done => return Poll::Ready(()),
                Tick::Until(Some(until)) => until,
                Tick::Until(None) => return Poll::Pending,
            };
            // Whoever makes permits cool earlier from here on wakes us.
            let sleep = sleep.get_or_insert_with(|| Box::pin(sleep_until(until)));
            if sleep.deadline() != until {
                sleep.as_mut().reset(until);
            }
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        // If calls wait here that live on, somebody else is to watch for them.
        self.semaphore.remove_ticker(self.number);
    }
}
