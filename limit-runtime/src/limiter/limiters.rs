//! The limiters that have been used.

use super::entry::{Entry, Limit};
use crate::Scope;
use crate::metrics::Snapshot;
use crate::registry;
use once_cell::sync::Lazy;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

static LIMITERS: Lazy<Mutex<Limiters>> = Lazy::new(Mutex::default);

#[derive(Default)]
struct Limiters {
    /// By index.
    entries: Vec<Option<Arc<Entry>>>,
    /// Indices whose limiter was dropped while some of its permits were out.
    leaving: Vec<usize>,
    /// Indices that are nobody's.
    free: Vec<usize>,
    names: HashSet<Arc<str>>,
    /// The last number given to a limiter for a name that another one has.
    numbers: HashMap<Arc<str>, u64>,
}

impl Limiters {
    fn index(&mut self) -> usize {
        if self.free.is_empty() {
            self.leaving.retain(|&index| {
                let free = forget(index);
                if free {
                    self.free.push(index);
                }
                !free
            });
        }
        self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() - 1
        })
    }

    /// The name, or the name with a number if it is another's.
    fn name(&mut self, wanted: &str) -> Arc<str> {
        let mut name: Arc<str> = wanted.into();
        while self.names.contains(&name) {
            let number = self.numbers.entry(wanted.into()).or_insert(1);
            *number += 1;
            name = format!("{wanted}#{number}").into();
        }
        self.names.insert(Arc::clone(&name));
        name
    }
}

/// Makes all semaphores of an index those of nobody; says whether no permit of it is out.
fn forget(index: usize) -> bool {
    registry::all()
        .iter()
        .filter_map(|registry| registry.existing(index))
        .all(|semaphore| semaphore.unbind(true))
}

fn lock() -> MutexGuard<'static, Limiters> {
    LIMITERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A limiter is used for the first time.
pub(super) fn add(wanted: &str, limit: Limit, scope: Scope, variable: Option<&str>) -> Arc<Entry> {
    let mut limiters = lock();
    let index = limiters.index();
    let name = limiters.name(wanted);
    let entry = Arc::new(Entry::new(name, index, scope, limit, variable));
    limiters.entries[index] = Some(Arc::clone(&entry));
    drop(limiters);
    if *entry.name != *wanted {
        let what = format!("another limiter is named `{wanted}`; this one is `{}`", entry.name);
        entry.note(false, what);
    }
    entry
}

/// A limiter is dropped.
pub(super) fn remove(entry: &Entry) {
    let mut limiters = lock();
    entry.close();
    limiters.names.remove(&entry.name);
    let gone = limiters.entries[entry.index].take();
    if forget(entry.index) {
        limiters.free.push(entry.index);
    } else {
        limiters.leaving.push(entry.index);
    }
    drop(limiters);
    drop(gone);
}

/// A limiter that has been used, wherever it is: to look at and to change.
///
/// # Examples
///
/// ```
/// use limit_runtime::concurrency_limit;
///
/// #[concurrency_limit(3, name = "handle-example")]
/// async fn download() {}
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// download().await;
/// let limiter = limit_runtime::find("handle-example").unwrap();
/// limiter.set_limit(5);
/// assert_eq!(limiter.limit(), 5);
/// # }
/// ```
#[derive(Clone)]
pub struct LimiterHandle {
    entry: Arc<Entry>,
}

impl LimiterHandle {
    /// The limiter's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// The limit, as [`Limiter::limit`](crate::Limiter::limit); of a lazy one the last that was
    /// found out.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.entry.some_limit()
    }

    /// Changes the limit, as [`Limiter::set_limit`](crate::Limiter::set_limit). Does nothing if the
    /// limiter has been dropped.
    pub fn set_limit(&self, limit: usize) {
        self.entry.set_limit(limit);
    }

    /// The figures at this moment, or at the end if the limiter has been dropped.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.entry.snapshot()
    }
}

impl fmt::Debug for LimiterHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimiterHandle").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// Every limiter that has been used and has not been dropped, in the order of their first use (a
/// dropped one's place is taken by the next).
///
/// # Examples
///
/// ```
/// for limiter in limit_runtime::limiters() {
///     println!("{}", limiter.snapshot());
/// }
/// ```
#[must_use]
pub fn limiters() -> Vec<LimiterHandle> {
    let entries = lock().entries.clone();
    entries.into_iter().flatten().map(|entry| LimiterHandle { entry }).collect()
}

/// The limiter with that name, if it has been used and has not been dropped.
///
/// # Examples
///
/// See [`LimiterHandle`].
#[must_use]
pub fn find(name: &str) -> Option<LimiterHandle> {
    limiters().into_iter().find(|limiter| limiter.name() == name)
}
