//! What limiters have counted that were dropped.
//!
//! A limiter that takes a name goes on from where the last one of that name was, for exporters and the console:
//! they show a series or a row for each name, and a backend takes it that counters never go back. So nothing is
//! lost either that was counted between two readings, by limiters that no reading has seen.

use super::Counters;
#[cfg(feature = "_exporters")]
use super::{Histogram, LimitChanges};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Of so many names that nobody has it is kept.
const KEPT: usize = 1000;

/// What all those have counted that have had a name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Former {
    pub(crate) counters: Counters,
    #[cfg(feature = "_exporters")]
    pub(crate) changes: LimitChanges,
    #[cfg(feature = "_exporters")]
    pub(crate) holds: Option<Box<Histogram>>,
}

#[cfg(feature = "_exporters")]
pub(crate) type FormerByName = Vec<(Arc<str>, Arc<Former>)>;

/// By the names that nobody has.
#[derive(Debug, Default)]
pub(crate) struct FormerNames {
    names: HashMap<Arc<str>, (u64, Arc<Former>)>,
    /// In the order in which they became nobody's.
    order: BTreeMap<u64, Arc<str>>,
    /// How many have.
    dropped: u64,
}

impl Former {
    #[cfg(feature = "_exporters")]
    pub(crate) fn add_holds(&mut self, holds: Option<&Histogram>) {
        if let Some(holds) = holds {
            self.holds.get_or_insert_with(Box::default).add(holds);
        }
    }

    fn is_nothing(&self) -> bool {
        let Self { counters, .. } = self;
        let calls = counters.admitted_at_once + counters.cancelled + counters.rejected.total();
        let is_nothing = calls == 0 && counters.waits().is_none();
        #[cfg(feature = "_exporters")]
        let is_nothing =
            is_nothing && self.changes == LimitChanges::default() && self.holds.is_none();
        is_nothing
    }
}

impl FormerNames {
    /// A name is nobody's any more. Forgets the one that has been so for the longest, if there are many.
    pub(crate) fn put(&mut self, name: &Arc<str>, former: Arc<Former>) {
        if former.is_nothing() {
            return;
        }
        self.dropped += 1;
        self.order.insert(self.dropped, Arc::clone(name));
        self.names.insert(Arc::clone(name), (self.dropped, former));
        if self.names.len() > KEPT {
            if let Some((_, name)) = self.order.pop_first() {
                self.names.remove(&name);
            }
        }
    }

    /// A limiter takes a name.
    pub(crate) fn take(&mut self, name: &str) -> Option<Arc<Former>> {
        let (number, former) = self.names.remove(name)?;
        self.order.remove(&number);
        Some(former)
    }

    /// All that are kept, the newest first.
    #[cfg(feature = "_exporters")]
    pub(crate) fn all(&self) -> FormerByName {
        let newest_first = self.order.values().rev();
        newest_first
            .filter_map(|name| Some((Arc::clone(name), Arc::clone(&self.names.get(name)?.1))))
            .collect()
    }
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;

    fn counted(calls: u64) -> Arc<Former> {
        let mut former = Former::default();
        former.counters.admitted_at_once = calls;
        Arc::new(former)
    }

    #[test]
    fn those_that_have_been_nobodys_for_the_longest_are_forgotten() {
        let mut names = FormerNames::default();
        let name = |number: usize| -> Arc<str> { format!("former {number}").into() };
        for number in 0..KEPT * 2 {
            names.put(&name(number), counted(1));
            // One comes and goes all the time.
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
    fn of_those_that_have_counted_nothing_nothing_is_kept() {
        let mut names = FormerNames::default();
        names.put(&"nothing".into(), Arc::default());
        assert!(names.names.is_empty() && names.order.is_empty());
    }
}
