//! The counters of names that no limiter has any more.

use crate::metrics::Totals;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The number of names that are kept.
const KEPT: usize = 1000;

/// Counters by name, for names that no limiter has.
#[derive(Debug, Default)]
pub(crate) struct DroppedNames {
    names: HashMap<Arc<str>, (u64, Arc<Totals>)>,
    /// The names in the order in which their limiters were dropped, by number.
    order: BTreeMap<u64, Arc<str>>,
    /// The number of limiters that have been dropped.
    dropped: u64,
}

impl DroppedNames {
    /// Keeps the counters of a name. Forgets the oldest name if there are too many.
    pub(crate) fn put(&mut self, name: &Arc<str>, totals: Arc<Totals>) {
        if totals.is_zero() {
            return;
        }
        self.dropped += 1;
        self.order.insert(self.dropped, Arc::clone(name));
        self.names.insert(Arc::clone(name), (self.dropped, totals));
        if self.names.len() > KEPT {
            if let Some((_, name)) = self.order.pop_first() {
                self.names.remove(&name);
            }
        }
    }

    /// Removes a name that a limiter takes, and returns its counters.
    pub(crate) fn take(&mut self, name: &str) -> Option<Arc<Totals>> {
        let (number, totals) = self.names.remove(name)?;
        self.order.remove(&number);
        Some(totals)
    }

    /// Returns all names that are kept, the newest first.
    pub(crate) fn all(&self) -> Vec<(Arc<str>, Arc<Totals>)> {
        let newest_first = self.order.values().rev();
        newest_first
            .filter_map(|name| Some((Arc::clone(name), Arc::clone(&self.names.get(name)?.1))))
            .collect()
    }
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;

    fn counted(calls: u64) -> Arc<Totals> {
        let mut totals = Totals::default();
        totals.counters.admitted_at_once = calls;
        Arc::new(totals)
    }

    #[test]
    fn the_oldest_names_are_forgotten() {
        let mut names = DroppedNames::default();
        let name = |number: usize| -> Arc<str> { format!("name {number}").into() };
        for number in 0..KEPT * 2 {
            names.put(&name(number), counted(1));
            // One name is taken and dropped all the time.
            let again = names.take("again").map_or(1, |again| again.counters.admitted_at_once + 1);
            names.put(&"again".into(), counted(again));
        }
        assert_eq!((names.names.len(), names.order.len()), (KEPT, KEPT));
        let newest_first: Vec<_> = names.order.values().rev().take(2).cloned().collect();
        assert_eq!(newest_first, ["again".into(), name(KEPT * 2 - 1)]);
        let again = names.take("again").expect("it is new each time");
        assert_eq!(again.counters.admitted_at_once, KEPT as u64 * 2);
        assert!(names.take(&name(KEPT)).is_none() && names.take(&name(KEPT + 1)).is_some());
    }

    #[test]
    fn names_without_counts_are_not_kept() {
        let mut names = DroppedNames::default();
        names.put(&"nothing".into(), Arc::default());
        assert!(names.names.is_empty() && names.order.is_empty());
    }
}
