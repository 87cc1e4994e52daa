//! The request that a call makes, and the scope in which it makes it.

use std::time::Duration;

/// A key. Even numbers are keys of one type, odd ones of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(pub(crate) u32);

/// The options of one call.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `None` if the limiter has no keys.
    pub(crate) key: Option<Key>,
    pub(crate) weight: Option<u32>,
    pub(crate) priority: u8,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) enabled: bool,
}

impl Default for Request {
    fn default() -> Self {
        Self { key: None, weight: None, priority: 0, max_wait: None, enabled: true }
    }
}

impl Request {
    /// Returns how many permits the call takes.
    pub(crate) fn permits(&self) -> u32 {
        if self.enabled { self.weight.unwrap_or(1) } else { 0 }
    }
}

/// The code that polls a call. It decides from which permits the call takes its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The process: code outside any runtime, or a limiter for the whole process.
    Process,
    /// A runtime, by the number that the soak gives it.
    Runtime(u64),
    /// One runtime or another: the call may have moved.
    Unknown,
}

impl Scope {
    /// Returns the number of the scope in the ledger, if the scope is known.
    pub(crate) fn number(self) -> Option<u64> {
        match self {
            Self::Process => Some(0),
            Self::Runtime(number) => Some(number),
            Self::Unknown => None,
        }
    }
}
