//! The parts of a limiter that the module `diagnostics` needs.

use super::Engine;
use std::time::Duration;

impl Engine {
    /// Counts a call's hold time.
    pub(crate) fn record_hold(&self, held: Duration) {
        self.history.record_hold(held);
    }
}
