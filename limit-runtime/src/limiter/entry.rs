//! What the crate knows of a limiter that has been used, apart from the limiter itself.

mod bind;
#[cfg(feature = "_exporters")]
mod export;
mod figures;
#[cfg(any(feature = "_exporters", feature = "console"))]
mod former;
mod found;
#[cfg(feature = "console")]
mod look;
mod problem;
mod set;
mod variable;

use super::settings::{Overrides, Source, Values};
use crate::Scope;
use crate::events::{self, Event};
use crate::metrics::Figures;
#[cfg(any(feature = "_exporters", feature = "console"))]
use crate::metrics::Former;
#[cfg(feature = "diagnostics")]
use crate::metrics::Histogram;
use crate::policy::MAX_LIMIT;
use crate::registry;
use crate::semaphore::{Semaphore, WakeList};
use crate::unwind::run_all_then_resume_panic;
use found::Found;
#[cfg(feature = "console")]
pub(crate) use look::Look;
use problem::Problem;
pub(crate) use set::Made;
use set::MaxWaitSet;
use std::fmt;
use std::iter;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::broadcast::{self, Receiver, Sender};
#[cfg(feature = "config")]
pub(crate) use variable::read_limit;
use variable::read_variable;

/// Where the limit comes from if nothing else sets it.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    Fixed(usize),
    Lazy(fn() -> usize),
}

impl Control {
    /// Whether it is to be told that the limit was found to be 0.
    fn is_zero_news(&mut self, limit: u32) -> bool {
        limit == 0 && !std::mem::replace(&mut self.found_zero, true)
    }
}

impl Limit {
    fn fixed(self) -> Option<u32> {
        match self {
            Self::Fixed(limit) => Some(clamp(limit)),
            Self::Lazy(_) => None,
        }
    }
}

/// Lock order: the list of limiters, `control`, the list of runtimes, a semaphore.
pub(crate) struct Entry {
    pub(crate) name: Arc<str>,
    pub(super) index: usize,
    scope: Scope,
    limit: Limit,
    made: Made,
    max_wait: MaxWaitSet,
    /// Told of each change.
    changed: Arc<Notify>,
    /// For how long permits were held, of some calls.
    #[cfg(feature = "diagnostics")]
    holds: Mutex<Option<Box<Histogram>>>,
    /// What OpenTelemetry knows of the waits.
    #[cfg(feature = "opentelemetry")]
    pub(crate) told: crate::exporters::opentelemetry::Told,
    /// What those have counted that had the name before.
    #[cfg(any(feature = "_exporters", feature = "console"))]
    former: Option<Arc<Former>>,
    control: Mutex<Control>,
}

struct Control {
    /// Replaces what the limiter was made with.
    overrides: Overrides,
    /// How often each source has changed the limit.
    changes: [u64; 4],
    /// Replaces the limit over all keys that the limiter was made with.
    total: Option<u32>,
    closed: bool,
    /// Where semaphores tell what happens, if somebody has listened.
    listeners: Option<Sender<Event>>,
    /// Which configuration has said something last.
    #[cfg(feature = "config")]
    configuration: u64,
    /// The limits that were found out.
    found: Found,
    /// The limit that a semaphore was bound to last.
    bound: Option<u32>,
    /// An environment variable that could not be used; told when the limit used instead is known.
    bad_variable: Option<String>,
    /// Whether it has been told that the limit was found to be 0.
    found_zero: bool,
    /// Each is there once.
    problems: Vec<Problem>,
    /// How many of them have been logged.
    logged: usize,
    /// The places of two functions that are named alike by default, if one of them is this limiter's.
    same_name: Option<[&'static Location<'static>; 2]>,
    /// The figures at the end of a limiter that was dropped. Its index may be another's by now.
    last: Option<Figures>,
    /// What it and those have counted that had the name before.
    #[cfg(any(feature = "_exporters", feature = "console"))]
    counted_last: Option<Arc<Former>>,
}

/// The control of a limiter that has not been dropped, and is not while this is held: its index is its
/// own.
struct InUse<'a>(MutexGuard<'a, Control>);

impl Deref for InUse<'_> {
    type Target = Control;

    fn deref(&self) -> &Control {
        &self.0
    }
}

impl DerefMut for InUse<'_> {
    fn deref_mut(&mut self) -> &mut Control {
        &mut self.0
    }
}

/// What follows a change: one after the other, also if foreign code in one of them panics.
enum Then<'a> {
    Wake(WakeList),
    Serve(&'a Semaphore),
    Notify(&'a Notify),
}

impl Then<'_> {
    fn happen(self) {
        match self {
            Self::Wake(wakers) => wakers.wake(),
            Self::Serve(semaphore) => semaphore.serve_all(),
            Self::Notify(notify) => notify.notify_waiters(),
        }
    }
}

impl Entry {
    pub(super) fn new(
        name: Arc<str>,
        index: usize,
        scope: Scope,
        limit: Limit,
        variable: Option<&str>,
        made: Made,
    ) -> Self {
        let (limit_set, bad_variable) = match variable.map(read_variable) {
            None | Some(Ok(None)) => (None, None),
            Some(Ok(Some(limit))) => (Some(clamp(limit)), None),
            Some(Err(problem)) => (None, Some(problem)),
        };
        let environment = Values { limit: limit_set, ..Values::default() };
        let mut changes = [0; 4];
        if limit_set.is_some_and(|set| limit.fixed() != Some(set)) {
            changes[Source::Environment as usize] = 1;
        }
        let control = Control {
            overrides: Overrides { environment, ..Overrides::default() },
            changes,
            total: None,
            closed: false,
            listeners: None,
            #[cfg(feature = "config")]
            configuration: 0,
            found: Found::default(),
            bound: None,
            bad_variable,
            found_zero: false,
            problems: Vec::new(),
            logged: 0,
            same_name: None,
            last: None,
            #[cfg(any(feature = "_exporters", feature = "console"))]
            counted_last: None,
        };
        let max_wait = MaxWaitSet::new();
        let control = Mutex::new(control);
        Self {
            name,
            index,
            scope,
            limit,
            made,
            max_wait,
            changed: Arc::default(),
            #[cfg(feature = "diagnostics")]
            holds: Mutex::default(),
            #[cfg(feature = "opentelemetry")]
            told: crate::exporters::opentelemetry::Told::default(),
            #[cfg(any(feature = "_exporters", feature = "console"))]
            former: None,
            control,
        }
    }

    /// The limit, if it is the same for all scopes.
    pub(super) fn limit(&self) -> Option<u32> {
        let overrides = self.control().overrides;
        self.effective_limit(&overrides)
    }

    fn effective_limit(&self, overrides: &Overrides) -> Option<u32> {
        overrides.get(|set| set.limit).map(|(limit, _)| limit).or(self.limit.fixed())
    }

    /// Where the function stands after which it is named, if it is.
    pub(super) fn function(&self) -> Option<&'static Location<'static>> {
        self.made.function
    }

    /// How long calls wait that do not say it themselves, if that is not as the code has it.
    #[inline]
    pub(crate) fn max_wait(&self) -> Option<Duration> {
        self.max_wait.get()
    }

    /// The limit, or the one that a runtime has found out last.
    pub(super) fn some_limit(&self) -> usize {
        let control = self.control();
        // Bound, but not found out: that is yet to come, or has failed.
        let found = control.found.last().or(control.bound);
        self.effective_limit(&control.overrides).or(found).unwrap_or(0) as usize
    }

    pub(super) fn set_limit(&self, limit: usize) {
        self.set(|values| values.limit = Some(clamp(limit)));
    }

    pub(super) fn set_total(&self, total: usize) {
        let total = clamp(total);
        if let Some(mut control) = self.control_in_use() {
            control.total = Some(total);
            self.change(control, |semaphore| semaphore.set_total(total));
        }
    }

    pub(super) fn set_closed(&self, closed: bool) {
        if let Some(mut control) = self.control_in_use() {
            control.closed = closed;
            let set = if closed { Semaphore::close } else { Semaphore::reopen };
            self.change(control, set);
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.control().closed
    }

    pub(super) fn subscribe(&self) -> Receiver<Event> {
        let mut receiver = None;
        let Some(mut control) = self.control_in_use() else {
            // There is nothing to come.
            return broadcast::channel(1).1;
        };
        let listeners = control.listeners.get_or_insert_with(|| {
            let (listeners, first) = broadcast::channel(events::KEPT);
            receiver = Some(first);
            listeners
        });
        let receiver = receiver.unwrap_or_else(|| listeners.subscribe());
        let listeners = listeners.clone();
        self.change(control, |semaphore| semaphore.subscribe(listeners.clone()));
        receiver
    }

    /// Changes something for all runtimes, those alive and those to come, for which it has been noted.
    fn change(&self, control: InUse<'_>, each: impl Fn(&Semaphore) -> WakeList) {
        let semaphores = self.of_all_runtimes();
        // All under this lock, so that of two changes one is the later everywhere.
        let mut wakers = WakeList::default();
        for semaphore in &semaphores {
            wakers.append(each(semaphore));
        }
        drop(control);
        let serve = semaphores.into_iter().map(Then::Serve);
        let then = iter::once(Then::Wake(wakers)).chain(serve).chain([Then::Notify(&self.changed)]);
        run_all_then_resume_panic(then, Then::happen);
    }

    /// Told of each change.
    #[cfg(feature = "task")]
    pub(super) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }

    /// How many permits are out, and calls wait, in all runtimes.
    pub(super) fn busy(&self) -> usize {
        let control = self.control_in_use();
        let busy = || self.of_all_runtimes().into_iter().map(Semaphore::busy).sum();
        control.map_or(0, |_control| busy())
    }

    /// Whether no permit is out and nobody waits, in any runtime, or the limiter was dropped. If not, the
    /// waker is woken when one of those that are in use is not any more, or the limiter is dropped.
    pub(super) fn poll_drained(&self, drainer: u64, waker: &Waker) -> bool {
        // It is foreign code that clones and drops wakers: under no lock.
        let mut waker = Some(waker.clone());
        // Under this lock, so that the next owner of the index is not waited for.
        let Some(control) = self.control_in_use() else { return true };
        let semaphores = self.of_all_runtimes();
        let busy = semaphores.iter().position(|semaphore| {
            let Some(own) = waker.take() else { return true };
            let (is_drained, unneeded) = semaphore.poll_drained(drainer, own);
            waker = unneeded;
            !is_drained
        });
        drop(control);
        let looked_at = busy.map_or(semaphores.len(), |busy| busy + 1);
        run_all_then_resume_panic(semaphores.into_iter().take(looked_at), Semaphore::serve_all);
        busy.is_none()
    }

    /// A drainer goes.
    pub(super) fn forget_drainer(&self, drainer: u64) {
        self.semaphores().into_iter().for_each(|semaphore| semaphore.forget_drainer(drainer));
    }

    #[cfg(any(feature = "console", feature = "diagnostics"))]
    pub(crate) fn is_dropped(&self) -> bool {
        self.control().last.is_some()
    }

    /// Those of all runtimes; none, if the limiter was dropped and they may be another's.
    pub(crate) fn semaphores(&self) -> Vec<&'static Semaphore> {
        let control = self.control_in_use();
        control.map_or_else(Vec::new, |_control| self.of_all_runtimes())
    }

    /// Those of all runtimes. The limiter must not have been dropped.
    fn of_all_runtimes(&self) -> Vec<&'static Semaphore> {
        registry::seats(self.index).into_iter().map(|seat| seat.semaphore).collect()
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` if the limiter was dropped: what its semaphores are asked then may be the next owner's.
    fn control_in_use(&self) -> Option<InUse<'_>> {
        let control = self.control();
        control.last.is_none().then_some(InUse(control))
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Larger limits than the largest are taken down to it.
fn clamp(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(MAX_LIMIT).min(MAX_LIMIT)
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Fixed(limit) => limit.fmt(f),
            Limit::Lazy(_) => f.write_str("found out on first use"),
        }
    }
}
