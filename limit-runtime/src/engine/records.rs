//! The parts of a limiter that the module `diagnostics` needs.

use super::Engine;
use std::time::Duration;

impl Engine {
    /// Counts a call's hold time.
    pub(crate) fn record_hold(&self, held: Duration) {
        self.history.record_hold(held);
    }

    pub(crate) fn is_dropped(&self) -> bool {
        self.state().last.is_some()
    }
}
