//! A limiter that the console watches, tick after tick.

mod waits;

use crate::age::Age;
use crate::by_kind::ByKind;
use crate::changes::{ChangeLog, LoggedChange, LoggedState};
use crate::history::{Sample, Start};
use crate::oldest::Oldest;
use crate::row::Row;
use crate::tick::{INTERVAL, Tick};
use limit_runtime::inspect::{Counters, LimiterReading};
use limit_runtime::settings::SettingValue;
use limit_runtime::{LimiterHandle, RejectedCounts};
use std::collections::VecDeque;
use waits::{WINDOW, WaitWindows};

/// The limiters of one name, one after another, and the one that has the name now.
#[derive(Debug)]
pub(crate) struct Watched {
    /// The number by which the history knows the name.
    pub(crate) number: u64,
    /// The limiter that has the name now.
    pub(crate) handle: LimiterHandle,
    /// The [id](LimiterReading::id) of that limiter.
    pub(crate) id: u64,
    /// The number of the last tick that has read the limiter.
    pub(crate) last_read: u64,
    pub(crate) row: Row,
    /// The number of the last tick at which the row changed.
    pub(crate) changed: u64,
    /// The beginning of the name's history.
    pub(crate) start: Start,
    pub(crate) log: ChangeLog,
    /// The limit that was set while running before the console paused the limiter.
    pub(crate) before_pause: Option<SettingValue>,
    /// `true` while the console changes the limiter: the changes are logged when that is done.
    pub(crate) is_changing: bool,
    /// The permits in use at the last ticks.
    pub(crate) spark: VecDeque<u32>,
    /// The sample that went into the history last.
    sample: Option<Sample>,
    counted: Counted,
    waits: WaitWindows,
    logged: LoggedState,
}

/// The counters of a name at one tick.
#[derive(Clone, Copy, Debug)]
struct Counted {
    admitted: u64,
    cancelled: u64,
    rejected: RejectedCounts,
}

impl Watched {
    pub(crate) fn new(
        number: u64,
        handle: &LimiterHandle,
        reading: &LimiterReading,
        tick: Tick,
    ) -> Self {
        let counters = &reading.totals.counters;
        let inherited = reading.inherited.as_ref();
        let inherited = inherited.and_then(|totals| totals.counters.waits());
        // Waits from before the first reading, and waits at former limiters of the name, were long ago.
        let mut waits = match (counters.waits(), inherited) {
            (Some(waits), _) if tick.is_after(2) => WaitWindows::start(waits, tick.number),
            (_, Some(inherited)) => WaitWindows::start(inherited, tick.number),
            _ => WaitWindows::default(),
        };
        let mut row = Row::from_reading(reading);
        let counted = Counted::from_counters(counters);
        (row.p50, row.p99) = waits.percentiles(reading, is_growing(row.stalled), tick.number);
        Self {
            number,
            handle: handle.clone(),
            id: reading.id,
            last_read: tick.number,
            row,
            changed: tick.number,
            start: Start { tick: tick.number, sample: Sample::default() },
            log: ChangeLog::default(),
            before_pause: None,
            is_changing: false,
            spark: VecDeque::new(),
            sample: None,
            counted,
            waits,
            logged: LoggedState::from_reading(reading),
        }
    }

    /// Passes the name to another limiter. The row and the history go on; the log of changes does not. Returns
    /// the limiter that had the name.
    pub(crate) fn pass_to(
        &mut self,
        handle: &LimiterHandle,
        reading: &LimiterReading,
    ) -> LimiterHandle {
        self.id = reading.id;
        self.logged = LoggedState::from_reading(reading);
        (self.log, self.before_pause, self.is_changing) = (ChangeLog::default(), None, false);
        std::mem::replace(&mut self.handle, handle.clone())
    }

    /// Records the reading of a tick, and returns the changes since the last reading.
    pub(crate) fn record_tick(
        &mut self,
        reading: &LimiterReading,
        is_deadlocked: bool,
        oldest: &Oldest,
        tick: Tick,
    ) -> Vec<LoggedChange> {
        let counters = &reading.totals.counters;
        let counted = Counted::from_counters(counters);
        let before = std::mem::replace(&mut self.counted, counted);
        let seconds = tick.elapsed.unwrap_or(INTERVAL).as_secs_f64().max(1e-3);
        let mut row = self.row_from(reading, tick);
        row.deadlock = is_deadlocked;
        row.admitted = rate(counted.admitted, before.admitted, seconds);
        row.cancelled = rate(counted.cancelled, before.cancelled, seconds);
        #[expect(clippy::cast_possible_truncation, reason = "to be drawn")]
        let refused = ByKind::from_fn(|kind| {
            rate(counted.rejected.get(kind), before.rejected.get(kind), seconds) as f32
        });
        row.rejected = refused;
        if reading.usage.in_use > 0 {
            row.oldest_holder = oldest.holder(&self.handle);
        }
        if let Some(waits) = counters.waits().filter(|_| tick.is_after(WINDOW)) {
            self.waits = WaitWindows::start(waits, tick.number);
        }
        let is_stalled = is_growing(row.stalled);
        (row.p50, row.p99) = self.waits.percentiles(reading, is_stalled, tick.number);
        row.keep_moments(&self.row);
        self.show(row, tick.number);
        // A reader that was overtaken records an older tick.
        self.last_read = self.last_read.max(tick.number);
        if self.is_changing {
            return Vec::new();
        }
        self.log_changes(reading, tick.time, None)
    }

    /// Records a reading between two ticks. Rates are left to the next tick.
    pub(crate) fn record_change(
        &mut self,
        reading: &LimiterReading,
        tick: Tick,
        by: Option<&str>,
    ) -> Vec<LoggedChange> {
        let now = self.row_from(reading, tick);
        let row = Row {
            limit: now.limit,
            capacity: now.capacity,
            total: now.total,
            in_use: now.in_use,
            waiting: now.waiting,
            adaptive: now.adaptive,
            source: now.source,
            enabled: now.enabled,
            shadow: now.shadow,
            closed: now.closed,
            paused: now.paused,
            stalled: now.stalled,
            ..self.row.clone()
        };
        self.show(row, tick.number);
        self.log_changes(reading, tick.time, by)
    }

    /// Makes a row of a reading.
    fn row_from(&self, reading: &LimiterReading, tick: Tick) -> Row {
        let mut row = Row::from_reading(reading);
        if let Some(adaptive) = &mut row.adaptive {
            adaptive.date(self.row.adaptive.as_ref(), tick.time);
        }
        row
    }

    fn show(&mut self, row: Row, tick: u64) {
        if !row.paused {
            self.before_pause = None;
        }
        // The times of a row that has not changed grow all the same.
        if row != self.row {
            self.changed = tick;
        }
        self.row = row;
    }

    /// Logs the changes since the last reading, and returns them.
    fn log_changes(
        &mut self,
        reading: &LimiterReading,
        time: u64,
        by: Option<&str>,
    ) -> Vec<LoggedChange> {
        let after = LoggedState::from_reading(reading);
        let before = std::mem::replace(&mut self.logged, after);
        let changes = before.changes_to(&self.logged, time, by);
        self.log.add(&changes);
        changes
    }

    /// Appends a point to the row's line, which has at most so many.
    pub(crate) fn extend_spark(&mut self, most: usize) {
        if self.spark.len() >= most {
            self.spark.pop_front();
        }
        self.spark.push_back(to_u32(self.row.in_use));
    }

    /// Makes the sample for the history; `None` if it is the same as the last one.
    pub(crate) fn next_sample(&mut self) -> Option<Sample> {
        let row = &self.row;
        #[expect(clippy::cast_possible_truncation, reason = "to be drawn")]
        let sample = Sample {
            in_use: to_u32(row.in_use),
            // Keys have no permits together, but may have a limit.
            capacity: row.capacity.or(row.total).map(to_u32),
            waiting: to_u32(row.waiting),
            p50: row.p50.map(|wait| wait.as_secs_f32()),
            p99: row.p99.map(|wait| wait.as_secs_f32()),
            admitted: row.admitted as f32,
            rejected: row.rejected,
        };
        (self.sample.replace(sample) != Some(sample)).then_some(sample)
    }
}

impl Counted {
    fn from_counters(counters: &Counters) -> Self {
        Self {
            admitted: counters.admitted_at_once + counters.admitted_after_waiting(),
            cancelled: counters.cancelled,
            rejected: counters.rejected,
        }
    }
}

fn is_growing(age: Option<Age>) -> bool {
    age.is_some_and(|age| age.is_growing())
}

/// Larger figures cannot be drawn.
fn to_u32(figure: usize) -> u32 {
    u32::try_from(figure).unwrap_or(u32::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 in a tick")]
fn rate(now: u64, before: u64, seconds: f64) -> f64 {
    round(now.saturating_sub(before) as f64 / seconds)
}

/// Rounds to the thousandth, as a reader of the JSON expects it.
fn round(figure: f64) -> f64 {
    (figure * 1e3).round() / 1e3
}
