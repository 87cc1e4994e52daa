//! Counters that only grow.

#[cfg(feature = "inspect")]
mod differences;

use super::{AdaptedCounts, AdaptiveCause, Histogram, ShareCounts};
use crate::rejected::RejectedKind;
use crate::setting::Source;

/// The counts of a limiter's calls, by outcome.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Counters {
    /// The most calls that have ever waited at the same time (in one runtime).
    pub most_waiting: usize,
    /// Calls that found a permit free.
    pub admitted_at_once: u64,
    /// Calls that were dropped while they waited, or before they noticed that they had been handed
    /// a permit.
    pub cancelled: u64,
    /// Grants that were taken back because their waiters did not claim them within
    /// [`claim_within`](crate::Limiter::claim_within). Such a call waits on, so it can lose several grants.
    pub taken_back: u64,
    /// Calls that were refused.
    pub rejected: RejectedCounts,
    /// Calls of a shadow that the limit would not have admitted at once. They count as admitted,
    /// too.
    pub shadowed: ShadowedCounts,
    /// The counts that few limiters have. Allocated when the first one is counted.
    rare: Option<Box<RareCounts>>,
    /// The waits of the calls that were admitted after waiting. Allocated when the first such call
    /// is counted.
    waits: Option<Box<Histogram>>,
}

/// The counts that few limiters have.
#[derive(Clone, Debug, Default)]
struct RareCounts {
    /// Changes of a limit that [adapts](crate::Limiter::adaptive).
    adapted: AdaptedCounts,
    /// The calls of each [share](crate::Limiter::shares).
    shares: Vec<ShareCounts>,
    /// Grants that were given back because the call lacked the permits of another limit. For estimates, which take
    /// differences.
    unused: u32,
}

impl Counters {
    /// Returns the waits of the calls that were admitted after waiting, or `None` if there was
    /// none.
    #[must_use]
    pub fn waits(&self) -> Option<&Histogram> {
        self.waits.as_deref()
    }

    /// Returns the changes of a limit that [adapts](crate::Limiter::adaptive), by reason.
    #[must_use]
    pub fn adapted(&self) -> AdaptedCounts {
        self.rare.as_deref().map(|rare| rare.adapted).unwrap_or_default()
    }

    /// Counts a change of a limit that adapts.
    pub(crate) fn count_adapted(&mut self, cause: AdaptiveCause) {
        self.rare.get_or_insert_default().adapted.count(cause);
    }

    /// Counts a grant that its call has not used.
    pub(crate) fn count_unused(&mut self) {
        let unused = &mut self.rare.get_or_insert_default().unused;
        *unused = unused.wrapping_add(1);
    }

    /// Returns the grants that their calls have not used. It wraps.
    pub(crate) fn unused(&self) -> u32 {
        self.rare.as_deref().map_or(0, |rare| rare.unused)
    }

    /// Returns the counts of the [shares](crate::Limiter::shares). Without shares there are none.
    #[must_use]
    pub fn shares(&self) -> &[ShareCounts] {
        self.rare.as_deref().map_or(&[], |rare| &rare.shares)
    }

    /// Adds the counts of a share.
    pub(crate) fn add_share(&mut self, counts: &ShareCounts) {
        let shares = &mut self.rare.get_or_insert_default().shares;
        match shares.iter_mut().find(|known| known.name == counts.name) {
            Some(known) => {
                known.admitted += counts.admitted;
                known.rejected += counts.rejected;
            }
            None => shares.push(counts.clone()),
        }
    }

    /// Returns the number of calls that were admitted after waiting.
    #[must_use]
    pub fn admitted_after_waiting(&self) -> u64 {
        self.waits().map_or(0, Histogram::count)
    }

    /// Counts so many calls that were admitted after a wait of `waited` nanoseconds.
    pub(crate) fn count_wait(&mut self, waited: u64, calls: u64) {
        self.waits.get_or_insert_with(Box::default).record(waited, calls);
    }

    /// Adds the counts of other counters.
    pub fn add(&mut self, other: &Self) {
        self.most_waiting = self.most_waiting.max(other.most_waiting);
        self.admitted_at_once += other.admitted_at_once;
        self.cancelled += other.cancelled;
        self.taken_back += other.taken_back;
        self.rejected.add(&other.rejected);
        if let Some(rare) = &other.rare {
            self.rare.get_or_insert_default().adapted.add(&rare.adapted);
            rare.shares.iter().for_each(|share| self.add_share(share));
        }
        self.shadowed.waited += other.shadowed.waited;
        self.shadowed.rejected.add(&other.shadowed.rejected);
        match (&mut self.waits, &other.waits) {
            (Some(mine), Some(theirs)) => mine.add(theirs),
            (mine @ None, Some(theirs)) => *mine = Some(theirs.clone()),
            (_, None) => {}
        }
    }
}

/// Counts of refused calls, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct RejectedCounts {
    /// No permit was free and the call had no time to wait: [`RejectedKind::NoPermits`].
    pub no_permits: u64,
    /// No permit was free and the queue was full: [`RejectedKind::QueueFull`].
    pub queue_full: u64,
    /// The call waited as long as it may: [`RejectedKind::TimedOut`].
    pub timed_out: u64,
    /// The call wanted more permits than the limit: [`RejectedKind::TooHeavy`].
    pub too_heavy: u64,
    /// The limiter was closed: [`RejectedKind::Closed`].
    pub closed: u64,
    /// A newer call joined a full queue, and this one had to leave it: [`RejectedKind::Evicted`].
    pub evicted: u64,
    /// The fleet could not be reached: [`RejectedKind::Unavailable`].
    pub unavailable: u64,
    /// The call gave way in a deadlock: [`RejectedKind::Deadlock`].
    pub deadlock: u64,
    /// The call would have waited for longer than it may, and was refused at once: [`RejectedKind::WouldTimeOut`].
    #[cfg_attr(feature = "serde", serde(default))]
    pub would_time_out: u64,
}

impl RejectedCounts {
    /// Returns the count over all reasons.
    #[must_use]
    pub fn total(&self) -> u64 {
        RejectedKind::ALL.iter().map(|&kind| self.get(kind)).sum()
    }

    /// Returns the count for one reason.
    #[must_use]
    pub fn get(&self, kind: RejectedKind) -> u64 {
        match kind {
            RejectedKind::NoPermits => self.no_permits,
            RejectedKind::QueueFull => self.queue_full,
            RejectedKind::TimedOut => self.timed_out,
            RejectedKind::WouldTimeOut => self.would_time_out,
            RejectedKind::TooHeavy => self.too_heavy,
            RejectedKind::Closed => self.closed,
            RejectedKind::Evicted => self.evicted,
            RejectedKind::Unavailable => self.unavailable,
            RejectedKind::Deadlock => self.deadlock,
        }
    }

    pub(crate) fn count(&mut self, kind: RejectedKind) {
        *self.get_mut(kind) += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for &kind in RejectedKind::ALL {
            *self.get_mut(kind) += other.get(kind);
        }
    }

    fn get_mut(&mut self, kind: RejectedKind) -> &mut u64 {
        match kind {
            RejectedKind::NoPermits => &mut self.no_permits,
            RejectedKind::QueueFull => &mut self.queue_full,
            RejectedKind::TimedOut => &mut self.timed_out,
            RejectedKind::WouldTimeOut => &mut self.would_time_out,
            RejectedKind::TooHeavy => &mut self.too_heavy,
            RejectedKind::Closed => &mut self.closed,
            RejectedKind::Evicted => &mut self.evicted,
            RejectedKind::Unavailable => &mut self.unavailable,
            RejectedKind::Deadlock => &mut self.deadlock,
        }
    }
}

/// Counts of calls that a shadow admitted, by what the limit would have done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ShadowedCounts {
    /// Calls that would have waited. Their waits are not known, so none of them counts as timed
    /// out.
    pub waited: u64,
    /// Calls that would have been refused.
    pub rejected: RejectedCounts,
}

/// The changes of a limiter's limit, and of the limits of single keys, by [`Source`](crate::Source). The code changes no
/// limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LimitChanges {
    /// Changes by a configuration.
    pub file: u64,
    /// Changes by an environment variable.
    pub environment: u64,
    /// Changes while the program runs.
    pub live: u64,
}

impl LimitChanges {
    /// Returns the number of changes by a source.
    #[must_use]
    pub const fn by(&self, source: Source) -> u64 {
        match source {
            Source::Attribute => 0,
            Source::File => self.file,
            Source::Environment => self.environment,
            Source::Live => self.live,
        }
    }

    /// Counts a change by a source.
    pub(crate) fn count(&mut self, source: Source) {
        match source {
            Source::Attribute => {}
            Source::File => self.file += 1,
            Source::Environment => self.environment += 1,
            Source::Live => self.live += 1,
        }
    }
}
