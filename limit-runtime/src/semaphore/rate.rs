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
//! * While a call waits there is a [ticker](super::tickers) too: a task that sleeps until the next
//!   permits have cooled. For threads that block, one of these threads is the ticker.
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
use super::tickers::Tickers;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
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
}

/// Permits of one call that cool.
#[derive(Clone, Copy, Debug)]
struct Cooling {
    permits: u32,
    key: u32,
    /// The clock of their start.
    clock: Clock,
}

/// The window that stands for one whose end no clock can show.
const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);

impl Rate {
    pub(super) fn new(per: Duration) -> Self {
        Self { per, started: HashMap::new(), cooling: BTreeMap::new(), permits: 0, number: 0 }
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

    /// Notes that a holder is done. Returns the time until which its permits cool, if they do. Tickers by another clock
    /// are to look at them.
    pub(super) fn end(
        &mut self,
        slot: u32,
        (permits, key): (u32, u32),
        now: Moment,
        tickers: &mut Tickers,
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
        tickers.forget_times_by_other_clocks(clock);
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
