//! Which runtime has which registry.

#[cfg(all(test, not(limit_loom)))]
mod tests;

use super::epoch::{EpochRef, Numbered, Registry, SUBSTITUTED};
use super::substitutes::Substitutes;
use super::table::Table;
use crate::semaphore::{Deferred, Semaphore};
use crate::sync::{Mutex, Ordering, lock};
use crate::unwind::run_all_then_resume_panic;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Which runtime has which registry.
#[derive(Debug)]
pub(crate) struct Runtimes<K> {
    known: Mutex<Known<K>>,
    numbered: &'static Numbered,
}

#[derive(Debug)]
struct Known<K> {
    /// And whether they are confirmed.
    live: HashMap<K, (&'static Registry, bool)>,
    /// Those whose runtime has ended and that no other has taken, in the order of their end.
    retired: VecDeque<Retired<K>>,
    /// Semaphores that are in use, of ended runtimes whose registry has passed on.
    detached: VecDeque<Detached<K>>,
    substitutes: Substitutes,
    all: Vec<&'static Registry>,
    seen: u64,
    patience: usize,
}

#[derive(Debug)]
struct Retired<K> {
    runtime: K,
    registry: &'static Registry,
    /// How many runtimes had been seen when it ended.
    since: u64,
}

#[derive(Debug)]
struct Detached<K> {
    runtime: K,
    index: usize,
    number: u32,
}

/// A semaphore of a limiter, wherever it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    index: usize,
    pub(crate) semaphore: &'static Semaphore,
    made: MadeFor,
}

/// What a semaphore was made for.
#[derive(Clone, Copy, Debug)]
enum MadeFor {
    /// Its own place in a registry.
    Place(&'static Registry),
    /// To be a substitute of that number.
    Places(u32),
}

impl<K: Copy + Eq + Hash> Runtimes<K> {
    /// A retired registry that is in use is taken for the runtime that comes after so many others.
    pub(crate) fn new(patience: usize) -> Self {
        let numbered: &'static Numbered = Box::leak(Box::new(Table::new()));
        let known = Known {
            live: HashMap::new(),
            retired: VecDeque::new(),
            detached: VecDeque::new(),
            substitutes: Substitutes::new(numbered),
            all: Vec::new(),
            seen: 0,
            patience,
        };
        Self { known: Mutex::new(known), numbered }
    }

    pub(super) fn numbered(&self) -> &'static Numbered {
        self.numbered
    }

    /// The registry of a live runtime.
    pub(crate) fn find(&self, runtime: K) -> Option<EpochRef> {
        let known = lock(&self.known);
        let (registry, confirmed) = known.live.get(&runtime)?;
        confirmed.then(|| registry.now())
    }

    /// The registry that a runtime had last, or another if that has been taken, with what was detached
    /// from it.
    pub(crate) fn find_retired(&self, runtime: K) -> Option<EpochRef> {
        // Dropped after unlocking: there may be keys of the user's in it.
        let mut deferred = Vec::new();
        let mut known = lock(&self.known);
        // The first is that which calls have used, if there are several.
        let retired = known.retired.iter().find(|retired| retired.runtime == runtime)?;
        let registry = retired.registry;
        known.attach(runtime, registry, &mut deferred);
        Some(registry.now())
    }

    /// Gives a registry to a runtime, to be confirmed, if another thread has not done so meanwhile.
    pub(crate) fn open(&self, runtime: K) -> EpochRef {
        // Dropped after unlocking: there may be keys of the user's in it.
        let mut deferred = Vec::new();
        let mut known = lock(&self.known);
        if let Some((registry, _)) = known.live.get(&runtime) {
            return registry.now();
        }
        known.look_at_detached(&mut deferred);
        let registry = known.take_retired(&mut deferred).unwrap_or_else(|| {
            let registry: &'static Registry = Box::leak(Box::new(Registry::new(self.numbered, 0)));
            known.all.push(registry);
            registry
        });
        known.seen += 1;
        registry.ordinal.store(known.seen, Ordering::Relaxed);
        registry.epoch.fetch_add(1, Ordering::AcqRel);
        known.live.insert(runtime, (registry, false));
        registry.now()
    }

    /// The runtime has kept a guard: from now on others find the registry. Says whether it still is
    /// the runtime's.
    pub(crate) fn confirm(&self, runtime: K, lease: EpochRef) -> bool {
        let mut known = lock(&self.known);
        if !lease.is_current() {
            return false;
        }
        known.live.insert(runtime, (lease.registry, true));
        true
    }

    /// The runtime has ended. Its permits that are out come back in their own time; whoever still
    /// waits is woken, to ask again at the runtime by which it is polled then.
    pub(crate) fn retire(&self, runtime: K, lease: EpochRef) {
        let mut known = lock(&self.known);
        if !lease.is_current() {
            return;
        }
        let registry = lease.registry;
        // Before it can pass on: those that are in their places then are others.
        let semaphores: Vec<_> = registry.semaphores().map(|(_, semaphore)| semaphore).collect();
        registry.epoch.fetch_add(1, Ordering::AcqRel);
        known.live.remove(&runtime);
        let since = known.seen;
        known.retired.push_back(Retired { runtime, registry, since });
        drop(known);
        run_all_then_resume_panic(semaphores, Semaphore::dismiss_all);
    }

    /// All semaphores of the limiter with that index.
    pub(super) fn seats(&self, process: &'static Registry, index: usize) -> Vec<Seat> {
        let known = lock(&self.known);
        let registries = [process].into_iter().chain(known.all.iter().copied());
        let own = registries.filter_map(|registry| {
            let semaphore = registry.own.get(index)?;
            Some(Seat { index, semaphore, made: MadeFor::Place(registry) })
        });
        let made = known.substitutes.made(index).iter().map(|&number| {
            let semaphore = known.substitutes.semaphore(number);
            Seat { index, semaphore, made: MadeFor::Places(number) }
        });
        own.chain(made).collect()
    }

    /// The number of the runtime that has a semaphore at this moment, if that runtime lives; 0 is the
    /// process.
    pub(super) fn runtime_of(&self, seat: &Seat) -> Option<u64> {
        match seat.made {
            MadeFor::Place(registry) => {
                let ordinal = registry.ordinal();
                let is_there = || std::ptr::eq(registry.current(seat.index), seat.semaphore);
                ordinal.filter(|_| !registry.has_substitutes() || is_there())
            }
            MadeFor::Places(number) => {
                let registry = lock(&self.known).substitutes.at(number);
                registry?.ordinal()
            }
        }
    }

    /// Every registry of a runtime.
    pub(super) fn all(&self) -> Vec<&'static Registry> {
        lock(&self.known).all.clone()
    }
}

impl<K: Copy + Eq + Hash> Known<K> {
    /// A retired registry that is not in use, or has been for long. It is nobody's then.
    fn take_retired(&mut self, deferred: &mut Vec<Deferred>) -> Option<&'static Registry> {
        // First a look, so that whoever still uses it is not sent to look it up again.
        let is_idle = |retired: &Retired<K>| {
            retired.registry.semaphores().all(|(_, semaphore)| semaphore.is_idle())
        };
        let idle = self.retired.iter().take(self.patience.max(1)).position(is_idle);
        let oldest = self.retired.front()?;
        let is_old = self.seen - oldest.since >= self.patience as u64;
        let place = idle.or(is_old.then_some(0))?;
        let Retired { runtime, registry, .. } = self.retired.remove(place)?;
        self.vacate(runtime, registry, deferred);
        Some(registry)
    }

    /// Makes the semaphores in all places of a registry those of nobody. Those that are in use stay the
    /// runtime's, and others take their places.
    ///
    /// The epoch changes first: see *Memory ordering* in [`crate::semaphore`].
    fn vacate(&mut self, runtime: K, registry: &'static Registry, deferred: &mut Vec<Deferred>) {
        let some_before = registry.has_substitutes();
        registry.epoch.fetch_add(2, Ordering::AcqRel);
        let mut some_now = false;
        for (index, semaphore) in registry.semaphores() {
            let is_idle = semaphore.unbind(false, deferred);
            if is_idle && !some_before {
                continue;
            }
            some_now |= self.replace(runtime, registry, index, is_idle);
        }
        if some_now {
            registry.epoch.fetch_or(SUBSTITUTED, Ordering::AcqRel);
        } else if some_before {
            registry.epoch.fetch_and(!SUBSTITUTED, Ordering::AcqRel);
        }
    }

    /// Puts another semaphore into a place, if the one that is there is in use or a substitute; says
    /// whether there is a substitute then.
    fn replace(
        &mut self,
        runtime: K,
        registry: &'static Registry,
        index: usize,
        is_idle: bool,
    ) -> bool {
        let occupancy = registry.occupancy(index);
        // Relaxed: they are only changed under this lock.
        let (substitute, own) =
            (occupancy.substitute.load(Ordering::Relaxed), occupancy.own.load(Ordering::Relaxed));
        let number = match substitute.checked_sub(1) {
            // It is in its own place, and stays there.
            None if is_idle => return false,
            None => self.number_of_own(registry, index),
            Some(number) => number,
        };
        if is_idle {
            self.substitutes.give_back(number);
        } else {
            self.substitutes.put(number, None);
            self.detached.push_back(Detached { runtime, index, number });
        }
        // Whose place it is comes back to it. One that has no number was never away.
        let is_back =
            own.checked_sub(1).map_or(substitute != 0, |own| self.substitutes.take_back(own));
        let next = if is_back { 0 } else { self.substitutes.take(index, registry) + 1 };
        occupancy.substitute.store(next, Ordering::Release);
        next != 0
    }

    /// The number of the semaphore whose place it is.
    fn number_of_own(&mut self, registry: &'static Registry, index: usize) -> u32 {
        let occupancy = registry.occupancy(index);
        if let Some(number) = occupancy.own.load(Ordering::Relaxed).checked_sub(1) {
            return number;
        }
        let number = self.substitutes.number(registry.own(index), index);
        occupancy.own.store(number + 1, Ordering::Relaxed);
        number
    }

    /// Puts what was detached from a runtime's registry into another that the runtime has. No call has
    /// used that: as long as the former was the runtime's they were given the former.
    fn attach(&mut self, runtime: K, registry: &'static Registry, deferred: &mut Vec<Deferred>) {
        if !self.detached.iter().any(|detached| detached.runtime == runtime) {
            return;
        }
        for _ in 0..self.detached.len() {
            let Some(detached) = self.detached.pop_front() else { break };
            let Detached { index, number, .. } = detached;
            if detached.runtime != runtime || !registry.current(index).unbind(false, deferred) {
                self.detached.push_back(detached);
                continue;
            }
            let occupancy = registry.occupancy(index);
            let numbers = [&occupancy.substitute, &occupancy.own]
                .map(|number| number.load(Ordering::Relaxed));
            // Whoever was there. What has no number is found in its own place all the same.
            if let Some(former) = numbers.into_iter().find_map(|number| number.checked_sub(1)) {
                self.substitutes.give_back(former);
            }
            self.substitutes.put(number, Some(registry));
            occupancy.substitute.store(number + 1, Ordering::Release);
        }
        registry.epoch.fetch_or(SUBSTITUTED, Ordering::AcqRel);
    }

    /// Those that are idle are nobody's from now on.
    fn look_at_detached(&mut self, deferred: &mut Vec<Deferred>) {
        for _ in 0..self.detached.len().min(self.patience) {
            let Some(detached) = self.detached.pop_front() else { return };
            let semaphore = self.substitutes.semaphore(detached.number);
            if semaphore.is_idle() && semaphore.unbind(false, deferred) {
                self.substitutes.give_back(detached.number);
            } else {
                self.detached.push_back(detached);
            }
        }
    }
}
