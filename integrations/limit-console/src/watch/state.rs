//! The state of the console: what it knows of all limiters.

use crate::changes::{CommonLog, LoggedChange, NamedChange};
use crate::deadlocks::Deadlocks;
use crate::history::{History, Series};
use crate::oldest::Oldest;
use crate::row::Row;
use crate::tick::{INTERVAL, Tick, unix_milliseconds};
use crate::watched::Watched;
use futures_util::future::{BoxFuture, FutureExt, Shared, pending};
use limit_runtime::inspect::{self, LimiterReading};
use limit_runtime::{LimiterHandle, find};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio::time::Instant;

/// The number of ticks for which the names of dropped limiters are kept.
const REMEMBERED: u64 = 60;

/// The most points of a row's line.
const SPARK: usize = 60;

/// The state of the console, shared by its requests and by the task that reads.
pub(crate) struct Watch {
    pub(super) state: Mutex<State>,
    /// The number of the last tick that is complete.
    pub(super) published: watch::Sender<u64>,
    pub(super) reader: Mutex<Reader>,
    /// See [`Options::until`](crate::Options::until). Every stream polls it, so that it does not depend on one
    /// runtime.
    until: Until,
    /// Held during a change, so that each change is logged with its own author.
    pub(crate) changing: tokio::sync::Mutex<()>,
}

/// Ready when open pages are to be closed.
pub(crate) type Until = Shared<BoxFuture<'static, ()>>;

/// The task that reads.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Reader {
    /// The number of tasks that have begun to read.
    pub(super) begun: u64,
    /// The number of the task that reads.
    pub(super) current: Option<u64>,
    /// The steps that tasks have done so far. A task that does none stands still.
    pub(super) steps: u64,
}

#[derive(Default)]
pub(super) struct State {
    /// The number of the last tick that is complete.
    pub(super) tick: u64,
    /// The time of that tick, in milliseconds since 1970.
    pub(super) time: u64,
    /// The time when the last tick began.
    pub(super) last: Option<Instant>,
    /// The deadlocks at the last tick that began.
    pub(super) deadlocks: Arc<Deadlocks>,
    /// The oldest holders at the last tick that began.
    pub(super) oldest: Oldest,
    /// The error of the source of settings at the last tick that began, such as that of a file.
    pub(super) problem: Option<Arc<str>>,
    /// The changes of all limiters.
    pub(super) log: CommonLog,
    watched: HashMap<Arc<str>, Watched>,
    /// The watched names by their numbers in the history.
    pub(super) names: HashMap<u64, Arc<str>>,
    /// The numbers given so far.
    numbers: u64,
    history: History,
    /// The names of dropped limiters, with the tick at which the last one was gone.
    pub(super) removed: HashMap<Arc<str>, u64>,
}

/// All limiters, in JSON.
#[derive(Debug, Serialize)]
pub(crate) struct AllLimiters {
    tick: u64,
    time: u64,
    interval: f64,
    writable: bool,
    diagnostics: bool,
    /// The number of all limiters.
    total: usize,
    /// The last name of this part of the list, if more come after it.
    next: Option<Arc<str>>,
    /// The number of changes that have been logged.
    logged: u64,
    /// The error of the source of settings.
    settings_problem: Option<Arc<str>>,
    limiters: Vec<Row>,
}

/// The changes of all limiters, in JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Log {
    logged: u64,
    changes: Vec<NamedChange>,
}

/// The rows that have changed after a tick, in JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Changes {
    tick: u64,
    time: u64,
    /// The number of changes that have been logged.
    logged: u64,
    /// The error of the source of settings.
    settings_problem: Option<Arc<str>>,
    limiters: Vec<Row>,
    removed: Vec<Arc<str>>,
}

/// The console's knowledge of one limiter.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) tick: u64,
    pub(crate) time: u64,
    pub(crate) handle: LimiterHandle,
    /// The limiter's [id](LimiterReading::id).
    pub(crate) id: u64,
    pub(crate) row: Row,
    pub(crate) history: Series,
    pub(crate) changes: Vec<LoggedChange>,
    /// The deadlocks of all limiters.
    pub(crate) deadlocks: Arc<Deadlocks>,
}

impl Watch {
    pub(crate) fn new(until: Option<BoxFuture<'static, ()>>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            published: watch::Sender::default(),
            reader: Mutex::default(),
            until: until.unwrap_or_else(|| pending().boxed()).shared(),
            changing: tokio::sync::Mutex::default(),
        })
    }

    /// Returns a receiver that is notified of each tick.
    pub(crate) fn follow(&self) -> watch::Receiver<u64> {
        self.published.subscribe()
    }

    /// Returns a future that is ready when open pages are to be closed.
    pub(crate) fn ended(&self) -> Until {
        self.until.clone()
    }

    /// Lists at most so many limiters, in the order of their names: those after a name, or the first.
    pub(crate) fn all(&self, writable: bool, after: Option<&str>, count: usize) -> AllLimiters {
        let state = self.lock();
        let State { tick, time, .. } = *state;
        let total = state.watched.len();
        let is_after = |watched: &&Watched| after.is_none_or(|after| *watched.row.name > *after);
        let mut part: Vec<_> = state.watched.values().filter(is_after).collect();
        part.sort_unstable_by(|one, other| one.row.name.cmp(&other.row.name));
        let is_last = part.len() <= count;
        part.truncate(count);
        let last = part.last().map(|watched| Arc::clone(&watched.row.name));
        let next = last.filter(|_| !is_last);
        let limiters = part.into_iter().map(|watched| {
            let spark = watched.spark.iter().copied().collect();
            Row { spark: Some(spark), ..watched.row.clone() }
        });
        let limiters = limiters.collect();
        let (interval, diagnostics) = (INTERVAL.as_secs_f64(), cfg!(feature = "diagnostics"));
        let (logged, settings_problem) = (state.log.logged, state.problem.clone());
        AllLimiters {
            tick,
            time,
            interval,
            writable,
            diagnostics,
            total,
            next,
            logged,
            settings_problem,
            limiters,
        }
    }

    /// Lists the last changes of all limiters.
    pub(crate) fn log(&self) -> Log {
        let state = self.lock();
        Log { logged: state.log.logged, changes: state.log.to_vec() }
    }

    /// Lists the rows that have changed after a tick; `None` if that tick is too long ago.
    pub(crate) fn changes(&self, after: u64) -> Option<Changes> {
        let state = self.lock();
        let State { tick, time, .. } = *state;
        if after + REMEMBERED < tick {
            return None;
        }
        let rows = state.watched.values().filter(|watched| watched.changed > after);
        let limiters = rows.map(|watched| watched.row.clone()).collect();
        let removed = state.removed.iter().filter(|(_, tick)| **tick > after);
        let removed = removed.map(|(name, _)| Arc::clone(name));
        let removed = removed.filter(|name| !state.watched.contains_key(name)).collect();
        let (logged, settings_problem) = (state.log.logged, state.problem.clone());
        Some(Changes { tick, time, logged, settings_problem, limiters, removed })
    }

    /// Finds the limiter of a name, with its history after a tick. `None` if no limiter has the name now.
    pub(crate) fn find(&self, name: &str, since: u64) -> Option<Known> {
        self.see(name);
        let known = self.known(name, since)?;
        // Under no lock: the handle may be the last one.
        (!is_dropped(&known.handle)).then_some(known)
    }

    fn known(&self, name: &str, since: u64) -> Option<Known> {
        let state = self.lock();
        let watched = state.watched.get(name)?;
        Some(Known {
            tick: state.tick,
            time: state.time,
            handle: watched.handle.clone(),
            id: watched.id,
            row: watched.row.clone(),
            history: state.history.series(watched.number, watched.start, since),
            changes: watched.log.to_vec(),
            deadlocks: Arc::clone(&state.deadlocks),
        })
    }

    /// Reads a limiter that may have been used for the first time, or made again, since the last tick.
    pub(super) fn see(&self, name: &str) {
        let handle = self.lock().watched.get(name).map(|watched| watched.handle.clone());
        if handle.is_some_and(|handle| !is_dropped(&handle)) {
            return;
        }
        let Some(handle) = find(name) else { return };
        let mut state = self.lock();
        let tick = state.next_tick();
        let former = state.see(&handle, tick);
        // In this order: the handle is dropped under no lock.
        drop(state);
        drop(former);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_dropped(handle: &LimiterHandle) -> bool {
    inspect::read(handle).is_dropped
}

impl State {
    /// Returns the tick that is to come, or is under way.
    pub(super) fn next_tick(&self) -> Tick {
        let now = Instant::now();
        let elapsed = self.last.map(|last| now.saturating_duration_since(last));
        Tick { number: self.tick + 1, time: unix_milliseconds(), elapsed }
    }

    /// Begins a tick.
    pub(super) fn begin(&mut self) -> Tick {
        let tick = self.next_tick();
        self.last = Some(Instant::now());
        tick
    }

    /// Returns a limiter if it still has its name.
    pub(super) fn watched_mut(&mut self, name: &str, id: u64) -> Option<&mut Watched> {
        self.watched.get_mut(name).filter(|watched| watched.id == id)
    }

    /// Reads a limiter at a tick. Returns the limiter that had its name before, to be dropped under no lock.
    pub(super) fn read(&mut self, handle: &LimiterHandle, tick: Tick) -> Option<LimiterHandle> {
        // Under the state's lock. Otherwise a change of the console's could come between the reading and its
        // record, and would be logged twice: there, and back.
        let reading = inspect::read(handle);
        if reading.is_dropped {
            return None;
        }
        let Some(watched) = self.watched.get_mut(&reading.name) else {
            self.add(handle, &reading, tick);
            return None;
        };
        let former = (watched.id != reading.id).then(|| watched.pass_to(handle, &reading));
        let is_deadlocked = self.deadlocks.has(&reading.name);
        let changes = watched.record_tick(&reading, is_deadlocked, &self.oldest, tick);
        self.log.add(&reading.name, &changes);
        former
    }

    /// Reads a limiter between two ticks, if it is not known. Returns the limiter that had its name before, to
    /// be dropped under no lock.
    fn see(&mut self, handle: &LimiterHandle, tick: Tick) -> Option<LimiterHandle> {
        let reading = inspect::read(handle);
        if reading.is_dropped {
            return None;
        }
        let Some(watched) = self.watched.get_mut(&reading.name) else {
            self.add(handle, &reading, tick);
            return None;
        };
        if watched.id == reading.id {
            return None;
        }
        let former = watched.pass_to(handle, &reading);
        let changes = watched.record_change(&reading, tick, None);
        self.log.add(&reading.name, &changes);
        Some(former)
    }

    fn add(&mut self, handle: &LimiterHandle, reading: &LimiterReading, tick: Tick) {
        self.numbers += 1;
        let mut watched = Watched::new(self.numbers, handle, reading, tick);
        watched.row.deadlock = self.deadlocks.has(&reading.name);
        self.names.insert(self.numbers, Arc::clone(&reading.name));
        self.watched.insert(Arc::clone(&reading.name), watched);
    }

    /// Ends a tick, at which all limiters have been read. Returns the dropped limiters, to be dropped under no
    /// lock.
    pub(super) fn finish(&mut self, tick: Tick) -> Vec<Watched> {
        if tick.number <= self.tick {
            // Another task was quicker.
            return Vec::new();
        }
        let dropped = self.take_dropped(tick.number);
        self.removed.extend(dropped.iter().map(|watched| (watched.row.name.clone(), tick.number)));
        self.removed.retain(|_, removed| *removed + REMEMBERED >= tick.number);
        let Self { watched, names, history, .. } = self;
        let samples = watched.values_mut().filter_map(|watched| {
            watched.extend_spark(SPARK);
            Some((watched.number, watched.next_sample()?))
        });
        let samples = samples.collect();
        history.add(tick.number, tick.time, samples, |number, sample| {
            let watched = names.get(&number).and_then(|name| watched.get_mut(name));
            if let Some(watched) = watched {
                watched.start.sample = sample;
            }
        });
        (self.tick, self.time) = (tick.number, tick.time);
        dropped
    }

    /// Takes the dropped limiters out: a tick has not read them.
    fn take_dropped(&mut self, tick: u64) -> Vec<Watched> {
        // A limiter that the tick has not read may be younger than the list that was read.
        let dropped = self.watched.values();
        let dropped =
            dropped.filter(|watched| watched.last_read < tick && is_dropped(&watched.handle));
        let names: Vec<_> = dropped.map(|watched| Arc::clone(&watched.row.name)).collect();
        let taken = names.iter().filter_map(|name| self.watched.remove(name));
        let taken: Vec<_> = taken.collect();
        for watched in &taken {
            self.names.remove(&watched.number);
        }
        taken
    }
}
