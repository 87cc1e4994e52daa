//! The limiters whose calls wait for each other.

#[cfg(feature = "diagnostics")]
use limit_runtime::diagnostics::{Deadlock, deadlocks};
#[cfg(feature = "diagnostics")]
use std::collections::HashSet;

/// The limiters that are part of a deadlock at one moment. Without the feature `diagnostics` there are none.
pub(crate) struct Deadlocked {
    #[cfg(feature = "diagnostics")]
    names: HashSet<String>,
}

impl Deadlocked {
    #[cfg(feature = "diagnostics")]
    pub(crate) fn now() -> Self {
        let deadlocks = deadlocks();
        let calls = deadlocks.iter().flat_map(Deadlock::calls);
        Self { names: calls.map(|stuck| stuck.call().limiter().to_owned()).collect() }
    }

    #[cfg(not(feature = "diagnostics"))]
    pub(crate) fn now() -> Self {
        Self {}
    }

    /// Returns whether the limiter of a name is part of a deadlock.
    #[cfg(feature = "diagnostics")]
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    #[cfg(not(feature = "diagnostics"))]
    #[expect(clippy::unused_self, reason = "as with the feature `diagnostics`")]
    pub(crate) fn has(&self, _: &str) -> bool {
        false
    }
}
