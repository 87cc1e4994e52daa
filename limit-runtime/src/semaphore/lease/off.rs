//! Without the feature `fleet` no semaphore is leased.

use std::convert::Infallible;

/// The words of a lease.
#[derive(Debug)]
pub(super) struct LeaseWords;

impl LeaseWords {
    pub(super) fn new() -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(super) fn term(&self) -> Term {
        Term
    }
}

/// The term of a lease.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term;

impl Term {
    pub(super) const NONE: Self = Self;

    pub(super) fn older(self, _: Self) -> Self {
        self
    }
}

/// The leases of a semaphore.
pub(super) type Leases = Option<Infallible>;
