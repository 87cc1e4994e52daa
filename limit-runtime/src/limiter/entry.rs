//! What the crate knows of a limiter that has been used, apart from the limiter itself.

#[cfg(feature = "_exporters")]
mod export;
mod found;
#[cfg(feature = "console")]
mod look;
mod set;
mod variable;

use super::settings::{Overrides, Source, Values};
use crate::Scope;
use crate::events::{self, Event};
#[cfg(feature = "_exporters")]
use crate::metrics::Counters;
#[cfg(any(feature = "diagnostics", feature = "_exporters"))]
use crate::metrics::Histogram;
use crate::metrics::{Figures, LimitChanges, RuntimeSnapshot, Snapshot, Totals};
use crate::policy::Policy;
use crate::registry;
use crate::semaphore::{MAX_LIMIT, Semaphore, Wakers};
use found::Found;
#[cfg(feature = "console")]
pub(crate) use look::Look;
pub(crate) use set::Made;
use set::MaxWaitSet;
use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::broadcast::{self, Receiver, Sender};
#[cfg(feature = "config")]
pub(crate) use variable::read_limit;
use variable::read_variable;

thread_local! {
    /// The indices of the limiters whose limit this thread is finding out.
    static FINDING_OUT: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

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
    problems: Vec<Problem>,
    /// How many of them have been logged.
    logged: usize,
    /// The figures at the end of a limiter that was dropped. Its index may be another's by now.
    last: Option<Figures>,
    /// The same, as exporters need them that go on from there.
    #[cfg(feature = "_exporters")]
    last_counters: Option<Box<Counters>>,
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
            last: None,
            #[cfg(feature = "_exporters")]
            last_counters: None,
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

    /// Binds a semaphore to the limit. A user's expression is evaluated under no lock.
    pub(super) fn bind(&self, semaphore: &Semaphore, policy: &Policy) {
        /// Hands the claim back if the expression panics.
        struct Claim<'a>(&'a Semaphore);
        impl Drop for Claim<'_> {
            fn drop(&mut self) {
                self.0.unclaim();
            }
        }

        let mut found = None;
        // Under this lock, so that a limit set at the same time is either seen here or finds the
        // semaphore bound; so is one that is taken back, after which there may be one to find out.
        let (mut control, limit) = loop {
            let control = self.control();
            match (self.effective_limit(&control.overrides).or(found), self.limit) {
                (Some(limit), _) => break (control, limit),
                (None, Limit::Fixed(limit)) => break (control, clamp(limit)),
                (None, Limit::Lazy(limit)) => {
                    drop(control);
                    let claim = Claim(semaphore);
                    found = Some(clamp(self.find_out(limit)));
                    std::mem::forget(claim);
                }
            }
        };
        control.found.put(semaphore, found);
        let overrides = control.overrides;
        let found_zero = self.effective_limit(&overrides).is_none() && control.is_zero_news(limit);
        control.bound = Some(limit);
        let bad_variable = control.bad_variable.take();
        // Who does not listen any more does not cost anything any more.
        control.listeners.take_if(|listeners| listeners.receiver_count() == 0);
        let (total, listeners) = (control.total.or(policy.total), control.listeners.clone());
        let policy = &overrides.policy(policy);
        let wakers = semaphore.bind(policy, limit, total, control.closed, listeners);
        drop(control);
        wakers.wake();
        semaphore.serve_all();
        if policy.max_waiting < u32::MAX {
            semaphore.trim();
        }
        if let Some(problem) = bad_variable {
            self.note(true, format!("{problem}; the limit is {limit} instead"));
        }
        if found_zero {
            self.note_zero();
        }
        self.log();
    }

    fn note_zero(&self) {
        self.note(false, "the limit is 0: every call waits until it is raised".to_owned());
    }

    fn find_out(&self, limit: fn() -> usize) -> usize {
        /// Done, also if it panics.
        struct Done;
        impl Drop for Done {
            fn drop(&mut self) {
                let _ = FINDING_OUT.try_with(|indices| indices.borrow_mut().pop());
            }
        }

        self.assert_not_finding_out();
        // Not to be had while the thread's locals are dropped. Then there is no check.
        let _ = FINDING_OUT.try_with(|indices| indices.borrow_mut().push(self.index));
        let _done = Done;
        limit()
    }

    /// Whoever waited for a limit while finding it out would wait for ever.
    ///
    /// # Panics
    ///
    /// If this thread is finding out this limiter's limit.
    pub(super) fn assert_not_finding_out(&self) {
        let finding_out = FINDING_OUT.try_with(|indices| indices.borrow().contains(&self.index));
        assert!(
            !finding_out.unwrap_or(false),
            "the limit of concurrency limiter `{}` is found out by an expression that uses the \
             limiter itself",
            self.name
        );
    }

    pub(super) fn set_limit(&self, limit: usize) {
        self.set(|values| values.limit = Some(clamp(limit)));
    }

    pub(super) fn set_total(&self, total: usize) {
        let total = clamp(total);
        let mut control = self.control();
        control.total = Some(total);
        self.change(control, |semaphore| semaphore.set_total(total));
    }

    pub(super) fn set_closed(&self, closed: bool) {
        let mut control = self.control();
        control.closed = closed;
        self.change(
            control,
            |semaphore| {
                if closed { semaphore.close() } else { semaphore.reopen() }
            },
        );
    }

    pub(super) fn is_closed(&self) -> bool {
        self.control().closed
    }

    pub(super) fn subscribe(&self) -> Receiver<Event> {
        let mut receiver = None;
        let mut control = self.control();
        let listeners = control.listeners.get_or_insert_with(|| {
            let (listeners, first) = broadcast::channel(events::KEPT);
            receiver = Some(first);
            listeners
        });
        let receiver = receiver.unwrap_or_else(|| listeners.subscribe());
        let listeners = listeners.clone();
        self.change(control, |semaphore| semaphore.listen(listeners.clone()));
        receiver
    }

    /// Changes something for all runtimes, those alive and those to come, for which it has been noted.
    fn change(&self, control: MutexGuard<'_, Control>, each: impl Fn(&Semaphore) -> Wakers) {
        if control.last.is_some() {
            return;
        }
        let registries = registry::all();
        let semaphores = || registries.iter().filter_map(|registry| registry.existing(self.index));
        // All under this lock, so that of two changes one is the later everywhere.
        let mut wakers = Wakers::default();
        semaphores().for_each(|semaphore| wakers.append(each(semaphore)));
        drop(control);
        wakers.wake();
        semaphores().for_each(Semaphore::serve_all);
        self.changed.notify_waiters();
    }

    /// Told of each change.
    #[cfg(feature = "task")]
    pub(super) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }

    /// Counts a call with how long it held its permits.
    #[cfg(feature = "diagnostics")]
    pub(crate) fn record_hold(&self, held: Duration) {
        let nanoseconds = u64::try_from(held.as_nanos()).unwrap_or(u64::MAX);
        // Foreign code, under no lock of ours.
        #[cfg(feature = "opentelemetry")]
        crate::exporters::opentelemetry::held(self, nanoseconds);
        let mut holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        holds.get_or_insert_with(Box::default).record(nanoseconds);
    }

    /// How long permits were held, of the calls that were counted.
    #[cfg(all(feature = "diagnostics", feature = "_exporters"))]
    pub(crate) fn hold_times(&self) -> Option<Box<Histogram>> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[cfg(all(not(feature = "diagnostics"), feature = "_exporters"))]
    #[expect(clippy::unused_self, reason = "as with the feature `diagnostics`")]
    pub(crate) fn hold_times(&self) -> Option<Box<Histogram>> {
        None
    }

    /// How many permits are out, and calls wait, in all runtimes.
    pub(super) fn busy(&self) -> usize {
        self.semaphores().into_iter().map(Semaphore::busy).sum()
    }

    /// Whether no permit is out and nobody waits, in any runtime. If not, the waker is woken when one
    /// of those that are in use is not any more.
    pub(super) fn poll_drained(&self, drainer: u64, waker: &Waker) -> bool {
        self.semaphores().into_iter().all(|semaphore| semaphore.poll_drained(drainer, waker))
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
        if self.control().last.is_some() {
            return Vec::new();
        }
        let registries = registry::all().into_iter();
        registries.filter_map(|registry| registry.existing(self.index)).collect()
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let limit = self.some_limit();
        let control = self.control();
        let (total, runtimes) = match control.last {
            Some(last) => (last, Vec::new()),
            None => self.figures(limit),
        };
        Snapshot {
            name: self.name.to_string(),
            scope: self.scope,
            total,
            runtimes,
            settings: self.settings(&control, limit),
            limit_changes: LimitChanges::of(&control.changes),
            warnings: control.problems.iter().map(|problem| problem.what.clone()).collect(),
        }
    }

    /// The limiter is dropped: its figures stay as they are.
    pub(super) fn close(&self) {
        let limit = self.some_limit();
        let mut control = self.control();
        control.last = Some(self.figures(limit).0);
        #[cfg(feature = "_exporters")]
        {
            control.last_counters = Some(Box::new(self.totals().counters));
        }
    }

    fn figures(&self, limit: usize) -> (Figures, Vec<RuntimeSnapshot>) {
        let mut total = Totals::new();
        let mut runtimes = Vec::new();
        for registry in registry::all() {
            let Some(semaphore) = registry.existing(self.index) else {
                continue;
            };
            let before = registry.ordinal();
            let reading = semaphore.read();
            total.add(&reading);
            // If it passed on meanwhile, it is not known whose the figures are.
            let runtime = before.filter(|_| reading.bound && before == registry.ordinal());
            runtimes.extend(
                runtime.map(|runtime| RuntimeSnapshot { runtime, figures: reading.figures() }),
            );
        }
        runtimes.sort_by_key(|runtime| runtime.runtime);
        (total.figures(limit), runtimes)
    }

    /// Notes something wrong in the configuration that was worked around; an error, if the user has
    /// asked for something and not got it. To be logged when no lock is held.
    pub(crate) fn note(&self, is_error: bool, what: String) {
        self.control().problems.push(Problem { is_error, what });
    }

    /// Logs what was noted, once. Foreign code: under no lock of ours.
    pub(super) fn log(&self) {
        let mut control = self.control();
        let known = control.problems.len();
        let from = std::mem::replace(&mut control.logged, known);
        let problems = control.problems[from..].to_vec();
        drop(control);
        for problem in problems {
            problem.log(&self.name);
        }
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Something wrong in the configuration.
#[derive(Clone)]
struct Problem {
    is_error: bool,
    what: String,
}

impl Problem {
    #[cfg(feature = "tracing")]
    fn log(&self, limiter: &str) {
        if self.is_error {
            tracing::error!(limiter, "{}", self.what);
        } else {
            tracing::warn!(limiter, "{}", self.what);
        }
    }

    #[cfg(not(feature = "tracing"))]
    fn log(&self, _limiter: &str) {
        // The snapshot shows it, without saying how bad it is.
        let _ = self.is_error;
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
