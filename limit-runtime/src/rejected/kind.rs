//! The kinds of refusals.

use crate::variants::all_variants;
use std::fmt;

/// The kinds of [`Rejected`](crate::Rejected).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum RejectedKind {
    /// No permit was free, or other calls waited, and this call had no time to wait. It was a
    /// [`try_acquire`](crate::Limiter::try_acquire), or its `max_wait` was over.
    NoPermits,
    /// No permit was free, or other calls waited, and the queue was full.
    QueueFull,
    /// The call waited as long as it may, and got no permit.
    TimedOut,
    /// The call wanted more permits than the limit, so it could never be served.
    TooHeavy,
    /// The limiter was closed, before the call or while the call waited.
    Closed,
    /// A newer call joined a full queue, and this one had to leave it: the newer one has a higher
    /// [priority](crate::Acquire::priority), or the newest is served first ([`Order::Lifo`](crate::Order::Lifo)). Another
    /// attempt may help, but nobody can say when.
    Evicted,
    /// The limit holds over a fleet ([`Scope::Fleet`](crate::Scope::Fleet)), and the process has no
    /// lease: the fleet cannot be reached, or the lease ended while the call ran.
    Unavailable,
    /// The call waited in a deadlock, and was the one that gave way: see
    /// [`on_deadlock`](crate::Limiter::on_deadlock). Or it wanted to [grow](crate::Permit::resize), and would have been in
    /// one. The permits that the caller holds are among those that the
    /// others wait for, so the caller gives them up before it tries again.
    Deadlock,
    /// The call would have waited for longer than it may, by its place in the queue and the pace of the last seconds.
    /// It was refused at once: see [`early`](crate::Limiter::early).
    WouldTimeOut,
}

impl RejectedKind {
    /// All kinds, in the order in which figures show them.
    pub const ALL: &'static [Self] = &all_variants!(
        RejectedKind: NoPermits, QueueFull, TimedOut, TooHeavy, Closed, Evicted, Unavailable, Deadlock,
        WouldTimeOut
    );

    /// Returns whether the same call may be admitted as soon as permits have come back, so that their pace says when.
    pub(crate) const fn is_transient(self) -> bool {
        match self {
            Self::NoPermits | Self::QueueFull | Self::TimedOut | Self::WouldTimeOut => true,
            // A call that gives way in a deadlock waits in vain as long as its caller holds what the others wait for. A call
            // that was evicted may be so again, whatever comes back.
            Self::TooHeavy | Self::Closed | Self::Evicted | Self::Unavailable | Self::Deadlock => {
                false
            }
        }
    }

    /// Returns the name in figures and labels, such as `queue_full`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoPermits => "no_permits",
            Self::QueueFull => "queue_full",
            Self::TimedOut => "timed_out",
            Self::WouldTimeOut => "would_time_out",
            Self::TooHeavy => "too_heavy",
            Self::Closed => "closed",
            Self::Evicted => "evicted",
            Self::Unavailable => "unavailable",
            Self::Deadlock => "deadlock",
        }
    }
}

impl fmt::Display for RejectedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
