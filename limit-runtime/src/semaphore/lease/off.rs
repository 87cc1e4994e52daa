//! Without the feature `fleet` no semaphore is leased.

use std::convert::Infallible;

/// The words of a lease.
#[derive(Debug)]
pub(super) struct LeaseWords;

impl LeaseWords {
    pub(super) fn new() -> Self {
        Self
    }
}

/// The terms in which a call was admitted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms;

impl Terms {
    pub(super) const NONE: Self = Self;

    pub(super) fn oldest(self, _: Self) -> Self {
        self
    }
}

/// The leases of a semaphore.
pub(super) type Leases = Option<Infallible>;

/// The lease of a key.
pub(super) type KeyLease = Infallible;
