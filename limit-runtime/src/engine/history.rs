//! The counters of a limiter's name, which go on from each limiter of the name to the next.

use crate::metrics::{Counters, Histogram, LimitChanges, Totals};
use once_cell::sync::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The counters of a limiter's name beyond those of its semaphores.
#[derive(Debug, Default)]
pub(super) struct History {
    /// A number that no other limiter of the process has, now or later.
    pub(super) id: u64,
    /// The counters of the limiters that had the name before.
    pub(super) inherited: Option<Arc<Totals>>,
    /// The times for which permits were held, of a sample of the calls.
    hold_times: Mutex<Option<Box<Histogram>>>,
    /// The totals of the limiter, if it was dropped.
    pub(super) last: OnceCell<Arc<Totals>>,
}

impl History {
    /// Counts a call's hold time.
    #[cfg(feature = "diagnostics")]
    pub(super) fn record_hold(&self, held: std::time::Duration) {
        let nanoseconds = u64::try_from(held.as_nanos()).unwrap_or(u64::MAX);
        let mut hold_times = self.hold_times.lock().unwrap_or_else(PoisonError::into_inner);
        hold_times.get_or_insert_with(Box::default).record(nanoseconds, 1);
    }

    pub(super) fn hold_times(&self) -> Option<Box<Histogram>> {
        self.hold_times.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds up the counters of the name.
    pub(super) fn totals(
        &self,
        counters: Counters,
        limit_changes: LimitChanges,
        hold_times: Option<Box<Histogram>>,
    ) -> Totals {
        let mut totals = Totals { counters, limit_changes, hold_times };
        if let Some(inherited) = &self.inherited {
            totals.add(inherited);
        }
        totals
    }

    /// Keeps the last totals of a limiter that is dropped.
    pub(super) fn end(&self, counters: Counters, limit_changes: LimitChanges) {
        let totals = self.totals(counters, limit_changes, self.hold_times());
        self.last.set(Arc::new(totals)).expect("a limiter is dropped once");
    }
}

/// The number of names that are kept.
const KEPT: usize = 1000;

/// Counters by name, for names that no limiter has.
#[derive(Debug, Default)]
pub(super) struct DroppedNames {
    names: HashMap<Arc<str>, (u64, Arc<Totals>)>,
    /// The names in the order in which their limiters were dropped, by number.
    order: BTreeMap<u64, Arc<str>>,
    /// The number of limiters that have been dropped.
    dropped: u64,
}

impl DroppedNames {
    /// Keeps the counters of a name. Forgets the oldest name if there are too many.
    pub(super) fn put(&mut self, name: &Arc<str>, history: &History) {
        let Some(totals) = history.last.get().filter(|totals| !totals.is_zero()) else { return };
        self.dropped += 1;
        self.order.insert(self.dropped, Arc::clone(name));
        self.names.insert(Arc::clone(name), (self.dropped, Arc::clone(totals)));
        if self.names.len() > KEPT {
            if let Some((_, name)) = self.order.pop_first() {
                self.names.remove(&name);
            }
        }
    }

    /// Removes a name that a limiter takes, and returns the history that goes on.
    pub(super) fn take(&mut self, name: &str) -> History {
        static IDS: AtomicU64 = AtomicU64::new(0);
        let inherited = self.names.remove(name).map(|(number, totals)| {
            self.order.remove(&number);
            totals
        });
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        History { id, inherited, ..History::default() }
    }

    /// Returns all names that are kept, the newest first.
    pub(super) fn all(&self) -> Vec<(Arc<str>, Arc<Totals>)> {
        let newest_first = self.order.values().rev();
        newest_first
            .filter_map(|name| Some((Arc::clone(name), Arc::clone(&self.names.get(name)?.1))))
            .collect()
    }
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;

    fn counted(calls: u64) -> History {
        let (history, mut counters) = (History::default(), Counters::default());
        counters.admitted_at_once = calls;
        history.end(counters, LimitChanges::default());
        history
    }

    fn inherited(names: &mut DroppedNames, name: &str) -> Option<u64> {
        Some(names.take(name).inherited?.counters.admitted_at_once)
    }

    #[test]
    fn the_oldest_names_are_forgotten() {
        let mut names = DroppedNames::default();
        let name = |number: usize| -> Arc<str> { format!("name {number}").into() };
        for number in 0..KEPT * 2 {
            names.put(&name(number), &counted(1));
            // One name is taken and dropped all the time.
            let again = inherited(&mut names, "again").map_or(1, |again| again + 1);
            names.put(&"again".into(), &counted(again));
        }
        assert_eq!((names.names.len(), names.order.len()), (KEPT, KEPT));
        let newest_first: Vec<_> = names.order.values().rev().take(2).cloned().collect();
        assert_eq!(newest_first, ["again".into(), name(KEPT * 2 - 1)]);
        assert_eq!(inherited(&mut names, "again"), Some(KEPT as u64 * 2));
        assert_eq!(inherited(&mut names, &name(KEPT)), None);
        assert_eq!(inherited(&mut names, &name(KEPT + 1)), Some(1));
    }

    #[test]
    fn names_without_counts_are_not_kept() {
        let mut names = DroppedNames::default();
        names.put(&"nothing".into(), &counted(0));
        assert!(names.names.is_empty() && names.order.is_empty());
    }
}
