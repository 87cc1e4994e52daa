//! The figures of a limiter.
//!
//! [`Engine::readings`] is the only walk over a limiter's semaphores. Snapshots, exporters and
//! pages are made from its result.

use super::Engine;
use super::state::{EngineState, Last};
use crate::events::Event;
use crate::metrics::{
    Counters, Figures, Histogram, KeyReading, LimiterReading, Reading, RuntimeReading,
    RuntimeSnapshot, Snapshot, Totals, Usage,
};
use crate::registry;
use crate::semaphore::Deferred;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::broadcast::Sender;

/// The figures of each semaphore, with the number of its runtime if that runtime lives.
type Readings = Vec<(Option<u64>, Reading)>;

impl Engine {
    /// Reads each semaphore of the limiter once. The limiter must not have been dropped. The caller
    /// drops `deferred` when no lock is held, because it contains users' keys.
    fn readings(&self, deferred: &mut Vec<Deferred>) -> Readings {
        let read = |each: registry::LimiterSemaphore| loop {
            // If the semaphore passed to another runtime meanwhile, the figures may be either
            // runtime's: read again.
            let before = registry::find_runtime(&each);
            let reading = each.semaphore.read(deferred);
            if before == registry::find_runtime(&each) {
                break (before, reading);
            }
        };
        registry::semaphores(self.index).into_iter().map(read).collect()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        // Declared before the guard, so that it is dropped after unlocking.
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
        // Declared before the guard, so that it is dropped after unlocking.
        let mut deferred = Vec::new();
        // Read before the lock: if the limiter is dropped meanwhile, its last totals contain every
        // hold that is shown here.
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

    /// Ends the limiter and stores its last figures. Returns the subscribers. The caller drops them
    /// and `deferred` when no lock is held.
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

    /// Returns the keys with the most waiters, then the most holders, in all runtimes.
    pub(crate) fn busiest_keys(&self, most: usize) -> Vec<KeyReading> {
        let mut all = HashMap::<_, KeyReading>::new();
        // Reads more keys than asked for: a key that is second in each of two runtimes may be first
        // in both together.
        let busiest = self
            .semaphores()
            .into_iter()
            .flat_map(|semaphore| semaphore.busiest_keys(most.saturating_mul(5)));
        for key in busiest {
            let known = all.entry(key.name.clone());
            known
                .and_modify(|known| {
                    known.in_use += key.in_use;
                    known.waiting += key.waiting;
                })
                .or_insert(key);
        }
        // If the limiter was dropped meanwhile, the keys may belong to another limiter.
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

    #[cfg(not(feature = "diagnostics"))]
    #[expect(clippy::unused_self, reason = "as with the feature `diagnostics`")]
    fn hold_times(&self) -> Option<Box<Histogram>> {
        None
    }
}

/// Adds up the counters of all runtimes, also of those that have ended.
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

/// Returns the figures of each live runtime that has used the limiter.
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

/// Splits the figures by runtime. When a runtime ends, its counters move from one part to another
/// in one step, so the sum over all parts never decreases.
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
        // A runtime without any figures has not used the limiter yet.
        if bound || busy > 0 || !current.is_zero() {
            parts.push(RuntimeReading { runtime, usage, counters: current });
        }
    }
    parts.sort_by_key(|part| part.runtime);
    parts.push(ended);
    parts
}
