//! The list of limiters that have been used.

use super::Engine;
use super::definition::Definition;
use super::dropped_names::DroppedNames;
use super::numbers::Numbers;
use crate::metrics::Totals;
use crate::registry;
use crate::semaphore::Deferred;
use once_cell::sync::Lazy;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

static CATALOG: Lazy<Mutex<Catalog>> = Lazy::new(Mutex::default);

#[derive(Default)]
struct Catalog {
    /// By index.
    engines: Vec<Option<Arc<Engine>>>,
    /// Indices whose limiter was dropped while some of its permits were out.
    leaving: VecDeque<usize>,
    /// Indices that no limiter has.
    free: Vec<usize>,
    names: HashMap<Arc<str>, Arc<Engine>>,
    /// By the name that limiters were made with.
    namesakes: HashMap<Box<str>, Namesakes>,
    /// The counters of the names that no limiter has any more.
    dropped: DroppedNames,
}

/// The limiters that were made with one name.
#[derive(Default)]
struct Namesakes {
    limiters: usize,
    numbers: Numbers,
}

/// Work that follows the first use of a limiter, when no lock is held and the limiter can be used.
#[derive(Default)]
pub(super) struct AfterFirstUse {
    /// Another limiter that has a new warning to log.
    warned: Option<Arc<Engine>>,
    /// Dropped after unlocking: there may be keys and wakers of the user's in it.
    deferred: Vec<Deferred>,
}

impl AfterFirstUse {
    pub(super) fn run(self) {
        if let Some(warned) = &self.warned {
            warned.log();
        }
    }
}

impl Catalog {
    /// Takes an index that no limiter has.
    fn take_index(&mut self, deferred: &mut Vec<Deferred>) -> usize {
        if self.free.is_empty() {
            // A few, so that many limiters whose permits stay out do not make this slow.
            for _ in 0..self.leaving.len().min(4) {
                self.free_next(deferred);
            }
        }
        self.free.pop().unwrap_or_else(|| {
            self.engines.push(None);
            self.engines.len() - 1
        })
    }

    /// Frees the index that has been leaving for the longest, if its permits are back.
    fn free_next(&mut self, deferred: &mut Vec<Deferred>) {
        let Some(index) = self.leaving.pop_front() else { return };
        if unbind_all(index, deferred) {
            self.free.push(index);
        } else {
            self.leaving.push_back(index);
        }
    }

    /// Takes the name, or if another limiter has it, the name with the smallest number that is free.
    fn take_name(&mut self, wanted: &str) -> Arc<str> {
        let namesakes = self.namesakes.entry(wanted.into()).or_default();
        namesakes.limiters += 1;
        let mut name: Arc<str> = wanted.into();
        while self.names.contains_key(&name) {
            name = format!("{wanted}#{}", namesakes.numbers.take()).into();
        }
        name
    }

    fn free_name(&mut self, name: &str, wanted: &str) -> Option<Arc<Engine>> {
        // The code's own name may look like another one with a number: then that number is free, too.
        if let Some((base, number)) = parse_number(name) {
            if let Some(namesakes) = self.namesakes.get_mut(base) {
                namesakes.numbers.give_back(number);
            }
        }
        if let Some(namesakes) = self.namesakes.get_mut(wanted) {
            namesakes.limiters -= 1;
            if namesakes.limiters == 0 {
                self.namesakes.remove(wanted);
            }
        }
        self.names.remove(name)
    }
}

/// Parts a name that was given a number.
fn parse_number(name: &str) -> Option<(&str, u64)> {
    let (base, text) = name.rsplit_once('#')?;
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some((base, number))
}

/// Unbinds all semaphores of an index. Returns whether no permit is out. Subscribers and drainers are let go:
/// nothing more happens at the limiter.
fn unbind_all(index: usize, deferred: &mut Vec<Deferred>) -> bool {
    let mut is_idle = true;
    for seat in registry::seats(index) {
        if !seat.semaphore.unbind(true, deferred) {
            is_idle = false;
            deferred.extend(seat.semaphore.release_listeners());
        }
    }
    is_idle
}

fn lock() -> MutexGuard<'static, Catalog> {
    CATALOG.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts a limiter on the list that is used for the first time.
pub(super) fn add(wanted: &str, definition: Definition) -> (Arc<Engine>, AfterFirstUse) {
    let mut after = AfterFirstUse::default();
    let mut catalog = lock();
    let index = catalog.take_index(&mut after.deferred);
    let name = catalog.take_name(wanted);
    let inherited = catalog.dropped.take(&name);
    let engine = Arc::new(Engine::new(name, index, definition, inherited));
    catalog.engines[index] = Some(Arc::clone(&engine));
    catalog.names.insert(Arc::clone(&engine.name), Arc::clone(&engine));
    let has_other_name = definition.is_named && *engine.name != *wanted;
    let first = has_other_name.then(|| catalog.names.get(wanted).cloned()).flatten();
    drop(catalog);
    if let Some(first) = first {
        after.warned = engine.note_namesake(wanted, &first);
    }
    engine.ask_sources();
    (engine, after)
}

/// Takes a limiter off the list that is dropped.
pub(super) fn remove(engine: &Engine, wanted: &str) {
    // Dropped after unlocking: there may be keys and wakers of the user's in it.
    let mut deferred = Vec::new();
    let mut catalog = lock();
    let (totals, subscribers) = engine.end(&mut deferred);
    let gone = catalog.free_name(&engine.name, wanted);
    catalog.dropped.put(&engine.name, totals);
    catalog.engines[engine.index] = None;
    if unbind_all(engine.index, &mut deferred) {
        catalog.free.push(engine.index);
    } else {
        catalog.leaving.push_back(engine.index);
    }
    drop(catalog);
    drop((subscribers, gone));
}

/// The limiter with that index, if there is one.
pub(crate) fn at_index(index: usize) -> Option<Arc<Engine>> {
    lock().engines.get(index).cloned().flatten()
}

/// The limiter with that name, if there is one.
pub(crate) fn find(name: &str) -> Option<Arc<Engine>> {
    lock().names.get(name).cloned()
}

/// All limiters that have been used and not been dropped, by index.
pub(crate) fn all() -> Vec<Arc<Engine>> {
    let engines = lock().engines.clone();
    engines.into_iter().flatten().collect()
}

/// The names that no limiter has any more, with their counters.
pub(crate) type Dropped = Vec<(Arc<str>, Arc<Totals>)>;

/// All limiters, and the names that no limiter has, the last first: at one moment, so that each name is there
/// once.
pub(crate) fn all_and_dropped() -> (Vec<Arc<Engine>>, Dropped) {
    let catalog = lock();
    let (engines, dropped) = (catalog.engines.clone(), catalog.dropped.all());
    drop(catalog);
    (engines.into_iter().flatten().collect(), dropped)
}
