//! The registries of all runtimes.

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

/// The registries of all runtimes, of live and of ended ones.
#[derive(Debug)]
pub(crate) struct Runtimes<K> {
    known: Mutex<Known<K>>,
    numbered: &'static Numbered,
}

#[derive(Debug)]
struct Known<K> {
    /// The registries of live runtimes, and whether they are confirmed.
    live: HashMap<K, (&'static Registry, bool)>,
    /// Registries whose runtime has ended and that no other runtime has taken, in the order of
    /// their ends.
    retired: VecDeque<Retired<K>>,
    /// Semaphores in use of ended runtimes whose registry has passed on.
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
    /// The number of runtimes that had been seen when this one ended.
    since: u64,
}

#[derive(Debug)]
struct Detached<K> {
    runtime: K,
    index: usize,
    number: u32,
}

/// A semaphore of a limiter, in whichever registry it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LimiterSemaphore {
    index: usize,
    pub(crate) semaphore: &'static Semaphore,
    origin: Origin,
}

/// The position for which a semaphore was made.
#[derive(Clone, Copy, Debug)]
enum Origin {
    /// A position of its own in a registry.
    Registry(&'static Registry),
    /// Any position, as a substitute with this number.
    Substitute(u32),
}

impl<K: Copy + Eq + Hash> Runtimes<K> {
    /// Creates an empty list. A retired registry in use passes on when this many further runtimes
    /// have been seen.
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

    /// Returns the registry of a live runtime, if it is confirmed.
    pub(crate) fn find(&self, runtime: K) -> Option<EpochRef> {
        let known = lock(&self.known);
        let (registry, confirmed) = known.live.get(&runtime)?;
        confirmed.then(|| registry.now())
    }

    /// Returns the last registry of an ended runtime. If another runtime has taken that, returns
    /// another retired registry of the runtime, with the semaphores that were detached from the
    /// last one.
    pub(crate) fn find_retired(&self, runtime: K) -> Option<EpochRef> {
        // Dropped after unlocking: it may contain users' keys.
        let mut deferred = Vec::new();
        let mut known = lock(&self.known);
        // The first is the one that calls have used, if there are several.
        let retired = known.retired.iter().find(|retired| retired.runtime == runtime)?;
        let registry = retired.registry;
        known.attach(runtime, registry, &mut deferred);
        Some(registry.now())
    }

    /// Gives a registry to a runtime, to be confirmed. Returns the same registry to every thread
    /// that asks meanwhile.
    pub(crate) fn open(&self, runtime: K) -> EpochRef {
        // Dropped after unlocking: it may contain users' keys.
        let mut deferred = Vec::new();
        let mut known = lock(&self.known);
        if let Some((registry, _)) = known.live.get(&runtime) {
            return registry.now();
        }
        known.free_idle_detached(&mut deferred);
        let registry = known.take_retired(&mut deferred).unwrap_or_else(|| {
            let registry: &'static Registry = Box::leak(Box::new(Registry::new(self.numbered, 0)));
            known.all.push(registry);
            registry
        });
        // The number comes before the epoch: `Registry::ordinal` reads the epoch first.
        known.seen += 1;
        registry.ordinal.store(known.seen, Ordering::Relaxed);
        registry.epoch.fetch_add(1, Ordering::AcqRel);
        known.live.insert(runtime, (registry, false));
        registry.now()
    }

    /// Confirms a registry when the runtime has kept a guard: from now on look-ups find it. Returns
    /// whether the registry still is the runtime's.
    pub(crate) fn confirm(&self, runtime: K, epoch: EpochRef) -> bool {
        let mut known = lock(&self.known);
        if !epoch.is_current() {
            return false;
        }
        known.live.insert(runtime, (epoch.registry, true));
        true
    }

    /// Retires the registry of a runtime that has ended. Permits that are out come back later.
    /// Waiters are woken, and enter again at the runtime that polls them then.
    pub(crate) fn retire(&self, runtime: K, epoch: EpochRef) {
        let mut known = lock(&self.known);
        if !epoch.is_current() {
            return;
        }
        let registry = epoch.registry;
        // Listed before the registry can pass on: later its positions may have other semaphores.
        let semaphores: Vec<_> = registry.semaphores().map(|(_, semaphore)| semaphore).collect();
        // The epoch changes first. A call that still enters sees it under the semaphore's lock and
        // retries; a call that has queued before is dismissed below.
        registry.epoch.fetch_add(1, Ordering::AcqRel);
        known.live.remove(&runtime);
        let since = known.seen;
        known.retired.push_back(Retired { runtime, registry, since });
        drop(known);
        // Under no lock: dismissing wakes tasks.
        run_all_then_resume_panic(semaphores, Semaphore::dismiss_all);
    }

    /// Returns all semaphores of the limiter with this index.
    pub(super) fn semaphores(
        &self,
        process: &'static Registry,
        index: usize,
    ) -> Vec<LimiterSemaphore> {
        let known = lock(&self.known);
        let registries = [process].into_iter().chain(known.all.iter().copied());
        let own = registries.filter_map(|registry| {
            let semaphore = registry.own.get(index)?;
            Some(LimiterSemaphore { index, semaphore, origin: Origin::Registry(registry) })
        });
        let made = known.substitutes.numbers(index).iter().map(|&number| {
            let semaphore = known.substitutes.semaphore(number);
            LimiterSemaphore { index, semaphore, origin: Origin::Substitute(number) }
        });
        own.chain(made).collect()
    }

    /// Returns the number of the live runtime that has a semaphore at this moment; 0 is the
    /// process. Returns `None` if no live runtime has it.
    pub(super) fn find_runtime(&self, each: &LimiterSemaphore) -> Option<u64> {
        let &LimiterSemaphore { index, semaphore, origin } = each;
        match origin {
            Origin::Registry(registry) => {
                let ordinal = registry.ordinal();
                let is_there = || std::ptr::eq(registry.current(index), semaphore);
                ordinal.filter(|_| !registry.has_substitutes() || is_there())
            }
            Origin::Substitute(number) => {
                let registry = lock(&self.known).substitutes.at(number);
                registry?.ordinal()
            }
        }
    }

    /// Returns every registry of a runtime.
    #[cfg(feature = "inspect")]
    pub(super) fn all(&self) -> Vec<&'static Registry> {
        lock(&self.known).all.clone()
    }
}

impl<K: Copy + Eq + Hash> Known<K> {
    /// Takes a retired registry that is not in use, or has been in use for long. No runtime owns it
    /// then.
    fn take_retired(&mut self, deferred: &mut Vec<Deferred>) -> Option<&'static Registry> {
        // Looks before it changes anything: a new epoch would send all calls that use the registry
        // to look it up again.
        let is_idle = |retired: &Retired<K>| {
            retired.registry.semaphores().all(|(_, semaphore)| semaphore.is_idle())
        };
        let idle = self.retired.iter().take(self.patience.max(1)).position(is_idle);
        let oldest = self.retired.front()?;
        let is_old = self.seen - oldest.since >= self.patience as u64;
        let position = idle.or(is_old.then_some(0))?;
        let Retired { runtime, registry, .. } = self.retired.remove(position)?;
        self.vacate(runtime, registry, deferred);
        Some(registry)
    }

    /// Frees the semaphores at all positions of a registry. Those in use stay with the ended
    /// runtime, and substitutes take their positions.
    fn vacate(&mut self, runtime: K, registry: &'static Registry, deferred: &mut Vec<Deferred>) {
        let some_before = registry.has_substitutes();
        // The epoch changes before the semaphores: see *Memory ordering* in [`crate::semaphore`].
        registry.epoch.fetch_add(2, Ordering::AcqRel);
        let mut some_now = false;
        for (index, semaphore) in registry.semaphores() {
            let is_idle = semaphore.unbind(false, deferred);
            if is_idle && !some_before {
                continue;
            }
            some_now |= self.replace(runtime, registry, index, is_idle);
        }
        // Last: a look-up with the new bit finds every substitute.
        if some_now {
            registry.epoch.fetch_or(SUBSTITUTED, Ordering::AcqRel);
        } else if some_before {
            registry.epoch.fetch_and(!SUBSTITUTED, Ordering::AcqRel);
        }
    }

    /// Puts another semaphore at a position, if the one there is in use or is a substitute. Returns
    /// whether a substitute is there afterwards.
    fn replace(
        &mut self,
        runtime: K,
        registry: &'static Registry,
        index: usize,
        is_idle: bool,
    ) -> bool {
        let occupancy = registry.occupancy(index);
        // Relaxed: they change only under this lock.
        let (substitute, own) =
            (occupancy.substitute.load(Ordering::Relaxed), occupancy.own.load(Ordering::Relaxed));
        let number = match substitute.checked_sub(1) {
            // The own semaphore is at its position, and stays there.
            None if is_idle => return false,
            None => self.own_number(registry, index),
            Some(number) => number,
        };
        if is_idle {
            self.substitutes.give_back(number);
        } else {
            self.substitutes.put(number, None);
            self.detached.push_back(Detached { runtime, index, number });
        }
        // The own semaphore comes back to its position, if it is free. Without a number it was
        // never away.
        let is_back =
            own.checked_sub(1).map_or(substitute != 0, |own| self.substitutes.take_back(own));
        let next = if is_back { 0 } else { self.substitutes.take(index, registry) + 1 };
        occupancy.substitute.store(next, Ordering::Release);
        next != 0
    }

    /// Returns the number of the position's own semaphore. Gives it one if necessary.
    fn own_number(&mut self, registry: &'static Registry, index: usize) -> u32 {
        let occupancy = registry.occupancy(index);
        if let Some(number) = occupancy.own.load(Ordering::Relaxed).checked_sub(1) {
            return number;
        }
        let number = self.substitutes.add_number(registry.own(index), index);
        occupancy.own.store(number + 1, Ordering::Relaxed);
        number
    }

    /// Moves the semaphores that were detached from a runtime's registry to another registry that
    /// the runtime has. No call has used that registry: calls were given the former one as long as
    /// it was the runtime's.
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
            // Frees the semaphore that was there. One without a number is found at its own position
            // anyway.
            if let Some(former) = numbers.into_iter().find_map(|number| number.checked_sub(1)) {
                self.substitutes.give_back(former);
            }
            self.substitutes.put(number, Some(registry));
            occupancy.substitute.store(number + 1, Ordering::Release);
        }
        // Last: a look-up with the new bit finds every substitute.
        registry.epoch.fetch_or(SUBSTITUTED, Ordering::AcqRel);
    }

    /// Frees detached semaphores that are idle. Looks at `patience` of them at most.
    fn free_idle_detached(&mut self, deferred: &mut Vec<Deferred>) {
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
