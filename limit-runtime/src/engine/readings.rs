//! The figures of a limiter.
//!
//! [`Engine::readings`] is the only walk over a limiter's semaphores. Snapshots, exporters and
//! pages are made from its result.

use super::Engine;
use crate::events::Event;
use crate::metrics::{
    AdaptiveFigures, Counters, Figures, Reading, RuntimeSnapshot, ShareFigures, Snapshot, Usage,
};
use crate::registry;
use crate::semaphore::Deferred;
use tokio::sync::broadcast::Sender;

/// The figures of each semaphore, with the number of its runtime if that runtime lives.
pub(super) type Readings = Vec<(Option<u64>, Reading)>;

impl Engine {
    /// Reads each semaphore of the limiter once. The limiter must not have been dropped. The caller
    /// drops `deferred` when no lock is held, because it contains users' keys.
    pub(super) fn readings(&self, deferred: &mut Vec<Deferred>) -> Readings {
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
        let fleet = self.fleet_figures();
        self.adapt_now();
        // Declared before the guard, so that it is dropped after unlocking.
        let mut deferred = Vec::new();
        let state = self.state();
        let settings = self.settings_under(&state);
        let (mut adaptive, mut shares) = (None, Vec::new());
        let mut misfits = Vec::new();
        let (total, runtimes) = if let Some(last) = &state.last {
            (*last, Vec::new())
        } else {
            let readings = self.readings(&mut deferred);
            let limits = (settings.limit.value, self.total_under(&state));
            adaptive = adaptive_figures(&readings);
            shares = share_figures(&readings);
            misfits = self.misfits(&state);
            (self.figures(limits, &readings), self.live_runtimes(&readings))
        };
        Snapshot {
            name: self.name.to_string(),
            scope: self.definition.scope,
            total,
            runtimes,
            settings,
            order: self.definition.policy.order,
            early: self.definition.request.is_early,
            per: self.definition.policy.per,
            ramp: self.definition.ramp,
            limit_changes: state.limit_changes,
            adaptive,
            shares,
            key_limits: state.key_limits(),
            fleet,
            warnings: state
                .warnings
                .iter()
                .map(|warning| warning.text.clone())
                .chain(misfits)
                .collect(),
        }
    }

    /// Ends the limiter and stores its last figures. Returns the subscribers. The caller drops them
    /// and `deferred` when no lock is held.
    pub(super) fn end(&self, deferred: &mut Vec<Deferred>) -> Option<Sender<Event>> {
        let mut state = self.state();
        let readings = self.readings(deferred);
        let limit = self.known_limit(&state).unwrap_or(0) as usize;
        state.last = Some(self.figures((limit, self.total_under(&state)), &readings));
        self.history.end(counters(&readings), state.limit_changes);
        state.subscribers.take()
    }

    /// Adds up the figures of all runtimes, for a limit and a limit over all keys.
    fn figures(&self, (limit, total): (usize, Option<usize>), readings: &Readings) -> Figures {
        let mut usage = Usage { limit, total, ..Usage::default() };
        let mut capacity = None;
        for (runtime, reading) in readings {
            usage.add(reading.usage);
            if runtime.is_some() && reading.bound {
                capacity = Some(capacity.unwrap_or(0) + self.capacity(&reading.usage).unwrap_or(0));
            }
        }
        let most = self.capacity(&usage);
        Figures::new(usage, most.map(|most| capacity.unwrap_or(most)), &counters(readings))
    }

    /// Returns the figures of each live runtime that has used the limiter.
    fn live_runtimes(&self, readings: &Readings) -> Vec<RuntimeSnapshot> {
        let live = readings.iter().filter(|(_, reading)| reading.bound);
        let mut runtimes: Vec<_> = live
            .filter_map(|(runtime, reading)| {
                let capacity = self.capacity(&reading.usage);
                let figures = Figures::new(reading.usage, capacity, &reading.current);
                Some(RuntimeSnapshot { runtime: (*runtime)?, figures, adaptive: reading.adaptive })
            })
            .collect();
        runtimes.sort_by_key(|runtime| runtime.runtime);
        runtimes
    }

    /// Returns the permits that can be out in one scope; `None` if there is no such number, because each key has its
    /// own.
    fn capacity(&self, usage: &Usage) -> Option<usize> {
        if self.definition.policy.keyed { usage.total } else { Some(usage.limit) }
    }
}

/// Adds up the counters of all runtimes, also of those that have ended.
pub(super) fn counters(readings: &Readings) -> Counters {
    let mut counters = Counters::default();
    for (_, reading) in readings {
        counters.add(&reading.current);
        counters.add(&reading.past);
    }
    counters
}

/// Adds up the figures of the shares of all runtimes.
pub(super) fn share_figures(readings: &Readings) -> Vec<ShareFigures> {
    let mut all: Vec<ShareFigures> = Vec::new();
    for (_, reading) in readings {
        for (index, share) in reading.shares.iter().enumerate() {
            match all.get_mut(index) {
                Some(known) => known.add(share),
                None => all.push(share.clone()),
            }
        }
    }
    let counters = counters(readings);
    for share in &mut all {
        if let Some(counts) = counters.shares().iter().find(|counts| counts.name == share.name) {
            (share.admitted, share.rejected) = (counts.admitted, counts.rejected);
        }
    }
    all
}

/// Returns the figures of a limit that adapts in the live runtime where it is the largest.
pub(super) fn adaptive_figures(readings: &Readings) -> Option<AdaptiveFigures> {
    let live = readings.iter().filter(|(runtime, _)| runtime.is_some());
    live.filter_map(|(_, reading)| reading.adaptive).max_by_key(|figures| figures.limit)
}
