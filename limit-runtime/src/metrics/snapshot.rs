//! The figures of a limiter at one moment, for people.

use super::{Counters, Histogram, LimitChanges, RejectedCounts, ShadowedCounts, Usage, WaitTimes};
use crate::scope::Scope;
use crate::setting::Settings;
use std::fmt;
use std::time::Duration;

/// A limiter's figures at one moment, in total and for each live runtime.
///
/// Each semaphore is read in one step, so the figures of one runtime agree with each other. Several
/// runtimes are read one after another. `Display` prints one aligned line, so that snapshots
/// printed below one another make a table.
///
/// # Examples
///
/// ```
/// use limit_runtime::Limiter;
///
/// let db = Limiter::new("snapshot-example", 10);
/// let permit = db.try_acquire()?;
/// let snapshot = db.snapshot();
/// assert_eq!((snapshot.total.in_use, snapshot.total.limit), (1, 10));
/// println!("{snapshot}");
/// # Ok::<(), limit_runtime::Rejected>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Snapshot {
    /// The limiter's name.
    pub name: String,
    /// The calls that share the permits.
    pub scope: Scope,
    /// The figures of all runtimes together, also of those that have ended. The limit is that of
    /// one scope.
    pub total: Figures,
    /// The figures of each live runtime that has used the limiter. With process scope, and for
    /// calls outside any runtime, one entry stands for the process.
    pub runtimes: Vec<RuntimeSnapshot>,
    /// The settings in force, and the source of each.
    pub settings: Settings,
    /// The number of changes of the limit, by source.
    pub limit_changes: LimitChanges,
    /// Descriptions of faults in the limiter's configuration.
    pub warnings: Vec<String>,
}

/// The figures of one runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct RuntimeSnapshot {
    /// The runtime's number, from 1, in the order in which limiters first saw the runtimes. 0 is
    /// the process. Numbers are never reused.
    pub runtime: u64,
    /// The figures since the runtime was first seen.
    pub figures: Figures,
}

/// Figures at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Figures {
    /// The number of permits. With keys, the number for each key.
    pub limit: usize,
    /// The permits that are out. After the limit was lowered this may be more than `limit` for a
    /// while. In a total it is up to `limit` for each runtime.
    pub in_use: usize,
    /// The calls that wait.
    pub waiting: usize,
    /// The keys that have holders or waiters, or starts whose window is not over. 0 without keys.
    pub keys: usize,
    /// The most calls that have ever waited at the same time (in one runtime).
    pub most_waiting: usize,
    /// Calls that found a permit free.
    pub admitted_at_once: u64,
    /// Calls that waited and got a permit.
    pub admitted_after_waiting: u64,
    /// Calls that were dropped while they waited, or before they noticed that they had been handed
    /// a permit.
    pub cancelled: u64,
    /// Calls that were refused, by reason.
    pub rejected: RejectedCounts,
    /// Calls of a shadow that the limit would not have admitted at once. They also count in
    /// `admitted_at_once`.
    pub shadowed: ShadowedCounts,
    /// The waits of the calls that were admitted after waiting.
    pub wait: WaitTimes,
}

impl Figures {
    /// Summarises the counters.
    pub(crate) fn new(usage: Usage, counters: &Counters) -> Self {
        let Usage { limit, in_use, waiting, keys } = usage;
        let wait = counters.waits().map(Histogram::times).unwrap_or_default();
        Self {
            limit,
            in_use,
            waiting,
            keys,
            most_waiting: counters.most_waiting,
            admitted_at_once: counters.admitted_at_once,
            admitted_after_waiting: counters.admitted_after_waiting(),
            cancelled: counters.cancelled,
            rejected: counters.rejected,
            shadowed: counters.shadowed,
            wait,
        }
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<32} {:<7} {}", self.name, self.scope, self.total)?;
        if !self.warnings.is_empty() {
            write!(f, "  ! {}", self.warnings.join("; "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "in use {:>4}/{:<4} waiting {:>5} (most {:>5})  admitted {:>8} + {:>8} waited  \
             cancelled {:>5}  rejected {:>5}  wait p50 {:>8} p90 {:>8} p99 {:>8} max {:>8}",
            self.in_use,
            self.limit,
            self.waiting,
            self.most_waiting,
            self.admitted_at_once,
            self.admitted_after_waiting,
            self.cancelled,
            self.rejected.total(),
            Short(self.wait.p50),
            Short(self.wait.p90),
            Short(self.wait.p99),
            Short(self.wait.max),
        )?;
        if self.keys > 0 {
            write!(f, "  keys {}", self.keys)?;
        }
        let shadowed = &self.shadowed;
        if shadowed.waited + shadowed.rejected.total() > 0 {
            let rejected = shadowed.rejected.total();
            write!(f, "  would wait {}, be rejected {rejected}", shadowed.waited)?;
        }
        Ok(())
    }
}

/// A duration with three digits, and its unit.
struct Short(Duration);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        let (figure, unit) = match seconds {
            0.0 => return f.pad("-"),
            _ if seconds < 1e-3 => (seconds * 1e6, "µs"),
            _ if seconds < 1.0 => (seconds * 1e3, "ms"),
            _ => (seconds, "s"),
        };
        let digits = if figure < 10.0 { 2 } else { usize::from(figure < 100.0) };
        f.pad(&format!("{figure:.digits$}{unit}"))
    }
}
