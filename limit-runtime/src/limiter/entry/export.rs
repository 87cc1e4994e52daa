//! What a limiter shows to exporters.

use super::Entry;
use crate::metrics::{Export, LimitChanges};
use crate::registry;

impl Entry {
    /// The figures at this moment; `None` if the limiter was dropped.
    pub(crate) fn export(&self) -> Option<Export> {
        // Declared first, so that it is dropped when no lock is held: there may be keys of the user's.
        let mut left = Vec::new();
        let limit = self.some_limit();
        let control = self.control();
        if control.last.is_some() {
            return None;
        }
        Some(Export::of_all(limit, self.totals(&mut left), LimitChanges::of(&control.changes)))
    }

    /// The same, by runtime.
    pub(crate) fn export_by_runtime(&self) -> Option<Export> {
        // Declared first, so that it is dropped when no lock is held: there may be keys of the user's.
        let mut left = Vec::new();
        let control = self.control();
        if control.last.is_some() {
            return None;
        }
        let mut readings = Vec::new();
        for seat in registry::seats(self.index) {
            // Until it has not passed on meanwhile: else it is not known whose the figures are.
            let reading = loop {
                let before = seat.runtime();
                let reading = seat.semaphore.read(&mut left);
                if before == seat.runtime() {
                    break (before, reading);
                }
            };
            readings.push(reading);
        }
        Some(Export::by_runtime(&readings, LimitChanges::of(&control.changes)))
    }
}
