//! Permits that do not come back before a window since their start is over.
//!
//! A permit whose holder is done earlier *cools* until then: it is nobody's, and not free. Nothing
//! watches the clock on its behalf: who comes, and who gives a permit back, looks what has cooled;
//! and while anybody waits, one of the waiters does so, by a timer of its own (see `acquire`).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;
use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Rate {
    per: Duration,
    /// When the holders started, by slot.
    started: HashMap<u32, Instant>,
    /// When, how many, of which key.
    cooling: BinaryHeap<Reverse<(Instant, u32, u32)>>,
    /// How many permits cool.
    pub(super) permits: u32,
    /// Who has been told to look, and when.
    watch: Option<(u32, Instant)>,
}

impl Rate {
    pub(super) fn new(per: Duration) -> Self {
        Self { per, started: HashMap::new(), cooling: BinaryHeap::new(), permits: 0, watch: None }
    }

    /// A call starts.
    pub(super) fn start(&mut self, slot: u32, now: Instant) {
        self.started.insert(slot, now);
    }

    /// A holder is done. Whether its permits cool.
    pub(super) fn end(&mut self, slot: u32, weight: u32, key: u32, now: Instant) -> bool {
        // Far away is when nothing can be reckoned with any more: for ever is not.
        let over = self.started.remove(&slot).and_then(|started| started.checked_add(self.per));
        let Some(over) = over.filter(|&over| over > now) else {
            return false;
        };
        self.cooling.push(Reverse((over, weight, key)));
        self.permits += weight;
        true
    }

    /// Takes out permits that have cooled: how many, of which key.
    pub(super) fn next_cooled(&mut self, now: Instant) -> Option<(u32, u32)> {
        let &Reverse((over, weight, key)) = self.cooling.peek()?;
        if over > now {
            return None;
        }
        self.cooling.pop();
        self.permits -= weight;
        Some((weight, key))
    }

    /// When the next permits have cooled.
    pub(super) fn next(&self) -> Option<Instant> {
        self.cooling.peek().map(|Reverse((over, ..))| *over)
    }

    /// When a waiter has to look, if it is the one who does: it is if nobody is.
    pub(super) fn watched_by(&mut self, slot: u32) -> Option<Instant> {
        if self.watch.is_some_and(|(watcher, _)| watcher != slot) {
            return None;
        }
        let next = self.next()?;
        self.watch = Some((slot, next));
        Some(next)
    }

    /// A waiter waits no longer.
    pub(super) fn unwatch(&mut self, slot: u32) {
        self.watch.take_if(|(watcher, _)| *watcher == slot);
    }

    /// Who is to be woken to look at the clock: the one who does, but too late, or if nobody does,
    /// `anybody`.
    pub(super) fn tell(&mut self, anybody: Option<u32>) -> Option<u32> {
        let next = self.next()?;
        let slot = match self.watch {
            Some((_, until)) if until <= next => return None,
            Some((watcher, _)) => watcher,
            None => anybody?,
        };
        self.watch = Some((slot, next));
        Some(slot)
    }
}
