//! How long a ledger has been silent.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use limit_fleet::ledger::{NodeView, View};

/// The time since the last message, by the clocks of the server and of this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Silence(pub(crate) Duration);

impl Silence {
    /// Returns the silence of a ledger until now.
    pub(crate) fn of(view: &View) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(now.saturating_sub(Duration::from_micros(view.last)))
    }

    /// Returns whether the silence outlasts the lease of a node.
    ///
    /// Ledger time stands still between messages, so the ledger still holds the node's share for it.
    pub(crate) fn outlasts(self, node: &NodeView) -> bool {
        self.0 >= Duration::from_micros(node.left)
    }
}
