//! Reads all limiters once a second, for all who look.
//!
//! Lock order: the console's state, then what is behind [`Entry::look`]. Nothing of a limiter is changed
//! under the state's lock, and no limiter dropped, because that wakes.

mod changing;
mod reading;

use super::change::Change;
use super::history::{History, Series};
use super::rows::{At, Row, Watched};
use crate::limiter::{Entry, entries};
pub(super) use changing::Changing;
use futures_util::future::{BoxFuture, FutureExt, Shared, pending};
use reading::Reader;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::time::Instant;

/// From one tick to the next.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);

/// For so many ticks it is known which limiters were dropped.
const REMEMBERED: u64 = 60;

/// How many ticks a row's line shows.
const SPARK: usize = 60;

/// All that the console knows, shared by its requests and the task that reads.
pub(super) struct Watch {
    state: Mutex<State>,
    /// The last tick that is complete.
    published: watch::Sender<u64>,
    reader: Mutex<Reader>,
    /// See [`Options::until`](super::Options::until). Whoever follows polls it, so that it does not hang on
    /// one runtime.
    until: Until,
    /// One change after another, so that it is known who has made which.
    pub(super) changing: tokio::sync::Mutex<()>,
}

pub(super) type Until = Shared<BoxFuture<'static, ()>>;

#[derive(Default)]
struct State {
    tick: u64,
    /// In milliseconds since 1970.
    time: u64,
    /// When the last reading began.
    last: Option<Instant>,
    watched: HashMap<Arc<str>, Watched>,
    names: HashMap<u64, Arc<str>>,
    numbers: u64,
    history: History,
    /// When the last limiter of a name was dropped.
    removed: HashMap<Arc<str>, u64>,
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
            reader: Mutex::default(),
            until: until.unwrap_or_else(|| pending().boxed()).shared(),
            changing: tokio::sync::Mutex::default(),
        })
    }

    /// Told of each tick.
    pub(super) fn follow(&self) -> watch::Receiver<u64> {
        self.published.subscribe()
    }

    /// Ready when open pages are to go.
    pub(super) fn ended(&self) -> Until {
        self.until.clone()
    }

    pub(super) fn all(&self, writable: bool) -> All {
        let state = self.lock();
        let State { tick, time, .. } = *state;
        let limiters = state.watched.values().map(|watched| {
            let spark = watched.spark.iter().copied().collect();
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
        let removed = state.removed.iter().filter(|(_, tick)| **tick > after);
        let removed = removed.map(|(name, _)| Arc::clone(name));
        let removed = removed.filter(|name| !state.watched.contains_key(name)).collect();
        Some(Changes { tick, time, limiters, removed })
    }

    /// What is known of a limiter, with its history after a tick.
    pub(super) fn of(&self, name: &str, since: u64) -> Option<Known> {
        self.see(name);
        let state = self.lock();
        let watched = state.watched.get(name).filter(|watched| !watched.entry.is_dropped())?;
        Some(Known {
            tick: state.tick,
            time: state.time,
            entry: Arc::clone(&watched.entry),
            row: watched.row.clone(),
            history: state.history.of(watched.number, watched.start, since),
            changes: watched.log.all(),
        })
    }

    /// A limiter that may have been used, or made again, since the last tick.
    fn see(&self, name: &str) {
        if self.lock().watched.get(name).is_some_and(|watched| !watched.entry.is_dropped()) {
            return;
        }
        let Some(entry) = entries().into_iter().find(|entry| *entry.name == *name) else { return };
        let mut state = self.lock();
        let at = state.at();
        let gone = state.see(&entry, at);
        drop(state);
        drop(gone);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The tick that is to come, or under way.
    fn at(&self) -> At {
        let now = Instant::now();
        let elapsed = self.last.map(|last| now.saturating_duration_since(last));
        At { tick: self.tick + 1, time: milliseconds(), elapsed }
    }

    /// Begins a tick.
    fn begin(&mut self) -> At {
        let at = self.at();
        self.last = Some(Instant::now());
        at
    }

    fn watched_of(&mut self, entry: &Arc<Entry>) -> Option<&mut Watched> {
        let watched = self.watched.get_mut(&entry.name);
        watched.filter(|watched| Arc::ptr_eq(&watched.entry, entry))
    }

    /// Gives back a limiter that is no more, to be dropped under no lock.
    fn look(&mut self, entry: &Arc<Entry>, at: At) -> Option<Arc<Entry>> {
        let look = entry.look()?;
        if let Some(known) = self.watched_of(entry) {
            known.tick(&look, at);
            return None;
        }
        if let Some(known) = self.watched.get_mut(&entry.name) {
            let gone = known.pass_to(entry, &look);
            known.tick(&look, at);
            return Some(gone);
        }
        self.numbers += 1;
        let watched = Watched::new(self.numbers, entry, &look, at);
        self.names.insert(self.numbers, Arc::clone(&entry.name));
        self.watched.insert(Arc::clone(&entry.name), watched);
        None
    }

    /// The same between two readings: what is by second is left to the next.
    fn see(&mut self, entry: &Arc<Entry>, at: At) -> Option<Arc<Entry>> {
        let Some(known) = self.watched.get_mut(&entry.name) else { return self.look(entry, at) };
        if Arc::ptr_eq(&known.entry, entry) {
            return None;
        }
        let look = entry.look()?;
        let gone = known.pass_to(entry, &look);
        known.changed_by(&look, at, None);
        Some(gone)
    }

    fn forget(&mut self, name: &str) -> Option<Watched> {
        let watched = self.watched.remove(name)?;
        self.names.remove(&watched.number);
        Some(watched)
    }

    /// Ends a tick: all have been looked at. Gives back the limiters that are no more, to be dropped under
    /// no lock.
    fn finish(&mut self, at: At) -> Vec<Watched> {
        if at.tick <= self.tick {
            // Another task was quicker.
            return Vec::new();
        }
        let dropped = |(_, watched): &(&Arc<str>, &Watched)| watched.entry.is_dropped();
        let gone = self.watched.iter().filter(dropped).map(|(name, _)| Arc::clone(name));
        let gone: Vec<_> = gone.collect();
        let gone_watched = gone.iter().filter_map(|name| self.forget(name)).collect();
        self.removed.extend(gone.into_iter().map(|name| (name, at.tick)));
        self.removed.retain(|_, tick| *tick + REMEMBERED >= at.tick);
        let Self { watched, names, history, .. } = self;
        let samples = watched.values_mut();
        let samples = samples.filter_map(|watched| {
            watched.draw(SPARK);
            Some((watched.number, watched.sample()?))
        });
        let samples = samples.collect();
        history.add(at.tick, at.time, samples, |number, sample| {
            let watched = names.get(&number).and_then(|name| watched.get_mut(name));
            if let Some(watched) = watched {
                watched.start.sample = sample;
            }
        });
        (self.tick, self.time) = (at.tick, at.time);
        gone_watched
    }
}

pub(super) fn milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
