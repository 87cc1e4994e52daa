//! The options of a fleet, checked.

use crate::message::Times;
use limit_runtime::OnUnavailable;
use std::sync::Arc;

/// The options of a fleet, checked.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) namespace: Arc<str>,
    pub(super) times: Times,
    /// The time after which a lease is renewed, in microseconds.
    pub(super) refresh: u64,
    /// The time by which a lease ends before the ledger ends it, in microseconds.
    pub(super) margin: u64,
    pub(super) on_unavailable: Option<OnUnavailable>,
    pub(super) lazily: bool,
}
