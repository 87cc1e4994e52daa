//! What those have counted that had a limiter's name before it.

use super::{Control, Entry};
use crate::metrics::{Former, Totals};
use crate::semaphore::Deferred;
use std::sync::Arc;

impl Entry {
    /// It has its name after others.
    pub(in crate::limiter) fn after(self, former: Option<Arc<Former>>) -> Self {
        Self { former, ..self }
    }

    /// What those have counted that had the name before.
    pub(crate) fn former(&self) -> Option<&Former> {
        self.former.as_deref()
    }

    /// What they and this one have counted until it was dropped, if it was.
    pub(crate) fn counted_last(&self) -> Option<Arc<Former>> {
        self.control().counted_last.clone()
    }

    /// What they and this one have counted so far. The limiter must not have been dropped.
    pub(super) fn counted(&self, control: &Control, left: &mut Vec<Deferred>) -> Former {
        let mut counted = self.former().cloned().unwrap_or_default();
        counted.counters.add(&self.totals(left).counters);
        #[cfg(feature = "_exporters")]
        {
            counted.changes.add(crate::metrics::LimitChanges::of(&control.changes));
            counted.add_holds(self.hold_times().as_deref());
        }
        #[cfg(not(feature = "_exporters"))]
        let _ = control;
        counted
    }

    /// The figures of all runtimes. The limiter must not have been dropped.
    pub(super) fn totals(&self, left: &mut Vec<Deferred>) -> Totals {
        let mut totals = Totals::new();
        for semaphore in self.of_all_runtimes() {
            totals.add(&semaphore.read(left));
        }
        totals
    }
}
