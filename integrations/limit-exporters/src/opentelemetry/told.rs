//! What each limiter has told of waits and holds, and whom.

use super::super::ledger::Runtime;
use super::{GENERATION, OBSERVERS, Observer, Sampled, labels};
use crate::limiter::Entry;
use crate::metrics::{Histogram, seconds};
use crate::semaphore::Semaphore;
use once_cell::sync::Lazy;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a limiter has told of waits, and whom.
#[derive(Default)]
pub(crate) struct Told(Mutex<Targets>);

#[derive(Default)]
pub(super) struct Targets {
    /// The generation of observers that it knows.
    generation: u64,
    pub(super) targets: Vec<Target>,
}

pub(super) struct Target {
    pub(super) observer: Arc<Observer>,
    pub(super) waits: Box<Histogram>,
    pub(super) holds: Box<Histogram>,
    /// Those of the waits that were told of live runtimes, if they are told by runtime.
    pub(super) by_runtime: HashMap<u64, Histogram>,
}

impl Target {
    fn new(observer: Arc<Observer>) -> Self {
        let (waits, holds, by_runtime) = Default::default();
        Self { observer, waits, holds, by_runtime }
    }

    pub(super) fn is_of(&self, observer: &Observer) -> bool {
        std::ptr::eq(&raw const *self.observer, observer)
    }
}

impl Told {
    pub(super) fn lock(&self) -> MutexGuard<'_, Targets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Targets {
    /// Finds out who observes. Those who do not any more are to be dropped under no lock.
    pub(super) fn update(&mut self) -> Vec<Target> {
        let generation = GENERATION.load(Ordering::Acquire);
        if self.generation == generation {
            return Vec::new();
        }
        self.generation = generation;
        let observers = OBSERVERS.lock().unwrap_or_else(PoisonError::into_inner).all.clone();
        let is_kept = |target: &Target| observers.iter().any(|observer| target.is_of(observer));
        let known = std::mem::take(&mut self.targets).into_iter();
        let (known, gone): (Vec<_>, _) = known.partition(is_kept);
        self.targets = known;
        for observer in observers {
            if !self.targets.iter().any(|target| target.is_of(&observer)) {
                self.targets.push(Target::new(observer));
            }
        }
        gone
    }
}

/// A call has waited for so many nanoseconds and is let in. To be called before a reading of the limiter
/// can see it, with the same figure as that will see.
#[inline]
pub(crate) fn waited(entry: &Entry, semaphore: &Semaphore, nanoseconds: u64) {
    if GENERATION.load(Ordering::Relaxed) != 0 {
        tell_wait(entry, semaphore, nanoseconds);
    }
}

/// A call has held its permits for so long, and is one of those that are counted. To be called before it
/// is, as [`waited`].
#[cfg(feature = "diagnostics")]
pub(crate) fn held(entry: &Entry, nanoseconds: u64) {
    if GENERATION.load(Ordering::Relaxed) != 0 {
        tell(entry, Sampled::Holds, nanoseconds, |target| {
            target.holds.record(nanoseconds);
            None
        });
    }
}

#[cold]
fn tell_wait(entry: &Entry, semaphore: &Semaphore, nanoseconds: u64) {
    // Whose it is stays as it is: its runtime cannot pass it on while this call waits.
    let runtime = Lazy::new(|| entry.runtime_of(semaphore));
    tell(entry, Sampled::Waits, nanoseconds, |target| {
        target.waits.record(nanoseconds);
        if !target.observer.by_runtime {
            return None;
        }
        let Some(number) = *runtime else { return Some(Runtime::Retired) };
        target.by_runtime.entry(number).or_default().record(nanoseconds);
        Some(Runtime::Number(number))
    });
}

fn tell(
    entry: &Entry,
    sampled: Sampled,
    nanoseconds: u64,
    note: impl Fn(&mut Target) -> Option<Runtime>,
) {
    let mut told = entry.told.lock();
    let unneeded = told.update();
    let observers: Vec<_> = told
        .targets
        .iter_mut()
        .map(|target| (note(target), Arc::clone(&target.observer)))
        .collect();
    drop(told);
    drop(unneeded);
    // Foreign code: under no lock of ours.
    for (runtime, observer) in observers {
        observer.record(sampled, seconds(nanoseconds), &labels(&entry.name, runtime));
    }
}

/// What there is and was not told; from now on it is.
pub(super) fn not_yet_told(samples: &Histogram, told: &mut Histogram) -> Histogram {
    let mut new = samples.clone();
    new.subtract(told);
    told.add(&new);
    new
}
