//! The mode in which a permit does not come back before a window since its start is over.
//!
//! A permit whose holder is done earlier *cools* until then: it has no holder, and is not free. It
//! does not count as in use. So a caller that only reads figures need not know whether it has cooled
//! by now.
//!
//! # Who serves
//!
//! There is one rule: **a caller that takes cooled permits back hands them out before it unlocks.**
//! So permits are never free while a call waits for which they are enough, and no caller must guess
//! what another has seen.
//!
//! * A call that comes takes back the permits that have cooled. So does a permit that comes back
//!   while calls wait.
//! * A reading (figures, draining, whether the semaphore is idle) takes nothing back, with one
//!   exception: while no call waits, keys that were only kept for their windows are forgotten.
//! * While a call waits there is a *ticker* too: a task that sleeps until the next permits have
//!   cooled. For threads that block, one of these threads is the ticker.
//!
//! # Who watches the clock
//!
//! A ticker belongs to one semaphore *and* one runtime: the runtime of the calls that it watches for.
//! Each waiter, whenever it is polled, makes sure that there is a ticker on its runtime. There is one
//! on each runtime, because a runtime that does not run must not hold up the calls of another.
//!
//! A ticker looks at the clock, serves, finds out which permits cool next, and leaves its waker, all
//! under one lock. After that, a caller that makes permits cool earlier wakes it. Only then the
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
//! A ticker has a number that no other ticker of the process ever has. It may outlive its rate, and
//! the next owner of the semaphore has tickers of its own. A ticker that is not known any more does
//! nothing.
//!
//! # By which clock
//!
//! Permits of one semaphore may be taken and given back by different clocks: see
//! [`Moment`](super::moment::Moment). A window is over by the clock of its start.
//!
//! * A caller that gives a permit back by another clock cannot tell whether its window is over. The
//!   permit cools, perhaps for no time at all, and a ticker with the right clock is woken to look.
//! * A caller that wants a permit, or a ticker, cannot wait for a clock that may never go on. It
//!   takes the time at which a permit has cooled as though it were by its own clock, but never as
//!   later than one window from now. Such times only ever become earlier, so this comes to an end.

use super::moment::{Clock, Moment};
use super::wake_list::WakeList;
use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;
use std::time::Duration;
use tokio::runtime::Id;
use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Rate {
    per: Duration,
    /// The starts of the holders, by slot.
    started: HashMap<u32, Moment>,
    /// The permits that cool, by the time at which they have cooled. A number tells apart those of
    /// one time.
    cooling: BTreeMap<(Instant, u64), Cooling>,
    /// The number of permits that cool.
    permits: u32,
    number: u64,
    tickers: Vec<Ticker>,
}

/// Permits of one call that cool.
#[derive(Clone, Copy, Debug)]
struct Cooling {
    permits: u32,
    key: u32,
    /// The clock of their start.
    clock: Clock,
}

#[derive(Debug)]
pub(super) struct Ticker {
    number: u64,
    /// The runtime on which it is polled; `None` for a thread that blocks until it has its permits.
    runtime: Option<Id>,
    /// True if it has been spawned, and was not dropped while it was.
    spawned: bool,
    /// The clock by which it has looked, once it has.
    clock: Option<Clock>,
    /// The time until which it sleeps. `None` if it knows of no permit that cools.
    until: Option<Instant>,
    waker: Option<Waker>,
}

/// The next step of a ticker.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tick {
    /// End: no call waits any more.
    Done,
    /// Look again at that time, or when it is woken.
    Until(Option<Instant>),
}

/// The window that stands for one whose end no clock can show.
const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);

impl Rate {
    pub(super) fn new(per: Duration) -> Self {
        Self {
            per,
            started: HashMap::new(),
            cooling: BTreeMap::new(),
            permits: 0,
            number: 0,
            tickers: Vec::new(),
        }
    }

    /// Returns the length of the window.
    pub(super) fn per(&self) -> Duration {
        self.per
    }

    /// Returns how many permits cool.
    pub(super) fn permits(&self) -> u32 {
        self.permits
    }

    /// Notes that a call starts.
    pub(super) fn start(&mut self, slot: u32, now: Moment) {
        self.started.insert(slot, now);
    }

    /// Forgets that a call has started, because it gives its permits back unused.
    pub(super) fn forget_start(&mut self, slot: u32) {
        self.started.remove(&slot);
    }

    /// Notes that a part of a holder's permits has a slot of its own: it started when the holder did.
    pub(super) fn split(&mut self, slot: u32, part: u32) {
        if let Some(started) = self.started.get(&slot).copied() {
            self.started.insert(part, started);
        }
    }

    /// Notes that two holders are one. It started with the later of them, so that no window has more starts
    /// than the limit.
    pub(super) fn merge(&mut self, slot: u32, other: u32) {
        let Some(other) = self.started.remove(&other) else { return };
        let started = self.started.entry(slot).or_insert(other);
        if other.at > started.at {
            *started = other;
        }
    }

    /// Notes that a holder is done. Returns the time until which its permits cool, if they do.
    pub(super) fn end(
        &mut self,
        slot: u32,
        permits: u32,
        key: u32,
        now: Moment,
    ) -> Option<Instant> {
        let started = self.started.remove(&slot)?;
        let over = started.at.checked_add(self.per).unwrap_or_else(|| started.at + FAR);
        if over <= now.at && started.clock.goes_with(&now.clock) {
            return None;
        }
        self.number += 1;
        let clock = started.clock;
        self.cooling.insert((over, self.number), Cooling { permits, key, clock });
        self.permits += permits;
        for ticker in &mut self.tickers {
            // The time may be any by the ticker's own clock, so the ticker is to look.
            if ticker.clock.is_some_and(|own| !own.goes_with(&clock)) {
                ticker.until = None;
            }
        }
        Some(over)
    }

    /// Takes out permits that have cooled. Returns how many they are, and of which key. Takes those
    /// that started by another clock only if they are `wanted`.
    pub(super) fn next_cooled(&mut self, now: Moment, wanted: bool) -> Option<(u32, u32)> {
        let first = self.cooling.first_entry()?;
        let may_judge = wanted || first.get().clock.goes_with(&now.clock);
        if first.key().0 > now.at || !may_judge {
            return None;
        }
        let Cooling { permits, key, .. } = first.remove();
        self.permits -= permits;
        Some((permits, key))
    }

    /// Makes permits cool for at most one window from now. Those that would cool for longer started
    /// by another clock, which may be far ahead.
    pub(super) fn cut_short(&mut self, now: Moment) {
        let Some(latest) = now.at.checked_add(self.per) else { return };
        while let Some(last) = self.cooling.last_entry().filter(|last| last.key().0 > latest) {
            let ((_, number), cooling) = last.remove_entry();
            self.cooling.insert((latest, number), cooling);
        }
    }

    /// Returns the time at which the next permits have cooled.
    pub(super) fn next(&self) -> Option<Instant> {
        self.cooling.first_key_value().map(|(&(over, _), _)| over)
    }

    /// Returns the time at which so many permits have cooled.
    pub(super) fn cooled_at(&self, permits: u64) -> Option<Instant> {
        let cooling = self.cooling.iter();
        cooled_at(permits, cooling.map(|(&(over, _), cooling)| (over, cooling.permits)))
    }

    /// Adds a ticker for a runtime, or for the threads that block. Returns its number, or `None` if
    /// there is one.
    pub(super) fn add_ticker(&mut self, runtime: Option<Id>) -> Option<u64> {
        /// Shared by the whole process, because a ticker may outlive its rate.
        static TICKERS: AtomicU64 = AtomicU64::new(0);
        // A ticker that is not spawned yet may never be. If it is, two do no harm.
        if self.tickers.iter().any(|ticker| ticker.runtime == runtime && ticker.spawned) {
            return None;
        }
        let number = TICKERS.fetch_add(1, Ordering::Relaxed);
        self.tickers.push(Ticker {
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

    /// Returns a ticker, if it belongs to this rate.
    pub(super) fn ticker(&mut self, number: u64) -> Option<&mut Ticker> {
        self.tickers.iter_mut().find(|ticker| ticker.number == number)
    }

    /// Marks a ticker as spawned, if it is still there.
    pub(super) fn ticker_is_spawned(&mut self, number: u64) {
        if let Some(ticker) = self.ticker(number) {
            ticker.spawned = true;
        }
    }

    /// Notes that a ticker has looked at the clock, and goes on to serve.
    pub(super) fn begin_tick(&mut self, number: u64, now: Moment) {
        if let Some(ticker) = self.ticker(number) {
            ticker.clock = Some(now.clock);
            // The ticker is not to be woken by its own work.
            ticker.until = Some(now.at);
        }
    }

    /// Notes that a ticker has served. Returns when it is to look again, and the waker that it had.
    /// It may be woken earlier, by the new waker.
    pub(super) fn end_tick(
        &mut self,
        number: u64,
        waker: &mut Option<Waker>,
    ) -> (Option<Tick>, Option<Waker>) {
        let until = self.next();
        let Some(ticker) = self.ticker(number) else { return (Some(Tick::Done), None) };
        ticker.until = until;
        (Some(Tick::Until(until)), mem::replace(&mut ticker.waker, waker.take()))
    }

    /// Removes a ticker. Returns its waker, and whether it had been spawned; `None` if it does not
    /// belong to this rate.
    pub(super) fn remove_ticker(&mut self, number: u64) -> Option<(Option<Waker>, bool)> {
        let position = self.tickers.iter().position(|ticker| ticker.number == number)?;
        let Ticker { waker, spawned, .. } = self.tickers.swap_remove(position);
        Some((waker, spawned))
    }

    /// Wakes the tickers that sleep for longer than the next permits cool.
    pub(super) fn wake_late_tickers(&mut self, wakers: &mut WakeList) {
        let Some(next) = self.next() else { return };
        for ticker in &mut self.tickers {
            if ticker.until.is_none_or(|until| until > next) && ticker.waker.is_some() {
                ticker.until = Some(next);
                wakers.push(ticker.waker.take());
            }
        }
    }

    /// Wakes all tickers, so that they end with the rate.
    pub(super) fn end_tickers(&mut self, wakers: &mut WakeList) {
        self.tickers.drain(..).for_each(|ticker| wakers.push(ticker.waker));
    }
}

/// Returns the time at which so many permits have cooled, given how many cool until when, in order of
/// time.
pub(super) fn cooled_at(
    permits: u64,
    cooling: impl Iterator<Item = (Instant, u32)>,
) -> Option<Instant> {
    /// The most entries that are counted, because it is done under the lock.
    const MOST: usize = 256;
    let mut sum = 0;
    for (over, more) in cooling.take(MOST) {
        sum += u64::from(more);
        if sum >= permits {
            return Some(over);
        }
    }
    None
}
