//! Reads all limiters once a second, for all who look.
//!
//! Lock order: the console's state, then what is behind [`Entry::look`]. Nothing of a limiter is changed
//! under the state's lock, because that wakes.

use super::change::Change;
use super::history::{History, Series};
use super::rows::{At, Row, Watched};
use crate::limiter::{Entry, entries};
use futures_util::future::BoxFuture;
use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

/// From one tick to the next.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);

/// So many limiters are read at a time, before others have their turn.
const AT_A_TIME: usize = 256;

/// For so many ticks it is known which limiters were dropped.
const REMEMBERED: u64 = 60;

/// How many ticks a row's line shows.
const SPARK: usize = 60;

/// All that the console knows, shared by its requests and the task that reads.
pub(super) struct Watch {
    state: Mutex<State>,
    published: watch::Sender<Published>,
    /// Whether a task reads.
    runs: AtomicBool,
    until: Mutex<Option<BoxFuture<'static, ()>>>,
    /// One change after another, so that it is known who has made which.
    pub(super) changing: tokio::sync::Mutex<()>,
}

/// What those who follow are told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Published {
    /// The last tick that is complete.
    pub(super) tick: u64,
    /// No more will come: see [`Options::until`](super::Options::until).
    pub(super) has_ended: bool,
}

#[derive(Default)]
struct State {
    tick: u64,
    /// In milliseconds since 1970.
    time: u64,
    watched: HashMap<Arc<str>, Watched>,
    names: HashMap<u64, Arc<str>>,
    numbers: u64,
    history: History,
    /// When limiters were dropped.
    removed: VecDeque<(u64, Arc<str>)>,
}

/// All limiters.
#[derive(Debug, Serialize)]
pub(super) struct All {
    tick: u64,
    time: u64,
    interval: f64,
    writable: bool,
    diagnostics: bool,
    limiters: Vec<Row>,
}

/// What is other than before.
#[derive(Debug, Serialize)]
pub(super) struct Changes {
    tick: u64,
    time: u64,
    limiters: Vec<Row>,
    removed: Vec<Arc<str>>,
}

/// What is known of one limiter.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) tick: u64,
    pub(super) time: u64,
    pub(super) entry: Arc<Entry>,
    pub(super) row: Row,
    pub(super) history: Series,
    pub(super) changes: Vec<Change>,
}

impl Watch {
    pub(super) fn new(until: Option<BoxFuture<'static, ()>>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            published: watch::Sender::default(),
            runs: AtomicBool::new(false),
            until: Mutex::new(until),
            changing: tokio::sync::Mutex::default(),
        })
    }

    /// Has a task of the current runtime read, if none does.
    pub(super) fn start(self: &Arc<Self>) {
        // Relaxed: who spawns it needs nothing that another thread has written.
        if !self.runs.swap(true, Ordering::Relaxed) {
            tokio::spawn(read(Runs(Arc::downgrade(self))));
        }
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(until) = until {
            let watch = Arc::downgrade(self);
            tokio::spawn(async move {
                until.await;
                if let Some(watch) = watch.upgrade() {
                    watch.published.send_modify(|published| published.has_ended = true);
                }
            });
        }
    }

    /// Told of each tick.
    pub(super) fn follow(&self) -> watch::Receiver<Published> {
        self.published.subscribe()
    }

    pub(super) fn all(&self, writable: bool) -> All {
        let state = self.lock();
        let State { tick, time, .. } = *state;
        let limiters = state.watched.values().map(|watched| {
            let spark = state.history.in_use(watched.number, watched.start, SPARK);
            Row { spark: Some(spark), ..watched.row.clone() }
        });
        let limiters = limiters.collect();
        let (interval, diagnostics) = (INTERVAL.as_secs_f64(), cfg!(feature = "diagnostics"));
        All { tick, time, interval, writable, diagnostics, limiters }
    }

    /// What has changed after a tick; `None` if that is too long ago to be known.
    pub(super) fn changes(&self, after: u64) -> Option<Changes> {
        let state = self.lock();
        let State { tick, time, .. } = *state;
        if after + REMEMBERED < tick {
            return None;
        }
        let rows = state.watched.values().filter(|watched| watched.changed > after);
        let limiters = rows.map(|watched| watched.row.clone()).collect();
        let removed = state.removed.iter().filter(|(tick, _)| *tick > after);
        let removed = removed.map(|(_, name)| Arc::clone(name));
        let removed = removed.filter(|name| !state.watched.contains_key(name)).collect();
        Some(Changes { tick, time, limiters, removed })
    }

    /// What is known of a limiter, with its history after a tick.
    pub(super) fn of(&self, name: &str, since: u64) -> Option<Known> {
        self.see(name);
        let state = self.lock();
        let watched = state.watched.get(name)?;
        Some(Known {
            tick: state.tick,
            time: state.time,
            entry: Arc::clone(&watched.entry),
            row: watched.row.clone(),
            history: state.history.of(watched.number, watched.start, since),
            changes: watched.log.all(),
        })
    }

    /// A limiter that may have been used since the last tick.
    fn see(&self, name: &str) {
        if self.lock().watched.contains_key(name) {
            return;
        }
        let Some(entry) = entries().into_iter().find(|entry| *entry.name == *name) else { return };
        let mut state = self.lock();
        let at = state.now(Duration::ZERO);
        state.look(&entry, at);
    }

    /// Notes what was changed by the console, and by whom.
    pub(super) fn changed_by(&self, entry: &Arc<Entry>, by: &str) -> Option<(Row, Vec<Change>)> {
        let mut state = self.lock();
        let at = state.now(Duration::ZERO);
        let watched = state.watched.get_mut(&entry.name)?;
        let changes = watched.changed_by(&entry.look()?, at, Some(by));
        Some((watched.row.clone(), changes))
    }

    /// A limiter is about to be paused, with the limit that was set while running.
    pub(super) fn pausing(&self, name: &str, live_limit: Option<u32>) {
        if let Some(watched) = self.lock().watched.get_mut(name) {
            if watched.row.limit > 0 {
                watched.before_pause = live_limit;
            }
        }
    }

    /// The limit that was set while running before the console paused a limiter, if it has.
    pub(super) fn before_pause(&self, name: &str) -> Option<u32> {
        self.lock().watched.get(name)?.before_pause
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn now(&self, elapsed: Duration) -> At {
        At { tick: self.tick, time: milliseconds(), elapsed }
    }

    fn look(&mut self, entry: &Arc<Entry>, at: At) {
        let Some(look) = entry.look() else { return };
        match self.watched.get_mut(&entry.name) {
            Some(known) if Arc::ptr_eq(&known.entry, entry) => known.tick(&look, at),
            _ => {
                self.forget(&entry.name);
                self.numbers += 1;
                let watched = Watched::new(self.numbers, entry, &look, at);
                self.names.insert(self.numbers, Arc::clone(&entry.name));
                self.watched.insert(Arc::clone(&entry.name), watched);
            }
        }
    }

    fn forget(&mut self, name: &str) {
        if let Some(watched) = self.watched.remove(name) {
            self.names.remove(&watched.number);
        }
    }

    /// Ends a tick: all have been looked at.
    fn finish(&mut self, at: At) {
        let dropped = |(_, watched): &(&Arc<str>, &Watched)| watched.entry.is_dropped();
        let gone = self.watched.iter().filter(dropped).map(|(name, _)| Arc::clone(name));
        let gone: Vec<_> = gone.collect();
        for name in gone {
            self.forget(&name);
            self.removed.push_back((at.tick, name));
        }
        while self.removed.front().is_some_and(|(tick, _)| tick + REMEMBERED < at.tick) {
            self.removed.pop_front();
        }
        let Self { watched, names, history, .. } = self;
        let samples = watched.values_mut();
        let samples = samples.filter_map(|watched| Some((watched.number, watched.sample()?)));
        let samples = samples.collect();
        history.add(at.tick, at.time, samples, |number, sample| {
            let watched = names.get(&number).and_then(|name| watched.get_mut(name));
            if let Some(watched) = watched {
                watched.start.sample = sample;
            }
        });
        (self.tick, self.time) = (at.tick, at.time);
    }
}

/// A task reads, until this is dropped.
struct Runs(Weak<Watch>);

impl Drop for Runs {
    fn drop(&mut self) {
        if let Some(watch) = self.0.upgrade() {
            watch.runs.store(false, Ordering::Relaxed);
        }
    }
}

async fn read(runs: Runs) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = Instant::now();
    loop {
        ticks.tick().await;
        let Some(watch) = runs.0.upgrade() else { return };
        let elapsed = last.elapsed();
        last = Instant::now();
        let at = {
            let state = watch.lock();
            At { tick: state.tick + 1, ..state.now(elapsed) }
        };
        for some in entries().chunks(AT_A_TIME) {
            {
                let mut state = watch.lock();
                for entry in some {
                    state.look(entry, at);
                }
            }
            tokio::task::yield_now().await;
        }
        watch.lock().finish(at);
        watch.published.send_modify(|published| published.tick = at.tick);
    }
}

pub(super) fn milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
