//! The counters of names without the feature `inspect`: nobody reads them, so none are kept.

use crate::metrics::{Counters, LimitChanges};
use std::sync::Arc;

pub(super) struct History;

#[derive(Default)]
pub(super) struct DroppedNames;

#[expect(clippy::unused_self, reason = "as with the feature")]
impl History {
    #[cfg(feature = "diagnostics")]
    pub(super) fn record_hold(&self, _: std::time::Duration) {}

    pub(super) fn end(&self, _: Counters, _: LimitChanges) {}
}

#[expect(clippy::unused_self, reason = "as with the feature")]
impl DroppedNames {
    pub(super) fn put(&mut self, _: &Arc<str>, _: &History) {}

    pub(super) fn take(&mut self, _: &str) -> History {
        History
    }
}
