//! What the console shows of each limiter, tick after tick.

use super::change::{Change, Log, changes};
use super::history::{Sample, Start};
use super::watch::INTERVAL;
use crate::limiter::{Entry, Look, Settings, Source};
use crate::metrics::{Counters, Histogram, RejectedCounts};
use crate::{RejectedKind, Scope};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// So many ticks back, at least, percentiles of waits reach; and at most twice as many.
const WINDOW: u64 = 10;

/// How much of the last tick there is in a smoothed figure.
const SMOOTHING: f64 = 0.3;

/// A limiter's line in the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "as a reader of the JSON expects it")]
pub(super) struct Row {
    pub(super) name: Arc<str>,
    pub(super) limit: usize,
    /// Permits in all runtimes. None with keys.
    pub(super) capacity: Option<usize>,
    pub(super) in_use: usize,
    pub(super) waiting: usize,
    pub(super) keys: Option<usize>,
    pub(super) runtimes: usize,
    pub(super) scope: Scope,
    /// These three by second.
    pub(super) admitted: f64,
    pub(super) rejected: RejectedRates,
    pub(super) cancelled: f64,
    /// In seconds.
    pub(super) p50: Option<f64>,
    pub(super) p99: Option<f64>,
    /// Seconds of waiting that go by each second.
    pub(super) lost: f64,
    pub(super) source: Source,
    pub(super) enabled: bool,
    pub(super) shadow: bool,
    pub(super) closed: bool,
    pub(super) paused: bool,
    pub(super) warnings: usize,
    /// Only where all are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) spark: Option<Vec<u32>>,
}

/// Calls that were refused, by second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct RejectedRates {
    pub(super) queue_full: f32,
    pub(super) timed_out: f32,
    pub(super) too_heavy: f32,
    pub(super) closed: f32,
    pub(super) evicted: f32,
}

/// A limiter that is watched.
#[derive(Debug)]
pub(super) struct Watched {
    /// Which one it is, in the history.
    pub(super) number: u64,
    pub(super) entry: Arc<Entry>,
    pub(super) row: Row,
    /// The last tick at which the row was another than before.
    pub(super) changed: u64,
    /// Where its part of the history begins.
    pub(super) start: Start,
    pub(super) log: Log,
    /// The limit that was set while running before the console paused the limiter.
    pub(super) before_pause: Option<u32>,
    /// The console is changing something: what changes is noted when that is done.
    pub(super) is_changing: bool,
    /// Permits in use at the last ticks.
    pub(super) spark: VecDeque<u32>,
    sample: Option<Sample>,
    counted: Counted,
    windows: Windows,
    /// Not rounded: what is too small to be seen would stay as it is.
    lost: f64,
    settings: Settings,
    is_closed: bool,
}

/// What had been counted at the last tick.
#[derive(Clone, Copy, Debug)]
struct Counted {
    admitted: u64,
    cancelled: u64,
    rejected: RejectedCounts,
    /// Calls that waited and were admitted, and for how many seconds in all.
    waits: u64,
    waited: f64,
}

/// The waits of the last ten to twenty ticks: all there are, without those from before.
#[derive(Debug, Default)]
struct Windows {
    /// All from before the window before, and from before this one. `None`: there were none.
    before: [Option<Box<Histogram>>; 2],
    /// When this one began.
    since: u64,
}

/// How a tick is seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub(super) tick: u64,
    /// In milliseconds since 1970.
    pub(super) time: u64,
    /// Since the tick before; `None` if there was none.
    pub(super) elapsed: Option<Duration>,
}

impl At {
    /// Whether nobody has read for so many ticks.
    fn is_after(&self, ticks: u64) -> bool {
        self.elapsed.is_none_or(|elapsed| elapsed.as_secs() >= ticks * INTERVAL.as_secs())
    }
}

impl Watched {
    pub(super) fn new(number: u64, entry: &Arc<Entry>, look: &Look, at: At) -> Self {
        let counted = Counted::of(&look.counted);
        // At the first reading, most of what has been was long ago, and what others of the name have waited.
        let former = entry.former().and_then(|former| former.counters.waits());
        let mut windows = match (look.counted.waits(), former) {
            (Some(waits), _) if at.is_after(2) => Windows::begun(waits, at.tick),
            (_, Some(former)) => Windows::begun(former, at.tick),
            _ => Windows::default(),
        };
        let times = windows.percentiles(look.counted.waits(), at.tick);
        // Not 0, so that what is worst comes first at once.
        let lost = as_calls(look.totals.waiting as u64);
        let mut watched = Self {
            number,
            entry: Arc::clone(entry),
            row: row(&entry.name, look),
            changed: at.tick,
            start: Start { tick: at.tick, sample: Sample::default() },
            log: Log::default(),
            before_pause: None,
            is_changing: false,
            spark: VecDeque::new(),
            sample: None,
            counted,
            windows,
            lost,
            settings: look.settings,
            is_closed: look.is_closed,
        };
        (watched.row.p50, watched.row.p99) = times;
        watched.row.lost = lost;
        watched
    }

    /// Another limiter has the name now. For a reader it is the same, but that its settings are its own.
    /// Gives back the one that had it.
    pub(super) fn pass_to(&mut self, entry: &Arc<Entry>, look: &Look) -> Arc<Entry> {
        (self.settings, self.is_closed) = (look.settings, look.is_closed);
        (self.log, self.before_pause, self.is_changing) = (Log::default(), None, false);
        std::mem::replace(&mut self.entry, Arc::clone(entry))
    }

    /// Another tick.
    pub(super) fn tick(&mut self, look: &Look, at: At) {
        let counters = &look.counted;
        let counted = Counted::of(counters);
        let before = std::mem::replace(&mut self.counted, counted);
        let seconds = at.elapsed.unwrap_or(INTERVAL).as_secs_f64().max(1e-3);
        let mut row = row(&self.row.name, look);
        row.admitted = rate(counted.admitted, before.admitted, seconds);
        row.cancelled = rate(counted.cancelled, before.cancelled, seconds);
        row.rejected = RejectedRates::between(&before.rejected, &counted.rejected, seconds);
        // What short waits have lost is known when they are over, what long ones lose while they last: of
        // those that are over, no more than this tick was theirs.
        let waiting = as_calls(look.totals.waiting as u64);
        let over = as_calls(counted.waits.saturating_sub(before.waits));
        let lost = ((counted.waited - before.waited) / seconds).min(over).max(waiting);
        self.lost += (lost - self.lost) * SMOOTHING;
        row.lost = round(self.lost);
        if let Some(waits) = counters.waits().filter(|_| at.is_after(WINDOW)) {
            self.windows = Windows::begun(waits, at.tick);
        }
        (row.p50, row.p99) = self.windows.percentiles(counters.waits(), at.tick);
        self.show(row, at.tick);
        if !self.is_changing {
            self.note_changes(look, at.time, None);
        }
    }

    /// Somebody has changed something.
    pub(super) fn changed_by(&mut self, look: &Look, at: At, by: Option<&str>) -> Vec<Change> {
        let now = row(&self.row.name, look);
        let row = Row {
            limit: now.limit,
            capacity: now.capacity,
            in_use: now.in_use,
            waiting: now.waiting,
            source: now.source,
            enabled: now.enabled,
            shadow: now.shadow,
            closed: now.closed,
            paused: now.paused,
            ..self.row.clone()
        };
        self.show(row, at.tick);
        self.note_changes(look, at.time, by)
    }

    fn show(&mut self, row: Row, tick: u64) {
        if row.limit > 0 {
            self.before_pause = None;
        }
        if row != self.row {
            self.row = row;
            self.changed = tick;
        }
    }

    fn note_changes(&mut self, look: &Look, time: u64, by: Option<&str>) -> Vec<Change> {
        let new =
            changes((&self.settings, self.is_closed), (&look.settings, look.is_closed), time, by);
        (self.settings, self.is_closed) = (look.settings, look.is_closed);
        self.log.add(&new);
        new
    }

    /// Another point of the line that the row shows.
    pub(super) fn draw(&mut self, most: usize) {
        if self.spark.len() >= most {
            self.spark.pop_front();
        }
        self.spark.push_back(small(self.row.in_use));
    }

    /// What goes into the history, if it is not what was there last.
    pub(super) fn sample(&mut self) -> Option<Sample> {
        let row = &self.row;
        #[expect(clippy::cast_possible_truncation, reason = "to be drawn")]
        let sample = Sample {
            in_use: small(row.in_use),
            capacity: row.capacity.map(small),
            waiting: small(row.waiting),
            p50: row.p50.map(|wait| wait as f32),
            p99: row.p99.map(|wait| wait as f32),
            admitted: row.admitted as f32,
            rejected: row.rejected,
        };
        (self.sample.replace(sample) != Some(sample)).then_some(sample)
    }
}

impl Counted {
    fn of(counters: &Counters) -> Self {
        let waits = counters.waits();
        Self {
            admitted: counters.admitted_at_once + waits.map_or(0, Histogram::count),
            cancelled: counters.cancelled,
            rejected: counters.rejected,
            waits: waits.map_or(0, Histogram::count),
            waited: waits.map_or(0.0, |waits| waits.total().as_secs_f64()),
        }
    }
}

impl RejectedRates {
    fn between(before: &RejectedCounts, after: &RejectedCounts, seconds: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "to be drawn")]
        let of = |kind| rate(after.of(kind), before.of(kind), seconds) as f32;
        Self {
            queue_full: of(RejectedKind::QueueFull),
            timed_out: of(RejectedKind::TimedOut),
            too_heavy: of(RejectedKind::TooHeavy),
            closed: of(RejectedKind::Closed),
            evicted: of(RejectedKind::Evicted),
        }
    }
}

impl Windows {
    /// With nothing in it yet.
    fn begun(waits: &Histogram, tick: u64) -> Self {
        Self { before: [(); 2].map(|()| Some(Box::new(waits.clone()))), since: tick }
    }

    /// Half of the waits in the window were no longer than the first, 99 in 100 no longer than the
    /// second.
    fn percentiles(&mut self, waits: Option<&Histogram>, tick: u64) -> (Option<f64>, Option<f64>) {
        let waits = waits.filter(|waits| waits.count() > 0);
        let [before, _] = &self.before;
        let times = waits.and_then(|waits| {
            let mut window = waits.clone();
            if let Some(before) = before {
                if before.count() == waits.count() {
                    return None;
                }
                window.subtract(before);
            }
            Some(window.times())
        });
        if tick >= self.since + WINDOW {
            self.since = tick;
            self.before.swap(0, 1);
            self.before[1] = waits.map(|waits| Box::new(waits.clone()));
        }
        times.filter(|times| times.count > 0).map_or((None, None), |times| {
            (Some(times.p50.as_secs_f64()), Some(times.p99.as_secs_f64()))
        })
    }
}

/// More cannot be drawn.
fn small(figure: usize) -> u32 {
    u32::try_from(figure).unwrap_or(u32::MAX)
}

/// What is so at this moment.
fn row(name: &Arc<str>, look: &Look) -> Row {
    let Look { settings, totals, .. } = look;
    Row {
        name: Arc::clone(name),
        limit: settings.limit.value,
        capacity: (!look.is_keyed).then_some(look.capacity),
        in_use: totals.in_use,
        waiting: totals.waiting,
        keys: look.is_keyed.then_some(totals.keys),
        runtimes: look.runtimes,
        scope: look.scope,
        admitted: 0.0,
        rejected: RejectedRates::default(),
        cancelled: 0.0,
        p50: None,
        p99: None,
        lost: 0.0,
        source: settings.limit.source,
        enabled: settings.enabled.value,
        shadow: settings.shadow.value,
        closed: look.is_closed,
        paused: settings.limit.value == 0,
        warnings: look.warnings,
        spark: None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 in a tick")]
fn rate(now: u64, before: u64, seconds: f64) -> f64 {
    round(now.saturating_sub(before) as f64 / seconds)
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 wait")]
fn as_calls(calls: u64) -> f64 {
    calls as f64
}

/// To the thousandth, so that what has died away is 0 and a row stays as it is.
fn round(figure: f64) -> f64 {
    (figure * 1e3).round() / 1e3
}
