//! The figures of a limiter.
//!
//! There is one walk over the limiter's semaphores, [`Engine::readings`]. Snapshots, exporters and pages are
//! made from what it gives.

use super::{Engine, EngineState, Last};
use crate::events::Event;
use crate::metrics::{
    Counters, Figures, Histogram, KeyReading, LimiterReading, Reading, RuntimeReading,
    RuntimeSnapshot, Snapshot, Totals, Usage,
};
use crate::registry;
use crate::semaphore::Deferred;
use std::collections::HashMap;
use std::sync::Arc;
#[cfg(feature = "diagnostics")]
use std::sync::PoisonError;
#[cfg(feature = "diagnostics")]
use std::time::Duration;
use tokio::sync::broadcast::Sender;

/// The figures of each semaphore, with the number of the runtime that has it, if that lives.
type Readings = Vec<(Option<u64>, Reading)>;

impl Engine {
    /// Reads each semaphore of the limiter once. The limiter must not have been dropped. What is `deferred` is
    /// to be dropped when no lock is held: it has keys of the user's.
    fn readings(&self, deferred: &mut Vec<Deferred>) -> Readings {
        let read = |seat: registry::Seat| loop {
            // Again, if the semaphore passed to another runtime meanwhile: it is not known then whose the
            // figures are.
            let before = registry::runtime_of(&seat);
            let reading = seat.semaphore.read(deferred);
            if before == registry::runtime_of(&seat) {
                break (before, reading);
            }
        };
        registry::seats(self.index).into_iter().map(read).collect()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        // Declared first, so that it is dropped when no lock is held.
        let mut deferred = Vec::new();
        let state = self.state();
        let settings = self.settings_under(&state);
        let (total, runtimes) = if let Some(last) = &state.last {
            (last.figures, Vec::new())
        } else {
            let readings = self.readings(&mut deferred);
            (figures(settings.limit.value, &readings), live_runtimes(&readings))
        };
        Snapshot {
            name: self.name.to_string(),
            scope: self.definition.scope,
            total,
            runtimes,
            settings,
            limit_changes: state.limit_changes,
            warnings: state.warnings.iter().map(|warning| warning.text.clone()).collect(),
        }
    }

    pub(crate) fn read(&self) -> LimiterReading {
        // Declared first, so that it is dropped when no lock is held.
        let mut deferred = Vec::new();
        // First: of a limiter that is dropped meanwhile, no hold may be shown that its last totals lack.
        let hold_times = self.hold_times();
        let state = self.state();
        let settings = self.settings_under(&state);
        let readings = if state.last.is_none() { self.readings(&mut deferred) } else { Vec::new() };
        let totals = match &state.last {
            Some(last) => Totals::clone(&last.totals),
            None => self.totals(&state, &readings, hold_times),
        };
        let is_live = |reading: &&(Option<u64>, Reading)| reading.0.is_some() && reading.1.bound;
        let (mut usage, mut live_runtimes, mut capacity) = (Usage::default(), 0, 0);
        usage.limit = settings.limit.value;
        for (_, reading) in &readings {
            usage.add(reading.usage);
        }
        for (_, reading) in readings.iter().filter(is_live) {
            live_runtimes += 1;
            capacity += reading.usage.limit;
        }
        LimiterReading {
            name: Arc::clone(&self.name),
            id: self.id,
            is_dropped: state.last.is_some(),
            scope: self.definition.scope,
            settings,
            is_closed: state.closed,
            is_keyed: self.definition.policy.keyed,
            usage,
            live_runtimes,
            capacity: if live_runtimes == 0 { usage.limit } else { capacity },
            totals,
            inherited: self.inherited.clone(),
            by_runtime: by_runtime(readings),
            warnings: state.warnings.len(),
        }
    }

    /// Ends the limiter: its figures stay as they are. Gives the subscribers, to be dropped when no lock is
    /// held, as what is `deferred`.
    pub(super) fn end(&self, deferred: &mut Vec<Deferred>) -> (Arc<Totals>, Option<Sender<Event>>) {
        let mut state = self.state();
        let readings = self.readings(deferred);
        let limit = self.known_limit(&state).unwrap_or(0) as usize;
        let figures = figures(limit, &readings);
        let totals = Arc::new(self.totals(&state, &readings, self.hold_times()));
        state.last = Some(Last { figures, totals: Arc::clone(&totals) });
        (totals, state.subscribers.take())
    }

    /// Adds up the counters of the limiter's name.
    fn totals(
        &self,
        state: &EngineState,
        readings: &Readings,
        hold_times: Option<Box<Histogram>>,
    ) -> Totals {
        let mut totals = Totals::new(counters(readings), state.limit_changes, hold_times);
        if let Some(inherited) = &self.inherited {
            totals.add(inherited);
        }
        totals
    }

    /// The keys with the most waiters, then holders, in all runtimes.
    pub(crate) fn busiest_keys(&self, most: usize) -> Vec<KeyReading> {
        let mut all = HashMap::<_, KeyReading>::new();
        // More than asked for: a key that is second in each of two runtimes may be first in both.
        let busiest =
            self.semaphores().into_iter().flat_map(|semaphore| semaphore.busiest_keys(most * 5));
        for key in busiest {
            let known = all.entry(key.name.clone());
            known
                .and_modify(|known| {
                    known.in_use += key.in_use;
                    known.waiting += key.waiting;
                })
                .or_insert(key);
        }
        // If the limiter was dropped meanwhile, they may be another's.
        if self.is_dropped() {
            return Vec::new();
        }
        let mut all: Vec<_> = all.into_values().collect();
        all.sort_by(|one, other| {
            let busy = |key: &KeyReading| (key.waiting, key.in_use);
            busy(other).cmp(&busy(one)).then_with(|| one.name.cmp(&other.name))
        });
        all.truncate(most);
        all
    }

    /// Counts for how long a call held its permits.
    #[cfg(feature = "diagnostics")]
    pub(crate) fn record_hold(&self, held: Duration) {
        let nanoseconds = u64::try_from(held.as_nanos()).unwrap_or(u64::MAX);
        let mut hold_times = self.hold_times.lock().unwrap_or_else(PoisonError::into_inner);
        hold_times.get_or_insert_with(Box::default).record(nanoseconds);
    }

    #[cfg(feature = "diagnostics")]
    fn hold_times(&self) -> Option<Box<Histogram>> {
        self.hold_times.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[cfg(not(feature = "diagnostics"))]
    #[expect(clippy::unused_self, reason = "as with the feature `diagnostics`")]
    fn hold_times(&self) -> Option<Box<Histogram>> {
        None
    }
}

/// Adds up the counters of all runtimes, those that have ended too.
fn counters(readings: &Readings) -> Counters {
    let mut counters = Counters::default();
    for (_, reading) in readings {
        counters.add(&reading.current);
        counters.add(&reading.past);
    }
    counters
}

fn figures(limit: usize, readings: &Readings) -> Figures {
    let mut usage = Usage { limit, ..Usage::default() };
    for (_, reading) in readings {
        usage.add(reading.usage);
    }
    Figures::new(usage, &counters(readings))
}

/// The figures of each runtime that lives and has used the limiter.
fn live_runtimes(readings: &Readings) -> Vec<RuntimeSnapshot> {
    let live = readings.iter().filter(|(_, reading)| reading.bound);
    let mut runtimes: Vec<_> = live
        .filter_map(|(runtime, reading)| {
            let figures = Figures::new(reading.usage, &reading.current);
            Some(RuntimeSnapshot { runtime: (*runtime)?, figures })
        })
        .collect();
    runtimes.sort_by_key(|runtime| runtime.runtime);
    runtimes
}

/// Parts the figures by runtime. Counters that pass from one part to another when a runtime ends do so at once,
/// so that the sum over all parts never goes back.
fn by_runtime(readings: Readings) -> Vec<RuntimeReading> {
    let mut ended =
        RuntimeReading { runtime: None, usage: Usage::default(), counters: Counters::default() };
    let mut parts = Vec::new();
    for (runtime, reading) in readings {
        ended.counters.add(&reading.past);
        let Reading { bound, usage, current, .. } = reading;
        if runtime.is_none() {
            ended.usage.add(usage);
            ended.counters.add(&current);
            continue;
        }
        let busy = usage.in_use + usage.waiting + usage.keys;
        // Otherwise the runtime has not used the limiter yet.
        if bound || busy > 0 || !current.is_zero() {
            parts.push(RuntimeReading { runtime, usage, counters: current });
        }
    }
    parts.sort_by_key(|part| part.runtime);
    parts.push(ended);
    parts
}
