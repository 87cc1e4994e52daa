//! Permits that do not come back before a window since their start is over.
//!
//! A permit whose holder is done earlier *cools* until then: it is nobody's, and not free. Who comes,
//! and who gives a permit back, looks what has cooled. While anybody waits there is besides a *ticker*
//! on each runtime on which somebody does: a task that sleeps until the next permits have cooled and
//! serves the queue then. On each, because a runtime may not run, and must not hold up those of
//! another.

use super::wakers::Wakers;
use std::collections::{BTreeMap, HashMap};
use std::task::Waker;
use std::time::Duration;
use tokio::runtime::Id;
use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Rate {
    per: Duration,
    /// When the holders started, by slot.
    started: HashMap<u32, Instant>,
    /// How many permits cool until then (and a number that tells them apart), of which key.
    cooling: BTreeMap<(Instant, u64), (u32, u32)>,
    permits: u32,
    tickers: Vec<Ticker>,
    /// Tells apart what cools, and tickers.
    number: u64,
}

#[derive(Debug)]
struct Ticker {
    number: u64,
    runtime: Id,
    /// Until when it sleeps; for ever, if nothing cools.
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

impl Rate {
    pub(super) fn new(per: Duration) -> Self {
        Self {
            per,
            started: HashMap::new(),
            cooling: BTreeMap::new(),
            permits: 0,
            tickers: Vec::new(),
            number: 0,
        }
    }

    /// How many permits cool.
    pub(super) fn permits(&self) -> u32 {
        self.permits
    }

    /// A call starts.
    pub(super) fn start(&mut self, slot: u32, now: Instant) {
        self.started.insert(slot, now);
    }

    /// A holder is done. Until when its permits cool, if they do.
    pub(super) fn end(
        &mut self,
        slot: u32,
        weight: u32,
        key: u32,
        now: Instant,
    ) -> Option<Instant> {
        /// For ever: what cannot be reckoned with is taken to be that.
        const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);
        let started = self.started.remove(&slot)?;
        let over = started.checked_add(self.per).unwrap_or_else(|| now + FAR);
        if over <= now {
            return None;
        }
        self.number += 1;
        self.cooling.insert((over, self.number), (weight, key));
        self.permits += weight;
        Some(over)
    }

    /// Takes out permits that have cooled: how many, of which key.
    pub(super) fn next_cooled(&mut self, now: Instant) -> Option<(u32, u32)> {
        let first = self.cooling.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        let (weight, key) = first.remove();
        self.permits -= weight;
        Some((weight, key))
    }

    /// When so many and the next have cooled.
    pub(super) fn cooled_at(&self, before: usize) -> Option<Instant> {
        /// Not further, because it is counted under the lock.
        const FAR: usize = 256;
        let (&(over, _), _) = self.cooling.iter().nth(before).filter(|_| before < FAR)?;
        Some(over)
    }

    fn next(&self) -> Option<Instant> {
        self.cooling.first_key_value().map(|(&(over, _), _)| over)
    }

    /// The number of a new ticker for a runtime, if it has none.
    pub(super) fn add_ticker(&mut self, runtime: Id) -> Option<u64> {
        if self.tickers.iter().any(|ticker| ticker.runtime == runtime) {
            return None;
        }
        self.number += 1;
        self.tickers.push(Ticker { number: self.number, runtime, until: None, waker: None });
        Some(self.number)
    }

    /// A ticker has looked. Whichever waker is not needed comes back.
    pub(super) fn tick(&mut self, number: u64, waker: Waker) -> (Tick, Option<Waker>) {
        let until = self.next();
        match self.tickers.iter_mut().find(|ticker| ticker.number == number) {
            Some(ticker) => {
                ticker.until = until;
                (Tick::Until(until), ticker.waker.replace(waker))
            }
            None => (Tick::Done, Some(waker)),
        }
    }

    pub(super) fn remove_ticker(&mut self, number: u64) -> Option<Waker> {
        let place = self.tickers.iter().position(|ticker| ticker.number == number)?;
        self.tickers.swap_remove(place).waker
    }

    /// Wakes the tickers that sleep for too long.
    pub(super) fn tell_the_time(&mut self, wakers: &mut Wakers) {
        let Some(next) = self.next() else { return };
        for ticker in &mut self.tickers {
            if ticker.until.is_none_or(|until| until > next) && ticker.waker.is_some() {
                ticker.until = Some(next);
                wakers.push(ticker.waker.take());
            }
        }
    }

    /// It comes to an end: wakes the tickers, so that they do.
    pub(super) fn end_tickers(&mut self, wakers: &mut Wakers) {
        self.tickers.drain(..).for_each(|ticker| wakers.push(ticker.waker));
    }
}
