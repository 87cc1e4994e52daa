//! Events of `tracing`. No lock may be held: a subscriber is foreign code.

use crate::{LedgerName, StoreError};

/// The target of all events. It is part of the public interface.
const TARGET: &str = "limit_fleet";

/// Tells that a message had no answer, and that the one before had one.
pub(crate) fn tell_outage(error: &StoreError) {
    tracing::error!(target: TARGET, %error, "the store of the fleet cannot be reached");
}

/// Tells that the store answers again.
pub(crate) fn tell_recovery() {
    tracing::info!(target: TARGET, "the store of the fleet can be reached again");
}

/// Tells that a ledger gives out no permits for the time of a lease.
pub(crate) fn tell_learning(ledger: &LedgerName) {
    tracing::info!(
        target: TARGET,
        %ledger,
        "the ledger may have forgotten shares: it gives out none for the time of a lease"
    );
}
