//! Tickers: tasks that serve calls which wait for time. See [`rate`](super::rate) and [`ramp`](super::ramp).
//!
//! A ticker belongs to one semaphore *and* one runtime: the runtime of the calls that it watches for.
//! Each waiter, whenever it is polled, makes sure that there is a ticker on its runtime. There is one
//! on each runtime, because a runtime that does not run must not hold up the calls of another.
//!
//! A ticker looks at the clock, serves, finds out when the next permits come, and leaves its waker, all
//! under one lock. After that, a caller that makes permits come earlier wakes it. Only then the
//! ticker wakes the calls that it has served. Their wakers are foreign code: they may take their
//! time, panic, or use the limiter. The ticker's own state is whole by then, and a panic does not end
//! it.
//!
//! If a ticker is dropped while calls wait, its runtime ends. The calls may live on, in a `LocalSet`
//! or a stream that another runtime polls, but nobody polls them there before they are woken. So the
//! last thing that a ticker does is to wake all waiters. Each is polled where it lives now, and makes
//! sure that there is a ticker. A ticker that is dropped while it is spawned, because its runtime is
//! closing, does not wake them: no call counts on it yet, and the calls that made it would only make
//! the next.
//!
//! As with any timer of tokio's, a call is watched where it was polled last. If that runtime lives on
//! but does not run, or is closing, the call is served by callers that come by, and by tickers
//! elsewhere.
//!
//! A ticker has a number that no other ticker of the process ever has. It may outlive its mode, and
//! the next owner of the semaphore has tickers of its own. A ticker that is not known any more does
//! nothing.

use super::moment::{Clock, Moment};
use super::wake_list::WakeList;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;
use tokio::runtime::Id;
use tokio::time::Instant;

/// The tickers of a semaphore.
#[derive(Debug, Default)]
pub(super) struct Tickers(Vec<Ticker>);

#[derive(Debug)]
struct Ticker {
    number: u64,
    /// The runtime on which it is polled; `None` for a thread that blocks until it has its permits.
    runtime: Option<Id>,
    /// True if it has been spawned, and was not dropped while it was.
    spawned: bool,
    /// The clock by which it has looked, once it has.
    clock: Option<Clock>,
    /// The time until which it sleeps. `None` if it knows of no permit that comes with time.
    until: Option<Instant>,
    waker: Option<Waker>,
}

/// The next step of a ticker.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tick {
    /// End: no call waits any more, or no permit comes with time.
    Done,
    /// Look again at that time, or when it is woken.
    Until(Option<Instant>),
}

impl Tickers {
    /// Adds a ticker for a runtime, or for the threads that block. Returns its number, or `None` if
    /// there is one.
    pub(super) fn add(&mut self, runtime: Option<Id>) -> Option<u64> {
        /// Shared by the whole process, because a ticker may outlive its mode.
        static TICKERS: AtomicU64 = AtomicU64::new(0);
        // A ticker that is not spawned yet may never be. If it is, two do no harm.
        if self.0.iter().any(|ticker| ticker.runtime == runtime && ticker.spawned) {
            return None;
        }
        let number = TICKERS.fetch_add(1, Ordering::Relaxed);
        self.0.push(Ticker {
            number,
            runtime,
            // A thread is there already.
            spawned: runtime.is_none(),
            clock: None,
            until: None,
            waker: None,
        });
        Some(number)
    }

    /// Returns whether a ticker is one of these.
    pub(super) fn has(&self, number: u64) -> bool {
        self.0.iter().any(|ticker| ticker.number == number)
    }

    fn get_mut(&mut self, number: u64) -> Option<&mut Ticker> {
        self.0.iter_mut().find(|ticker| ticker.number == number)
    }

    /// Marks a ticker as spawned, if it is still there.
    pub(super) fn mark_spawned(&mut self, number: u64) {
        if let Some(ticker) = self.get_mut(number) {
            ticker.spawned = true;
        }
    }

    /// Notes that a ticker has looked at the clock, and goes on to serve.
    pub(super) fn begin_tick(&mut self, number: u64, now: Moment) {
        if let Some(ticker) = self.get_mut(number) {
            ticker.clock = Some(now.clock);
            // The ticker is not to be woken by its own work.
            ticker.until = Some(now.at);
        }
    }

    /// Notes that a ticker has served, and looks again at `until`. Returns its next step, and the waker that it had.
    /// It may be woken earlier, by the new waker.
    pub(super) fn end_tick(
        &mut self,
        number: u64,
        until: Option<Instant>,
        waker: &mut Option<Waker>,
    ) -> (Option<Tick>, Option<Waker>) {
        let Some(ticker) = self.get_mut(number) else { return (Some(Tick::Done), None) };
        ticker.until = until;
        (Some(Tick::Until(until)), mem::replace(&mut ticker.waker, waker.take()))
    }

    /// Removes a ticker. Returns its waker, and whether it had been spawned; `None` if it is none of these.
    pub(super) fn remove(&mut self, number: u64) -> Option<(Option<Waker>, bool)> {
        let position = self.0.iter().position(|ticker| ticker.number == number)?;
        let Ticker { waker, spawned, .. } = self.0.swap_remove(position);
        Some((waker, spawned))
    }

    /// Forgets until when the tickers sleep that look by another clock: they are to look again.
    pub(super) fn forget_times_by_other_clocks(&mut self, clock: Clock) {
        for ticker in &mut self.0 {
            // The time may be any by the ticker's own clock, so the ticker is to look.
            if ticker.clock.is_some_and(|own| !own.goes_with(&clock)) {
                ticker.until = None;
            }
        }
    }

    /// Wakes the tickers that sleep for longer than until the next permits come. `next` returns that time by a
    /// ticker's clock.
    pub(super) fn wake_late(
        &mut self,
        next: impl Fn(Clock) -> Option<Instant>,
        wakers: &mut WakeList,
    ) {
        for ticker in self.0.iter_mut().filter(|ticker| ticker.waker.is_some()) {
            let Some(next) = ticker.clock.and_then(&next) else { continue };
            if ticker.until.is_none_or(|until| until > next) {
                ticker.until = Some(next);
                wakers.push(ticker.waker.take());
            }
        }
    }

    /// Wakes all tickers, so that they end with their mode.
    pub(super) fn end_all(&mut self, wakers: &mut WakeList) {
        self.0.drain(..).for_each(|ticker| wakers.push(ticker.waker));
    }
}
