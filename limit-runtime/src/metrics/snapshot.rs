//! The figures of a limiter at one moment, for people.

mod parts;

use super::{
    AdaptedCounts, AdaptiveFigures, Counters, FleetFigures, Histogram, KeyLimit, LedgerFigures,
    LimitChanges, RejectedCounts, ShadowedCounts, ShareFigures, Usage, WaitTimes,
};
use crate::duration_text::duration_text;
use crate::policy::Order;
use crate::scope::Scope;
use crate::setting::Settings;
use std::fmt;
use std::time::Duration;

/// A limiter's figures at one moment, in total and for each live runtime.
///
/// Each semaphore is read in one step, so the figures of one runtime agree with each other. Several
/// runtimes are read one after another.
///
/// `Display` prints the totals in two lines of at most 100 columns, so that snapshots printed below
/// one another make a table. The first line has the figures of the moment and the refusals. The
/// second has the calls admitted at once, those admitted after waiting, their waits, and the
/// cancelled calls:
///
/// ```text
/// db                       runtime  in use    3/10   waiting    2 (most   14)  rejected    5
///   admitted     1204 +     96 waited p50 1.23ms p90 4.56ms p99 12.3ms max   50ms  cancelled     0
/// ```
///
/// A long name has a line of its own before the two, and each warning has one after them. So have
/// figures of very many digits, grants that were taken back, and the figures of a shadow. A limit over a fleet has a line with the use and
/// the processes of all, and the permits, the lease and the renewals of this process:
///
/// ```text
///   fleet      9/10   processes    4 (queued    1)  share    3  want    5  lease 4.21s  failed     0
/// ```
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
    /// The order in which waiters are served.
    #[cfg_attr(feature = "serde", serde(default))]
    pub order: Order,
    /// `true` if a call that would wait for too long is refused at once: see [`Limiter::early`](crate::Limiter::early).
    #[cfg_attr(feature = "serde", serde(default))]
    pub early: bool,
    /// The window of a rate: a permit does not come back until this time after its start. `None`
    /// without a rate.
    #[cfg_attr(feature = "serde", serde(default))]
    pub per: Option<Duration>,
    /// The time in which the limit rises from one permit after a start: see [`Limiter::ramp`](crate::Limiter::ramp).
    /// `None` without a ramp.
    #[cfg_attr(feature = "serde", serde(default))]
    pub ramp: Option<Duration>,
    /// The number of changes of the limit, by source.
    pub limit_changes: LimitChanges,
    /// The figures of a limit that [adapts](crate::Limiter::adaptive), in the live runtime where it is the largest.
    /// `None` if the limit does not adapt, and before the first call.
    #[cfg_attr(feature = "serde", serde(default))]
    pub adaptive: Option<AdaptiveFigures>,
    /// The figures of each [share](crate::Limiter::shares), and last of the calls that have none. Without shares, and
    /// before the first call, it is empty.
    #[cfg_attr(feature = "serde", serde(default))]
    pub shares: Vec<ShareFigures>,
    /// The keys that have [limits of their own](crate::KeyedLimiter::set_key_limit), by name.
    #[cfg_attr(feature = "serde", serde(default))]
    pub key_limits: Vec<KeyLimit>,
    /// The figures of the limit over the fleet. `None` unless the scope is
    /// [`Scope::Fleet`] and a fleet was started.
    #[cfg_attr(feature = "serde", serde(default))]
    pub fleet: Option<FleetFigures>,
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
    /// The figures of a limit that [adapts](crate::Limiter::adaptive). `None` if it does not.
    #[cfg_attr(feature = "serde", serde(default))]
    pub adaptive: Option<AdaptiveFigures>,
}

/// Figures at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Figures {
    /// The number of permits. With keys, the number for each key.
    pub limit: usize,
    /// The limit over all keys. `None` without keys, and if there is none.
    #[cfg_attr(feature = "serde", serde(default))]
    pub total: Option<usize>,
    /// The permits that can be out at once: those of all live runtimes together. With keys it is the limit over all
    /// of them, or `None` if there is none.
    #[cfg_attr(feature = "serde", serde(default))]
    pub capacity: Option<usize>,
    /// The permits that are out. After the limit was lowered this may be more than `limit` for a
    /// while. In a total it is up to `limit` for each runtime.
    pub in_use: usize,
    /// The permits that a [ramp](crate::Limiter::ramp) does not let in yet. In a total it is the sum over all runtimes.
    #[cfg_attr(feature = "serde", serde(default))]
    pub withheld: usize,
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
    /// Grants that were taken back because their waiters did not claim them within
    /// [`claim_within`](crate::Limiter::claim_within). Such a call waits on, so it can lose several grants.
    pub taken_back: u64,
    /// Calls that were refused, by reason.
    pub rejected: RejectedCounts,
    /// Changes of a limit that [adapts](crate::Limiter::adaptive), by reason.
    #[cfg_attr(feature = "serde", serde(default))]
    pub adapted: AdaptedCounts,
    /// Calls of a shadow that the limit would not have admitted at once. They also count in
    /// `admitted_at_once`.
    pub shadowed: ShadowedCounts,
    /// The waits of the calls that were admitted after waiting.
    pub wait: WaitTimes,
}

impl Figures {
    /// Summarises the counters.
    pub(crate) fn new(usage: Usage, capacity: Option<usize>, counters: &Counters) -> Self {
        let Usage { limit, in_use, withheld, waiting, keys, total, .. } = usage;
        let wait = counters.waits().map(Histogram::times).unwrap_or_default();
        Self {
            limit,
            total,
            capacity,
            in_use,
            withheld,
            waiting,
            keys,
            most_waiting: counters.most_waiting,
            admitted_at_once: counters.admitted_at_once,
            admitted_after_waiting: counters.admitted_after_waiting(),
            cancelled: counters.cancelled,
            taken_back: counters.taken_back,
            rejected: counters.rejected,
            adapted: counters.adapted(),
            shadowed: counters.shadowed,
            wait,
        }
    }
}

/// The most columns of a line of figures.
const COLUMNS: usize = 100;
/// The columns of the name. A longer name has a line of its own.
const NAME: usize = 24;
/// The columns of the scope.
const SCOPE: usize = 7;

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, scope, total, runtimes, fleet, warnings, .. } = self;
        if name.chars().count() > NAME {
            write!(f, "{name}\n{:NAME$}", "")?;
        } else {
            write!(f, "{name:NAME$}")?;
        }
        write!(f, " {scope:SCOPE$}  ")?;
        total.write_lines(f, NAME + SCOPE + 3, runtimes.len())?;
        if let Some(fleet) = fleet {
            fleet.write_line(f)?;
        }
        self.write_parts(f)?;
        warnings.iter().try_for_each(|warning| write!(f, "\n  ! {warning}"))
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_lines(f, 0, 1)
    }
}

impl Figures {
    /// Writes two lines, the first from `column` on. With figures of many digits there are more.
    /// The figures are those of so many `runtimes`.
    fn write_lines(
        &self,
        f: &mut fmt::Formatter<'_>,
        column: usize,
        runtimes: usize,
    ) -> fmt::Result {
        let mut lines = Lines { f, column, padding: 0 };
        let (rejected, shadowed) = (self.rejected.total(), &self.shadowed);
        // The limit holds for each key and for each runtime, so more permits can be in use.
        let keys = match self.keys {
            0 => None,
            1 => Some("× 1 key".to_owned()),
            keys => Some(format!("× {keys} keys")),
        };
        let runtimes = (runtimes > 1).then(|| format!("× {runtimes} runtimes"));
        let (limit, scopes) = match (self.total, keys) {
            // Together they are held to the total, and each to the limit.
            (Some(total), keys) => {
                let keys = keys.unwrap_or_else(|| "a key".to_owned());
                (total, vec![runtimes, Some(format!("({} {keys})", self.limit))])
            }
            (None, Some(keys)) => (self.limit, vec![Some(keys)]),
            (None, None) => (self.limit, vec![runtimes]),
        };
        let scopes: Vec<_> = scopes.into_iter().flatten().collect();
        let width = if scopes.is_empty() { 4 } else { 0 };
        lines.write(0, &format!("in use {:>4}/{limit:<width$}", self.in_use))?;
        for scope in scopes {
            lines.write(1, &scope)?;
        }
        if self.withheld > 0 {
            lines.write(1, &format!("(withheld {})", self.withheld))?;
        }
        lines.write(1, &format!("waiting {:>4} (most {:>4})", self.waiting, self.most_waiting))?;
        lines.write(2, &format!("rejected {rejected:>4}"))?;
        lines.begin_line()?;
        let (at_once, waited) = (self.admitted_at_once, self.admitted_after_waiting);
        lines.write(0, &format!("admitted {at_once:>8} + {waited:>6} waited"))?;
        let WaitTimes { p50, p90, p99, max, .. } = self.wait;
        for (name, wait) in [("p50", p50), ("p90", p90), ("p99", p99), ("max", max)] {
            let wait = match waited {
                0 => String::from("–"),
                _ => duration_text(wait),
            };
            lines.write(1, &format!("{name} {wait:>6}"))?;
        }
        lines.write(2, &format!("cancelled {:>5}", self.cancelled))?;
        if self.taken_back > 0 {
            lines.write(2, &format!("taken back {}", self.taken_back))?;
        }
        if shadowed.waited + shadowed.rejected.total() > 0 {
            let rejected = shadowed.rejected.total();
            let text = format!("would wait {}, be rejected {rejected}", shadowed.waited);
            lines.write(2, &text)?;
        }
        Ok(())
    }
}

impl FleetFigures {
    /// Writes a line about the ledger of the limiter, or else about those of its keys together.
    fn write_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.ledgers.iter().find(|ledger| ledger.key.is_none());
        let shown: Vec<_> =
            whole.map_or_else(|| self.ledgers.iter().collect(), |whole| vec![whole]);
        let Some(first) = shown.first() else { return Ok(()) };
        let sum = |figure: fn(&LedgerFigures) -> usize| -> usize {
            shown.iter().map(|ledger| figure(ledger)).sum()
        };
        let mut lines = Lines { f, column: 0, padding: 0 };
        lines.begin_line()?;
        lines.write(0, &format!("fleet {:>6}/{:<4}", sum(|it| it.in_use), sum(|it| it.limit)))?;
        if whole.is_some() {
            let (nodes, queued) = (first.nodes, first.queued);
            lines.write(1, &format!("processes {nodes:>4} (queued {queued:>4})"))?;
        } else {
            lines.write(1, &format!("keys {:>4}", shown.len()))?;
        }
        lines.write(2, &format!("share {:>4}", sum(|it| it.share)))?;
        lines.write(2, &format!("want {:>4}", sum(|it| it.want)))?;
        if whole.is_some() {
            let lease = first.lease_left.map_or_else(|| String::from("–"), duration_text);
            lines.write(2, &format!("lease {lease:>5}"))?;
        }
        let failed: u64 = shown.iter().map(|ledger| ledger.renewals.failed).sum();
        lines.write(2, &format!("failed {failed:>5}"))?;
        if shown.iter().any(|ledger| ledger.learning) {
            lines.write(2, "learning")?;
        }
        Ok(())
    }
}

/// Lines of at most [`COLUMNS`] columns.
struct Lines<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    /// The columns of the line so far.
    column: usize,
    /// The spaces after the last text. They are written with the next one, so that no line ends with
    /// them.
    padding: usize,
}

impl Lines<'_, '_> {
    /// Writes `text` after `gap` spaces, or on a new line if this one has no room for it.
    fn write(&mut self, gap: usize, text: &str) -> fmt::Result {
        let trimmed = text.trim_end();
        let length = trimmed.chars().count();
        let gap = self.padding + gap;
        if self.column + gap + length > COLUMNS {
            self.begin_line()?;
        } else {
            write!(self.f, "{:gap$}", "")?;
            self.column += gap;
        }
        self.column += length;
        self.padding = text.len() - trimmed.len();
        self.f.write_str(trimmed)
    }

    fn begin_line(&mut self) -> fmt::Result {
        const INDENT: &str = "  ";
        (self.column, self.padding) = (INDENT.len(), 0);
        write!(self.f, "\n{INDENT}")
    }
}
