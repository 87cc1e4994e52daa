//! The task that serves waiters when permits have cooled. See the rates of [`crate::semaphore`].

use crate::semaphore::{Semaphore, Tick};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep_until};

/// Spawns a ticker for the semaphore on `runtime`, if the semaphore has none there.
///
/// # Panics
///
/// In a runtime without a timer.
pub(super) fn ensure_ticker(runtime: &Handle, semaphore: &'static Semaphore) {
    if let Some(number) = semaphore.add_ticker(Some(runtime.id())) {
        let mut ticker = TickerTask { semaphore, number, sleep: None };
        // The timer is made here, so that the caller gets the panic if the runtime has none.
        ticker.sleep = Some(Box::pin(sleep_until(Instant::now())));
        // Spawned under no lock: a closing runtime drops the ticker inside `spawn`. No call relies
        // on this ticker yet, so such a drop wakes no task: a woken task would only come here
        // again.
        runtime.spawn(ticker);
        semaphore.ticker_is_spawned(number);
    }
}

/// A task on one runtime that wakes up when the next permit has cooled.
struct TickerTask {
    semaphore: &'static Semaphore,
    number: u64,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Future for TickerTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self { semaphore, number, sleep } = &mut *self;
        loop {
            let until = match semaphore.tick(*number, context.waker()) {
                Tick::Done => return Poll::Ready(()),
                Tick::Until(Some(until)) => until,
                Tick::Until(None) => return Poll::Pending,
            };
            // If a later change makes permits cool earlier, it wakes this task.
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

impl Drop for TickerTask {
    fn drop(&mut self) {
        // Calls that relied on this ticker may live on: they are woken, and one of them adds
        // another ticker.
        self.semaphore.remove_ticker(self.number);
    }
}
