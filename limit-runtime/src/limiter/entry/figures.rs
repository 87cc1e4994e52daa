//! What a limiter has counted.

use super::Entry;
use crate::events::Event;
#[cfg(feature = "_exporters")]
use crate::metrics::Histogram;
use crate::metrics::{Figures, LimitChanges, RuntimeSnapshot, Snapshot, Totals};
use crate::registry;
use crate::semaphore::Deferred;
#[cfg(any(feature = "_exporters", feature = "console"))]
use std::sync::Arc;
#[cfg(feature = "diagnostics")]
use std::sync::PoisonError;
#[cfg(feature = "diagnostics")]
use std::time::Duration;
use tokio::sync::broadcast::Sender;

impl Entry {
    pub(in crate::limiter) fn snapshot(&self) -> Snapshot {
        // Declared first, so that it is dropped when no lock is held: there may be keys of the user's.
        let mut left = Vec::new();
        let limit = self.some_limit();
        let control = self.control();
        let (total, runtimes) = match control.last {
            Some(last) => (last, Vec::new()),
            None => self.figures(limit, &mut left),
        };
        Snapshot {
            name: self.name.to_string(),
            scope: self.scope,
            total,
            runtimes,
            settings: self.settings(&control, limit),
            limit_changes: LimitChanges::of(&control.changes),
            warnings: control.problems.iter().map(|problem| problem.what.clone()).collect(),
        }
    }

    /// The limiter is dropped: its figures stay as they are. Gives those who listen, to be dropped when
    /// no lock is held, and so is what is left.
    pub(in crate::limiter) fn close(&self, left: &mut Vec<Deferred>) -> Option<Sender<Event>> {
        let limit = self.some_limit();
        let mut control = self.control();
        control.last = Some(self.figures(limit, left).0);
        #[cfg(any(feature = "_exporters", feature = "console"))]
        {
            control.counted_last = Some(Arc::new(self.counted(&control, left)));
        }
        control.listeners.take()
    }

    fn figures(&self, limit: usize, left: &mut Vec<Deferred>) -> (Figures, Vec<RuntimeSnapshot>) {
        let mut total = Totals::new();
        let mut runtimes = Vec::new();
        for seat in registry::seats(self.index) {
            let before = seat.runtime();
            let reading = seat.semaphore.read(left);
            total.add(&reading);
            // If it passed on meanwhile, it is not known whose the figures are.
            let runtime = before.filter(|_| reading.bound && before == seat.runtime());
            runtimes.extend(
                runtime.map(|runtime| RuntimeSnapshot { runtime, figures: reading.figures() }),
            );
        }
        runtimes.sort_by_key(|runtime| runtime.runtime);
        (total.figures(limit), runtimes)
    }

    /// Counts a call with how long it held its permits.
    #[cfg(feature = "diagnostics")]
    pub(crate) fn record_hold(&self, held: Duration) {
        let nanoseconds = u64::try_from(held.as_nanos()).unwrap_or(u64::MAX);
        // Foreign code, under no lock of ours.
        #[cfg(feature = "opentelemetry")]
        crate::exporters::opentelemetry::held(self, nanoseconds);
        let mut holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        holds.get_or_insert_with(Box::default).record(nanoseconds);
    }

    /// How long permits were held, of the calls that were counted.
    #[cfg(all(feature = "diagnostics", feature = "_exporters"))]
    pub(crate) fn hold_times(&self) -> Option<Box<Histogram>> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[cfg(all(not(feature = "diagnostics"), feature = "_exporters"))]
    #[expect(clippy::unused_self, reason = "as with the feature `diagnostics`")]
    pub(crate) fn hold_times(&self) -> Option<Box<Histogram>> {
        None
    }
}
