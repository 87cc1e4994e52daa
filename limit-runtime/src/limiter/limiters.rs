//! The limiters that have been used.

use super::entry::{Entry, Limit, Made};
use super::numbers::Numbers;
use crate::Scope;
#[cfg(feature = "_exporters")]
use crate::metrics::FormerByName;
#[cfg(any(feature = "_exporters", feature = "console"))]
use crate::metrics::FormerNames;
use crate::metrics::Snapshot;
use crate::registry;
use crate::semaphore::Deferred;
use once_cell::sync::Lazy;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

static LIMITERS: Lazy<Mutex<Limiters>> = Lazy::new(Mutex::default);

#[derive(Default)]
struct Limiters {
    /// By index.
    entries: Vec<Option<Arc<Entry>>>,
    /// Indices whose limiter was dropped while some of its permits were out.
    leaving: VecDeque<usize>,
    /// Indices that are nobody's.
    free: Vec<usize>,
    names: HashMap<Arc<str>, Arc<Entry>>,
    /// By the name that limiters were made with.
    namesakes: HashMap<Box<str>, Namesakes>,
    /// What those have counted that had a name which nobody has.
    #[cfg(any(feature = "_exporters", feature = "console"))]
    former: FormerNames,
}

/// The limiters that were made with one name.
#[derive(Default)]
struct Namesakes {
    /// How many there are.
    limiters: usize,
    numbers: Numbers,
}

/// What follows from the first use of a limiter, when no lock is held and the limiter can be used.
#[derive(Default)]
pub(super) struct Then {
    /// One that has something new to log.
    told: Option<Arc<Entry>>,
    /// There may be keys and wakers of the user's in it.
    left: Vec<Deferred>,
}

impl Then {
    pub(super) fn happen(self) {
        if let Some(told) = &self.told {
            told.log();
        }
    }
}

impl Limiters {
    fn index(&mut self, left: &mut Vec<Deferred>) -> usize {
        if self.free.is_empty() {
            // A few, so that many whose permits stay out do not make this slow.
            for _ in 0..self.leaving.len().min(4) {
                self.leave_next(left);
            }
        }
        self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() - 1
        })
    }

    fn leave_next(&mut self, left: &mut Vec<Deferred>) {
        let Some(index) = self.leaving.pop_front() else { return };
        if forget(index, left) {
            self.free.push(index);
        } else {
            self.leaving.push_back(index);
        }
    }

    /// The name, or if it is another's, the name with the smallest number that is free.
    fn take_name(&mut self, wanted: &str) -> Arc<str> {
        let namesakes = self.namesakes.entry(wanted.into()).or_default();
        namesakes.limiters += 1;
        let mut name: Arc<str> = wanted.into();
        while self.names.contains_key(&name) {
            name = format!("{wanted}#{}", namesakes.numbers.take()).into();
        }
        name
    }

    fn free_name(&mut self, name: &str, wanted: &str) -> Option<Arc<Entry>> {
        // It may be a name of its own that looks like another's with a number: then that is free too.
        if let Some((of, number)) = numbered(name) {
            if let Some(namesakes) = self.namesakes.get_mut(of) {
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

/// A name with a number, as we write it.
fn numbered(name: &str) -> Option<(&str, u64)> {
    let (of, text) = name.rsplit_once('#')?;
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some((of, number))
}

/// Makes all semaphores of an index those of nobody; says whether no permit of it is out. Whoever listens
/// or waits for it to be drained is told that there is no more to come.
fn forget(index: usize, left: &mut Vec<Deferred>) -> bool {
    let mut forgotten = true;
    for seat in registry::seats(index) {
        if !seat.semaphore.unbind(true, left) {
            forgotten = false;
            left.extend(seat.semaphore.release_listeners());
        }
    }
    forgotten
}

fn lock() -> MutexGuard<'static, Limiters> {
    LIMITERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A limiter is used for the first time.
pub(super) fn add(
    wanted: &str,
    limit: Limit,
    scope: Scope,
    variable: Option<&str>,
    made: Made,
) -> (Arc<Entry>, Then) {
    let (mut then, is_named) = (Then::default(), made.is_named);
    let mut limiters = lock();
    let index = limiters.index(&mut then.left);
    let name = limiters.take_name(wanted);
    let entry = Entry::new(name, index, scope, limit, variable, made);
    #[cfg(any(feature = "_exporters", feature = "console"))]
    let entry = {
        let former = limiters.former.take(&entry.name);
        entry.after(former)
    };
    let entry = Arc::new(entry);
    limiters.entries[index] = Some(Arc::clone(&entry));
    limiters.names.insert(Arc::clone(&entry.name), Arc::clone(&entry));
    let is_told = is_named && *entry.name != *wanted;
    let first = is_told.then(|| limiters.names.get(wanted).cloned()).flatten();
    drop(limiters);
    if let Some(first) = first {
        then.told = tell_of_one_name(wanted, &first, &entry);
    }
    #[cfg(feature = "config")]
    crate::config::first_used(&entry, variable);
    (entry, then)
}

/// Two limiters want one name. Gives the first if it is told of that as well.
fn tell_of_one_name(name: &str, first: &Arc<Entry>, second: &Entry) -> Option<Arc<Entry>> {
    let (Some(one), Some(other)) = (first.function(), second.function()) else {
        let what = format!("another limiter is named `{name}`; this one is `{}`", second.name);
        second.note(false, what);
        return None;
    };
    let is_news = first.shares_name_with(name, one, other);
    second.shares_name_with(name, one, other);
    is_news.then(|| Arc::clone(first))
}

/// A limiter is dropped.
pub(super) fn remove(entry: &Entry, wanted: &str) {
    // Dropped after unlocking: there may be keys and wakers of the user's in it.
    let mut left = Vec::new();
    let mut limiters = lock();
    let listeners = entry.close(&mut left);
    let gone = limiters.free_name(&entry.name, wanted);
    #[cfg(any(feature = "_exporters", feature = "console"))]
    if let Some(counted) = entry.counted_last() {
        limiters.former.put(&entry.name, counted);
    }
    limiters.entries[entry.index] = None;
    if forget(entry.index, &mut left) {
        limiters.free.push(entry.index);
    } else {
        limiters.leaving.push_back(entry.index);
    }
    drop(limiters);
    drop((listeners, gone));
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
    pub(super) entry: Arc<Entry>,
}

impl LimiterHandle {
    #[cfg(feature = "console")]
    pub(crate) fn new(entry: Arc<Entry>) -> Self {
        Self { entry }
    }

    #[cfg(feature = "diagnostics")]
    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The limiter's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// The limit, as [`Limiter::limit`](crate::Limiter::limit); of a lazy one the last that was
    /// found out, and 0 as long as its first caller is finding it out.
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
    entries().into_iter().map(|entry| LimiterHandle { entry }).collect()
}

/// The limiter with that index, if there is one.
#[cfg(feature = "diagnostics")]
pub(crate) fn entry(index: usize) -> Option<Arc<Entry>> {
    lock().entries.get(index).cloned().flatten()
}

pub(crate) fn entries() -> Vec<Arc<Entry>> {
    let entries = lock().entries.clone();
    entries.into_iter().flatten().collect()
}

/// All limiters, and by the names that nobody has, the last first, what those have counted that had them: at
/// one moment, so that each name is there once.
#[cfg(feature = "_exporters")]
pub(crate) fn entries_and_former() -> (Vec<Arc<Entry>>, FormerByName) {
    let limiters = lock();
    let (entries, former) = (limiters.entries.clone(), limiters.former.all());
    drop(limiters);
    (entries.into_iter().flatten().collect(), former)
}

/// The limiter with that name, if it has been used and has not been dropped.
///
/// # Examples
///
/// See [`LimiterHandle`].
#[must_use]
pub fn find(name: &str) -> Option<LimiterHandle> {
    let entry = lock().names.get(name).cloned()?;
    Some(LimiterHandle { entry })
}
