//! The figures of limiters: what is counted, and how it is shown.
//!
//! No code here runs on the fast path. The semaphore's word counts the calls that are admitted at
//! once. All other figures are counted under the semaphore's lock.
//!
//! There is one set of figures. [`Usage`] describes one moment, [`Counters`] only grow, and a
//! [`Reading`] contains both for one semaphore. [`Totals`] adds up the counters of a limiter's
//! name. [`Figures`] is a summary for people.
#![cfg_attr(not(feature = "inspect"), allow(unreachable_pub, reason = "`inspect` shows it"))]

mod adaptive;
mod counters;
mod fleet;
mod histogram;
mod key_limits;
#[cfg(feature = "inspect")]
mod reading;
mod shares;
mod snapshot;
#[cfg(feature = "inspect")]
mod totals;

pub use adaptive::{AdaptedCounts, AdaptiveCause, AdaptiveFigures};
pub use counters::{Counters, LimitChanges, RejectedCounts, ShadowedCounts};
pub use fleet::{FleetFigures, LedgerFigures, Member, RenewalCounts};
pub use histogram::{Histogram, WaitTimes};
pub use key_limits::KeyLimit;
#[cfg(feature = "inspect")]
pub use reading::{KeyReading, LimiterReading, RuntimeReading};
#[cfg(feature = "inspect")]
pub(crate) use reading::{KeyUse, KeysReading};
#[cfg(feature = "inspect")]
pub use shares::ShareCounts;
#[cfg(not(feature = "inspect"))]
pub(crate) use shares::ShareCounts;
pub use shares::ShareFigures;
pub use snapshot::{Figures, RuntimeSnapshot, Snapshot};
use std::time::Duration;
#[cfg(feature = "inspect")]
pub use totals::Totals;

/// The use of a limiter's permits at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// The number of permits. With keys, the number for each key.
    pub limit: usize,
    /// The permits that are out.
    pub in_use: usize,
    /// The permits that a [ramp](crate::Limiter::ramp) does not let in yet.
    pub withheld: usize,
    /// The calls that wait.
    pub waiting: usize,
    /// The keys that have holders or waiters, or starts whose window is not over. 0 without keys.
    pub keys: usize,
    /// The limit over all keys. `None` without keys, and if there is none.
    pub total: Option<usize>,
    /// The time for which calls have waited and none was admitted, since the first reading that saw it so, by any reader.
    /// It is 0 while the window of a [rate](crate::Limiter::per) or a [ramp](crate::Limiter::ramp) may be the reason. `None` if no call waits, and while the
    /// limiter is paused, closed or held off. Only a [`LimiterReading`](crate::inspect) has it.
    pub stalled: Option<Duration>,
}

impl Usage {
    /// Adds the use of another semaphore. The limits stay, because each runtime has its own.
    pub(crate) fn add(&mut self, other: Self) {
        self.in_use += other.in_use;
        self.withheld += other.withheld;
        self.waiting += other.waiting;
        self.keys += other.keys;
    }
}

/// The figures of one semaphore at one moment.
#[derive(Debug)]
pub(crate) struct Reading {
    /// `true` if the semaphore is bound to a limit.
    pub(crate) bound: bool,
    pub(crate) usage: Usage,
    /// The counters since the semaphore was bound.
    pub(crate) current: Counters,
    /// The counters of former bindings, for runtimes that have ended.
    pub(crate) past: Counters,
    /// The figures of a limit that adapts.
    pub(crate) adaptive: Option<AdaptiveFigures>,
    /// The figures of the shares, without the counts.
    pub(crate) shares: Vec<ShareFigures>,
    /// Calls wait that are to be admitted some time. A runtime has no permits while its calls are held off, and so has a
    /// process that has no share of its fleet's. A key is paused by a limit of 0 of its own, or goes on with a higher one.
    #[cfg(feature = "inspect")]
    pub(crate) is_to_move: bool,
}
