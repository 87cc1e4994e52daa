//! The waits that go on, for readers.
//!
//! A call that joins leaves no time in the semaphore, because a look at the clock would cost every call that queues.
//! So the readings note it. The first one that sees a waiter leaves the moment in the waiter's status cell, where
//! the next status overwrites it. Calls do nothing for it. A wait is taken to begin at that reading, so it is too
//! short by at most the time between two readings. A wait that is seen for the first time does not count yet: each
//! would count as none, and they would make the others look shorter.

use super::super::moment;
use super::super::permits::Semaphore;
use super::super::status::{WAITING, first_seen, is_back, later_by, seen_at, status};
use super::Queue;
use crate::metrics::Histogram;
use crate::sync::Ordering;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The slots that are looked at under one lock.
const AT_A_TIME: u32 = 1024;

/// The unit in which a moment is noted, in nanoseconds: a tenth of a second. With it, 30 bits suffice for three years.
const UNIT: u64 = 100_000_000;

/// The moment of a reading, in tenths of a second, modulo 2³⁰. It is not 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadingMoment(u32);

impl ReadingMoment {
    /// Reads tokio's clock, as waits are measured by it. Readers by paused clocks, of tests, share no time.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "modulo 2^30")]
    pub(crate) fn now() -> Self {
        static FIRST: OnceLock<Instant> = OnceLock::new();
        let now = moment::now().into_std();
        let first = *FIRST.get_or_init(|| now);
        let nanoseconds = |time: Duration| i128::try_from(time.as_nanos()).unwrap_or(i128::MAX);
        let since = match now.checked_duration_since(first) {
            Some(after) => nanoseconds(after),
            // A paused clock may be behind that of the first reading.
            None => -nanoseconds(first - now),
        };
        let units = since.div_euclid(i128::from(UNIT));
        // 0 means that no reading has seen the waiter. The first moments are far from it.
        Self((units.wrapping_add(1 << 28) as u32 & ((1 << 30) - 1)).max(1))
    }

    /// Returns the time since an earlier moment, in tenths of a second.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::from(later_by(self.0, earlier.0)) * UNIT)
    }
}

impl Semaphore {
    /// Adds the times for which its waiters have waited so far to a histogram, but for waiters that this reading sees
    /// first.
    pub(crate) fn add_ongoing_waits(&self, now: ReadingMoment, waits: &mut Histogram) {
        let mut next = Some(0);
        // Part by part, so that the lock is not held for as long as there are waiters.
        while let Some(from) = next {
            let state = self.lock();
            if !state.is_bound() {
                // Calls that wait for the limit wait for no permit.
                return;
            }
            next = state.queue.add_ongoing(from, now, waits);
        }
    }
}

impl Queue {
    /// Looks at some of the slots, from a slot on. Returns the slot after them; `None` if there are no more.
    fn add_ongoing(&self, from: u32, now: ReadingMoment, waits: &mut Histogram) -> Option<u32> {
        let mut next = from;
        while next - from < AT_A_TIME {
            let slots = self.slots.chunk_from(next)?;
            next = slots.end;
            for units in slots.filter_map(|slot| self.waited(slot, now)) {
                waits.record(u64::from(units) * UNIT, 1);
            }
        }
        Some(next)
    }

    /// Returns how long the call of a slot has waited so far; `None` if it does not wait, or no reading has seen it
    /// before. Then it notes the moment.
    fn waited(&self, slot: u32, now: ReadingMoment) -> Option<u32> {
        let cell = self.slots.cell(slot);
        let value = cell.load(Ordering::Relaxed);
        // A cell with a former grant has no room for a moment.
        if status(value) != WAITING || is_back(value) {
            return None;
        }
        let seen = seen_at(value);
        // A free slot has that status too, and no waker.
        if seen.is_none() && self.slots.node(slot).waker.is_some() {
            // Relaxed: the status stays, and all changes of this one are made under the lock.
            cell.store(first_seen(now.0), Ordering::Relaxed);
        }
        seen.map(|seen| later_by(now.0, seen))
    }
}
