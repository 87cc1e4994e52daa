//! What a limiter shows to the console.

use super::Entry;
use crate::Scope;
use crate::limiter::Settings;
use crate::metrics::{Counters, Totals};
use crate::registry;
use crate::semaphore::{KeyFigures, Semaphore};
use std::collections::HashMap;

/// A limiter at one moment.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) scope: Scope,
    pub(crate) settings: Settings,
    pub(crate) is_closed: bool,
    pub(crate) is_keyed: bool,
    /// How many runtimes use it.
    pub(crate) runtimes: usize,
    /// How many permits there are in all of them. Of no account with keys.
    pub(crate) capacity: usize,
    pub(crate) totals: Totals,
    /// What it has counted, and those that had the name before.
    pub(crate) counted: Counters,
    pub(crate) warnings: usize,
}

impl Entry {
    /// How it stands at this moment; `None` if the limiter was dropped.
    pub(crate) fn look(&self) -> Option<Look> {
        // Declared first, so that it is dropped when no lock is held: there may be keys of the user's.
        let mut left = Vec::new();
        let limit = self.some_limit();
        let control = self.control();
        if control.last.is_some() {
            return None;
        }
        let (mut totals, mut runtimes, mut capacity) = (Totals::new(), 0, 0);
        for seat in registry::seats(self.index) {
            let reading = seat.semaphore.read(&mut left);
            totals.add(&reading);
            if reading.bound && seat.runtime().is_some() {
                runtimes += 1;
                capacity += reading.limit;
            }
        }
        let mut counted = totals.counters.clone();
        if let Some(former) = self.former() {
            counted.add(&former.counters);
        }
        Some(Look {
            scope: self.scope,
            settings: self.settings(&control, limit),
            is_closed: control.closed,
            is_keyed: self.made.policy.keyed,
            runtimes,
            capacity: if runtimes == 0 { limit } else { capacity },
            totals,
            counted,
            warnings: control.problems.len(),
        })
    }

    /// The limit that was set while running, if one is.
    pub(crate) fn live_limit(&self) -> Option<u32> {
        self.control().overrides.live.limit
    }

    /// The keys with the most holders and waiters, in all runtimes.
    pub(crate) fn busiest_keys(&self, most: usize) -> Vec<KeyFigures> {
        let mut all = HashMap::<_, KeyFigures>::new();
        // More than asked for: what is second in each of two runtimes may be first in both.
        let each = |semaphore: &'static Semaphore| semaphore.busiest_keys(most * 5);
        for key in self.semaphores().into_iter().flat_map(each) {
            let known = all.entry(key.name.clone());
            known
                .and_modify(|known| {
                    known.in_use += key.in_use;
                    known.waiting += key.waiting;
                })
                .or_insert(key);
        }
        // If it was dropped meanwhile, they may be another's.
        if self.is_dropped() {
            return Vec::new();
        }
        let mut all: Vec<_> = all.into_values().collect();
        all.sort_by(|one, other| {
            let busy = |key: &KeyFigures| (key.waiting, key.in_use);
            busy(other).cmp(&busy(one)).then_with(|| one.name.cmp(&other.name))
        });
        all.truncate(most);
        all
    }
}
