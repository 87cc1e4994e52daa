//! The events of `tracing` without the feature: there are none.

use crate::{LedgerName, StoreError};

pub(crate) fn tell_outage(_: &StoreError) {}

pub(crate) fn tell_recovery() {}

pub(crate) fn tell_learning(_: &LedgerName) {}
