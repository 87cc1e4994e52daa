//! The figures of a limiter for programs that read every limiter again and again.

use super::Engine;
use super::readings::{Readings, adaptive_figures, counters, share_figures};
use crate::metrics::{
    Counters, Histogram, KeyReading, KeysReading, LimiterReading, Reading, RuntimeReading, Totals,
    Usage,
};
use crate::semaphore::ReadingMoment;
use std::collections::HashMap;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

impl Engine {
    pub(crate) fn read(&self) -> LimiterReading {
        let mut reading = self.read_figures();
        self.read_waits_and_keys(&mut reading);
        reading
    }

    /// Looks at the waiters and the keys, if there are any. It holds only one semaphore's lock at a time.
    fn read_waits_and_keys(&self, reading: &mut LimiterReading) {
        let mut waits = (reading.usage.waiting > 0).then(Box::<Histogram>::default);
        let mut keys = (reading.usage.keys > 0).then(KeysReading::default);
        if waits.is_none() && keys.is_none() {
            return;
        }
        let now = ReadingMoment::now();
        for semaphore in self.semaphores() {
            if let Some(waits) = &mut waits {
                semaphore.add_ongoing_waits(now, waits);
            }
            if let Some(keys) = &mut keys {
                semaphore.read_keys(keys);
            }
        }
        // If the limiter was dropped meanwhile, the waiters and keys may belong to another limiter.
        if self.state_in_use().is_none() {
            return;
        }
        reading.ongoing_waits = waits.filter(|waits| waits.count() > 0);
        if let Some(keys) = keys {
            reading.worst_key = keys.worst.map(|(usage, name)| KeyReading::new(name, usage));
            reading.full_keys = keys.full;
        }
    }

    fn read_figures(&self) -> LimiterReading {
        let fleet = self.brief_fleet_figures();
        self.adapt_now();
        // Declared before the guard, so that it is dropped after unlocking.
        let mut deferred = Vec::new();
        // Read before the lock: if the limiter is dropped meanwhile, its last totals contain every
        // hold that is shown here.
        let hold_times = self.history.hold_times();
        let mut state = self.state();
        let settings = self.settings_under(&state);
        let misfits = if state.last.is_none() { self.misfits(&state).len() } else { 0 };
        let readings = if state.last.is_none() { self.readings(&mut deferred) } else { Vec::new() };
        let totals = match self.history.last.get() {
            Some(last) => Totals::clone(last),
            None => self.history.totals(counters(&readings), state.limit_changes, hold_times),
        };
        let is_live = |reading: &&(Option<u64>, Reading)| reading.0.is_some() && reading.1.bound;
        let (mut usage, mut live_runtimes, mut capacity) = (Usage::default(), 0, 0);
        usage.limit = settings.limit.value;
        usage.total = self.total_under(&state);
        for (_, reading) in &readings {
            usage.add(reading.usage);
        }
        for (_, reading) in readings.iter().filter(is_live) {
            live_runtimes += 1;
            capacity += reading.usage.limit;
        }
        let mut reading = LimiterReading {
            name: Arc::clone(&self.name),
            id: self.history.id,
            is_dropped: state.last.is_some(),
            scope: self.definition.scope,
            settings,
            order: self.definition.policy.order,
            early: self.definition.request.is_early,
            per: self.definition.policy.per,
            ramp: self.definition.ramp,
            is_closed: state.closed,
            is_keyed: self.definition.policy.keyed,
            usage,
            live_runtimes,
            capacity: if live_runtimes == 0 { usage.limit } else { capacity },
            worst_key: None,
            full_keys: 0,
            ongoing_waits: None,
            totals,
            inherited: self.history.inherited.clone(),
            adaptive: adaptive_figures(&readings),
            shares: share_figures(&readings),
            by_runtime: by_runtime(readings),
            fleet,
            key_limits: state.key_limits(),
            warnings: state.warnings.len() + misfits,
        };
        state.stalls.read(&mut reading);
        reading
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
                    known.limit += key.limit;
                    known.waiting += key.waiting;
                })
                .or_insert(key);
        }
        // If the limiter was dropped meanwhile, the keys may belong to another limiter.
        if self.state_in_use().is_none() {
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

    /// Returns the two functions that share a default name, if this limiter belongs to one of them.
    pub(crate) fn namesakes(&self) -> Option<[&'static Location<'static>; 2]> {
        self.state().namesakes
    }
}

/// Splits the figures by runtime. When a runtime ends, its counters move from one part to another
/// in one step, so the sum over all parts never decreases.
fn by_runtime(readings: Readings) -> Vec<RuntimeReading> {
    let mut ended =
        RuntimeReading { runtime: None, usage: Usage::default(), counters: Counters::default() };
    let mut parts = Vec::new();
    for (runtime, reading) in readings {
        ended.counters.add(&reading.past);
        let Reading { bound, mut usage, current, is_to_move, .. } = reading;
        if runtime.is_none() {
            ended.usage.add(usage);
            ended.counters.add(&current);
            continue;
        }
        let busy = usage.in_use + usage.waiting + usage.keys;
        // A runtime without any figures has not used the limiter yet.
        if bound || busy > 0 || !current.is_zero() {
            // `Stalls` knows for how long.
            usage.stalled = is_to_move.then_some(Duration::ZERO);
            parts.push(RuntimeReading { runtime, usage, counters: current });
        }
    }
    parts.sort_by_key(|part| part.runtime);
    parts.push(ended);
    parts
}
