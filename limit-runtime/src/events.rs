//! What happens at a limiter, for those who listen.

use crate::rejected::RejectedKind;

/// Something that happened at a limiter, and the figures just after it. See
/// [`Limiter::subscribe`](crate::Limiter::subscribe).
///
/// The figures are those of the runtime where it happened; with keys, `limit` is that of each key and
/// the others are over all keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// How many permits there are.
    pub limit: usize,
    /// How many of them are out.
    pub in_use: usize,
    /// How many calls wait.
    pub waiting: usize,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum EventKind {
    /// A call joined the queue.
    Waiting,
    /// A call was handed its permits, at once or after waiting.
    Admitted,
    /// A call was refused, at once or after waiting.
    Rejected(RejectedKind),
    /// A call was dropped while it waited, or before it saw that it had been handed its permits.
    Cancelled,
    /// Permits came back.
    Released,
    /// The limit was changed.
    LimitChanged,
}

/// So many events are kept for whoever is slow to receive them.
pub(crate) const KEPT: usize = 1024;
