//! Why a store gives no answer.

use std::error::Error;
use std::fmt;

/// The reason for which a store gives no answer.
///
/// Its text names the address, without the password, and says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
}

/// The kinds of [`StoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// No server accepts the connection, or the connection broke.
    Unreachable,
    /// The server did not answer in time.
    TimedOut,
    /// The server wants other credentials, or does not permit a command.
    Denied,
    /// The other side is not a Redis, or one that cannot be used.
    NotRedis,
    /// The server is a replica, which takes no writes.
    ReadOnly,
    /// The server does not have the script, and executed nothing.
    NoScript,
    /// The script failed, or its answer cannot be read.
    Script,
    /// The server has reached its `maxmemory`.
    OutOfMemory,
    /// The server cannot serve the ledger now: it loads its data, or its cluster is down or moves the ledger.
    Busy,
    /// The address cannot be read, or needs a feature of this crate.
    Address,
    /// Any other reason.
    Other,
}

impl StoreError {
    /// Makes an error. The message is lowercase and has no full stop.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Returns whether waiting may help: the store can be used as soon as it is reachable.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        use StoreErrorKind::{Busy, OutOfMemory, ReadOnly, TimedOut, Unreachable};
        matches!(self.kind, Busy | OutOfMemory | ReadOnly | TimedOut | Unreachable)
    }

    /// Returns the kind of the reason.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for StoreError {}
