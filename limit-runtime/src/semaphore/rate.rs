//! Permits that do not come back before a window since their start is over.
//!
//! A permit whose holder is done earlier *cools* until then: it is nobody's, and not free. It does not
//! count as in use, so nobody who only reads figures has to know whether it has cooled by now.
//!
//! # Who serves
//!
//! One rule: **whoever takes cooled permits back hands them out before it unlocks.** So permits are
//! never free while one waits for whom they are enough, and nobody has to guess what another has seen.
//!
//! * A call that comes, and a permit that comes back while calls wait, take back what has cooled.
//! * A reading (figures, draining, whether it is idle) takes nothing back, with one exception: if nobody
//!   waits, so that nobody is to be served, keys that were only kept for their windows are forgotten.
//! * While anybody waits there is a *ticker* besides: a task that sleeps until the next permits have
//!   cooled.
//!
//! # Who watches
//!
//! A ticker belongs to one semaphore *and* one runtime: that of the calls that it watches for. Each
//! waiter, whenever it is polled, sees to it that there is one where it is polled. On each runtime,
//! because one that does not run must not hold up the calls of another.
//!
//! A ticker looks, serves, finds out what cools next and leaves its waker, all under one lock; from then
//! on whoever makes permits cool earlier than that wakes it. Only then it wakes those it has served.
//! Wakers are foreign code: they may take their time, panic, or use the limiter. The ticker's own state
//! is whole by then, and a panic does not end it.
//!
//! If a ticker is dropped while calls wait, its runtime ends. The calls may live on, in a `LocalSet` or
//! a stream that another runtime polls, but nobody polls there what nobody wakes. So the last thing that
//! a ticker does is to wake all who wait: each is polled where it lives now, and sees to it that there
//! is a ticker. One that is dropped while it is spawned (its runtime is closing) does not: it was nobody's
//! yet, and those who called for it, woken, would only call for the next.
//!
//! (As with any timer of tokio's, a call is looked after where it was polled last. If that is a runtime
//! which lives on but does not run, or is closing, it is served by those who come by or watch elsewhere.)
//!
//! A ticker is known by a number that no other in the process ever has: it may outlive its rate, and the
//! next owner of the semaphore has tickers of its own. One that finds itself unknown does nothing.
//!
//! # By which clock
//!
//! Permits that share a semaphore may be taken and given back by different clocks: see
//! [`Moment`](super::moment::Moment). A window is over by the clock of its start.
//!
//! * Who gives a permit back by another clock cannot tell whether its window is over. The permit cools,
//!   perhaps for no time at all, and whoever watches by the right clock is woken to look.
//! * Who wants a permit, or watches for those who do, cannot wait for a clock that may never go on. It
//!   takes the time at which a permit has cooled as though it were by its own clock, but never as more
//!   than one window from now. Such times only ever become earlier, so there is an end to it.

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
    /// When the holders started, by slot.
    started: HashMap<u32, Moment>,
    /// What cools, by when it has (and a number that tells apart what has at the same time).
    cooling: BTreeMap<(Instant, u64), Cooling>,
    /// How many permits that is.
    permits: u32,
    number: u64,
    tickers: Vec<Ticker>,
}

/// Permits of one call that cool.
#[derive(Clone, Copy, Debug)]
struct Cooling {
    permits: u32,
    key: u32,
    /// That of their start.
    clock: Clock,
}

#[derive(Debug)]
struct Ticker {
    number: u64,
    runtime: Id,
    /// Whether it has been spawned, and not dropped while it was.
    spawned: bool,
    /// By which it has looked, once it has.
    clock: Option<Clock>,
    /// Until when it sleeps; for ever, if it knows of nothing that cools.
    until: Option<Instant>,
    waker: Option<Waker>,
}

/// What a ticker is to do next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tick {
    /// Nobody waits any more.
    Done,
    /// Look again then, or when it is woken.
    Until(Option<Instant>),
}

/// For ever: what cannot be reckoned with is taken to be that.
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

    /// The length of the window.
    pub(super) fn per(&self) -> Duration {
        self.per
    }

    /// How many permits cool.
    pub(super) fn permits(&self) -> u32 {
        self.permits
    }

    /// A call starts.
    pub(super) fn start(&mut self, slot: u32, now: Moment) {
        self.started.insert(slot, now);
    }

    /// A holder is done. Until when its permits cool, if they do.
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
            // By its own clock that may be any time: it is to look.
            if ticker.clock.is_some_and(|own| !own.goes_with(&clock)) {
                ticker.until = None;
            }
        }
        Some(over)
    }

    /// Takes out permits that have cooled: how many, of which key. Those that started by another clock
    /// only if they are `wanted`.
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

    /// No permits cool for longer than a window from now: if they do, they started by another clock,
    /// which may be far ahead.
    pub(super) fn cut_short(&mut self, now: Moment) {
        let Some(latest) = now.at.checked_add(self.per) else { return };
        while let Some(last) = self.cooling.last_entry().filter(|last| last.key().0 > latest) {
            let ((_, number), cooling) = last.remove_entry();
            self.cooling.insert((latest, number), cooling);
        }
    }

    /// When the next have cooled.
    pub(super) fn next(&self) -> Option<Instant> {
        self.cooling.first_key_value().map(|(&(over, _), _)| over)
    }

    /// When so many permits have cooled.
    pub(super) fn cooled_at(&self, permits: u64) -> Option<Instant> {
        let cooling = self.cooling.iter();
        when_so_many(permits, cooling.map(|(&(over, _), cooling)| (over, cooling.permits)))
    }

    /// The number of a new ticker for a runtime, if it has none.
    pub(super) fn add_ticker(&mut self, runtime: Id) -> Option<u64> {
        /// Of the whole process: a ticker may outlive its rate.
        static TICKERS: AtomicU64 = AtomicU64::new(0);
        // One that is still to be spawned may never be. If it is, two do no harm.
        if self.tickers.iter().any(|ticker| ticker.runtime == runtime && ticker.spawned) {
            return None;
        }
        let number = TICKERS.fetch_add(1, Ordering::Relaxed);
        self.tickers.push(Ticker {
            number,
            runtime,
            spawned: false,
            clock: None,
            until: None,
            waker: None,
        });
        Some(number)
    }

    /// Whether a ticker is one of ours.
    pub(super) fn has_ticker(&mut self, number: u64) -> bool {
        self.ticker(number).is_some()
    }

    fn ticker(&mut self, number: u64) -> Option<&mut Ticker> {
        self.tickers.iter_mut().find(|ticker| ticker.number == number)
    }

    /// A ticker has been spawned, if it is still there.
    pub(super) fn ticker_is_spawned(&mut self, number: u64) {
        if let Some(ticker) = self.ticker(number) {
            ticker.spawned = true;
        }
    }

    /// A ticker has looked, and goes on to serve.
    pub(super) fn begin_tick(&mut self, number: u64, now: Moment) {
        if let Some(ticker) = self.ticker(number) {
            ticker.clock = Some(now.clock);
            // It is not to be woken by what it does itself.
            ticker.until = Some(now.at);
        }
    }

    /// A ticker has served: when it is to look again, or be woken by that waker. The one that it had
    /// comes back.
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

    /// A ticker goes. Its waker, and whether it had been spawned, if it is one of ours.
    pub(super) fn remove_ticker(&mut self, number: u64) -> Option<(Option<Waker>, bool)> {
        let place = self.tickers.iter().position(|ticker| ticker.number == number)?;
        let Ticker { waker, spawned, .. } = self.tickers.swap_remove(place);
        Some((waker, spawned))
    }

    /// Wakes the tickers that sleep for too long.
    pub(super) fn wake_late_tickers(&mut self, wakers: &mut WakeList) {
        let Some(next) = self.next() else { return };
        for ticker in &mut self.tickers {
            if ticker.until.is_none_or(|until| until > next) && ticker.waker.is_some() {
                ticker.until = Some(next);
                wakers.push(ticker.waker.take());
            }
        }
    }

    /// It comes to an end: wakes the tickers, so that they do.
    pub(super) fn end_tickers(&mut self, wakers: &mut WakeList) {
        self.tickers.drain(..).for_each(|ticker| wakers.push(ticker.waker));
    }
}

/// When so many permits have cooled, given how many do when, in order.
pub(super) fn when_so_many(
    permits: u64,
    cooling: impl Iterator<Item = (Instant, u32)>,
) -> Option<Instant> {
    /// Not further, because it is counted under the lock.
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
