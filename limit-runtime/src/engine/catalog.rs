//! The list of limiters that have been used.

#[cfg(feature = "inspect")]
pub(crate) mod inventory;

use super::Engine;
use super::definition::Definition;
use super::history::DroppedNames;
use super::numbers::Numbers;
use crate::registry;
use crate::semaphore::Deferred;
use once_cell::sync::Lazy;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

static CATALOG: Lazy<Mutex<Catalog>> = Lazy::new(Mutex::default);

/// The data behind the list's lock.
#[derive(Default)]
struct Catalog {
    /// The limiters by index.
    engines: Vec<Option<Arc<Engine>>>,
    /// Indices of dropped limiters with permits that are still out.
    leaving: VecDeque<usize>,
    /// Indices that no limiter has.
    free: Vec<usize>,
    names: HashMap<Arc<str>, Arc<Engine>>,
    /// The limiters of each name that the code gives.
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

impl Catalog {
    /// Takes an index that no limiter has.
    fn take_index(&mut self, deferred: &mut Vec<Deferred>) -> usize {
        if self.free.is_empty() {
            // A fixed number, so that this stays quick when many dropped limiters have permits out.
            for _ in 0..self.leaving.len().min(4) {
                if let Some(index) = self.leaving.pop_front() {
                    self.free_index(index, deferred);
                }
            }
        }
        self.free.pop().unwrap_or_else(|| {
            self.engines.push(None);
            self.engines.len() - 1
        })
    }

    /// Makes the index of a dropped limiter free, if its permits are back. Otherwise it is left for
    /// later.
    fn free_index(&mut self, index: usize, deferred: &mut Vec<Deferred>) {
        if unbind_all(index, deferred) {
            self.free.push(index);
        } else {
            self.leaving.push_back(index);
        }
    }

    /// Takes the name. If another limiter has it, takes the name with the smallest free number.
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
        // A name that the code gives may look like a numbered one. Its number becomes free as well.
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

/// Splits a numbered name into base and number.
fn parse_number(name: &str) -> Option<(&str, u64)> {
    let (base, text) = name.rsplit_once('#')?;
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some((base, number))
}

/// Unbinds all semaphores of an index. Returns whether no permit is out. Releases subscribers and
/// drainers, because nothing more happens at the limiter. Permits that are out lose their lease.
fn unbind_all(index: usize, deferred: &mut Vec<Deferred>) -> bool {
    let mut is_idle = true;
    for each in registry::semaphores(index) {
        if !each.semaphore.unbind(true, deferred) {
            is_idle = false;
            deferred.extend(each.semaphore.release_listeners());
            deferred.extend(each.semaphore.lose_leases());
        }
    }
    is_idle
}

fn lock() -> MutexGuard<'static, Catalog> {
    CATALOG.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds a limiter to the list on its first use. Returns it, and another limiter if that has a new
/// warning to log. The caller drops what is added to `deferred` when it holds no lock: users' keys and
/// wakers may be in it.
pub(super) fn add(
    wanted: &str,
    definition: Definition,
    deferred: &mut Vec<Deferred>,
) -> (Arc<Engine>, Option<Arc<Engine>>) {
    let mut catalog = lock();
    let index = catalog.take_index(deferred);
    let name = catalog.take_name(wanted);
    let history = catalog.dropped.take(&name);
    let engine = Arc::new(Engine::new(name, wanted, index, definition, history));
    catalog.engines[index] = Some(Arc::clone(&engine));
    catalog.names.insert(Arc::clone(&engine.name), Arc::clone(&engine));
    let has_other_name = definition.is_named && *engine.name != *wanted;
    let first = has_other_name.then(|| catalog.names.get(wanted).cloned()).flatten();
    drop(catalog);
    let warned = first.and_then(|first| engine.note_namesake(wanted, &first));
    (engine, warned)
}

/// Removes a dropped limiter from the list.
pub(super) fn remove(engine: &Engine, wanted: &str) {
    // Dropped after unlocking: it may contain users' keys and wakers.
    let mut deferred = Vec::new();
    let mut catalog = lock();
    // The figures are read before the semaphores are unbound, which forgets them. All of it is
    // under the list's lock, so that the next limiter of the name inherits every count.
    let subscribers = engine.end(&mut deferred);
    let gone = catalog.free_name(&engine.name, wanted);
    catalog.dropped.put(&engine.name, &engine.history);
    catalog.engines[engine.index] = None;
    catalog.free_index(engine.index, &mut deferred);
    drop(catalog);
    drop((subscribers, gone));
}

/// Returns the limiter with this index, if there is one.
pub(crate) fn at_index(index: usize) -> Option<Arc<Engine>> {
    lock().engines.get(index).cloned().flatten()
}

/// Returns the limiter with this name, if there is one.
pub(crate) fn find(name: &str) -> Option<Arc<Engine>> {
    lock().names.get(name).cloned()
}

/// Returns all limiters that have been used and not been dropped, by index.
pub(crate) fn all() -> Vec<Arc<Engine>> {
    let engines = lock().engines.clone();
    engines.into_iter().flatten().collect()
}
