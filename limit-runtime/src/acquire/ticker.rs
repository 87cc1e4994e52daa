//! The task that serves waiters when permits come with time. See the tickers of [`crate::semaphore`].

use crate::semaphore::{Semaphore, Tick, TickerRef};
use crate::tokio_context::panic_outside;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep_until};

/// Spawns a ticker for the semaphore on this thread's runtime, if the semaphore has none there.
///
/// # Panics
///
/// Outside a runtime, and in one without a timer.
pub(super) fn ensure_ticker(limiter: &str, semaphore: &'static Semaphore) {
    let runtime =
        Handle::try_current().unwrap_or_else(|_| panic_outside(semaphore.timed_by(), limiter));
    if let Some(ticker) = semaphore.add_ticker(Some(runtime.id())) {
        let number = ticker.number();
        // The timer is made here, so that the caller gets the panic if the runtime has none.
        let sleep = Box::pin(sleep_until(Instant::now()));
        // Spawned under no lock: a closing runtime drops the ticker inside `spawn`. No call relies
        // on this ticker yet, so such a drop wakes no task: a woken task would only come here
        // again.
        runtime.spawn(TickerTask { ticker, sleep });
        semaphore.ticker_is_spawned(number);
    }
}

/// A task on one runtime that wakes up when the next permit comes.
struct TickerTask {
    ticker: TickerRef,
    sleep: Pin<Box<Sleep>>,
}

impl Future for TickerTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self { ticker, sleep } = &mut *self;
        loop {
            let until = match ticker.tick(context.waker()) {
                Tick::Done => return Poll::Ready(()),
                Tick::Until(Some(until)) => until,
                Tick::Until(None) => return Poll::Pending,
            };
            // If a later change makes permits come earlier, it wakes this task.
            if sleep.deadline() != until {
                sleep.as_mut().reset(until);
            }
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}
