//! What a limiter is, whichever its type says it is.

use super::entry::{Entry, Limit, Made};
use super::limiters;
use crate::Scope;
use crate::diagnostics::{Record, Site};
use crate::metrics::Snapshot;
use crate::permit::Permit;
use crate::policy::{MaxWait, Policy, Request};
use crate::registry::{self, Lease};
use crate::rejected::{Refusal, Rejected};
use crate::runtime_id;
use crate::semaphore::{Entered, Held, KeySource, Semaphore, Waiter};
use crate::sync::Ordering;
use once_cell::sync::OnceCell;
use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
// Not `crate::sync`'s: a limiter must be const-constructible, which loom's atomics are not.
use std::sync::atomic::AtomicU32 as ConstAtomicU32;
use std::task::Waker;
use std::time::Duration;

pub(crate) struct Core {
    name: Cow<'static, str>,
    limit: Limit,
    pub(super) scope: Scope,
    pub(super) env: Option<&'static str>,
    /// The index under which registries know it, plus one; 0 before the first use.
    index: ConstAtomicU32,
    /// What a call asks for that does not say anything else.
    pub(crate) ask: Request,
    pub(crate) max_wait: Option<MaxWait>,
    pub(crate) policy: Policy,
    /// Where the function stands after which it is named, if it is.
    pub(super) function: Option<&'static Location<'static>>,
    /// Whether its name is the user's, and not one that this crate has given it.
    pub(super) is_named: bool,
    registration: OnceCell<Registration>,
}

/// Takes the limiter off the list when dropped.
struct Registration {
    entry: Arc<Entry>,
    /// The name that the limiter was made with.
    wanted: Cow<'static, str>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        limiters::remove(&self.entry, &self.wanted);
    }
}

impl Core {
    pub(super) const fn new(name: Cow<'static, str>, limit: Limit) -> Self {
        Self {
            name,
            limit,
            scope: Scope::Runtime,
            env: None,
            index: ConstAtomicU32::new(0),
            ask: Request::ONE,
            max_wait: None,
            policy: Policy::PLAIN,
            function: None,
            is_named: true,
            registration: OnceCell::new(),
        }
    }

    /// Whether it has not been used yet.
    pub(super) const fn is_unused(&mut self) -> bool {
        // Taken out and put back, because a `const` function cannot look into an atomic.
        let index = std::mem::replace(&mut self.index, ConstAtomicU32::new(0)).into_inner();
        self.index = ConstAtomicU32::new(index);
        index == 0
    }

    /// Moves it out of something that is to be forgotten, which `const` functions can do and a plain
    /// move they cannot.
    pub(super) const fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new(Cow::Borrowed(""), Limit::Fixed(0)))
    }

    /// Takes permits if they are free and nobody waits for them.
    pub(crate) fn try_acquire(
        &self,
        key: Option<&dyn KeySource>,
        site: Site,
    ) -> Result<Permit, Rejected> {
        let ask = Request { fallible: true, ..self.ask };
        let weight = ask.permits();
        loop {
            let (semaphore, lease) = self.semaphore(None);
            if key.is_none() {
                if let Some(held) = semaphore.try_acquire(weight, || lease.holds()) {
                    return Ok(self.permit(held, site));
                }
            }
            match semaphore.enter(ask, key, None, || lease.holds()) {
                Entered::Admitted(held) => return Ok(self.permit(held, site)),
                Entered::Refused(refusal) => {
                    return Err(self.rejected(ask, Duration::ZERO, refusal));
                }
                Entered::Unbound => drop(self.bind(semaphore, weight, None)),
                Entered::Stale => {}
                Entered::Queued(_) => unreachable!("without a waker nobody joins the queue"),
            }
        }
    }

    /// The permit of a call that has been let in.
    #[inline]
    pub(crate) fn permit(&self, held: Held, site: Site) -> Permit {
        let record = Record::holds(self, held.semaphore(), held.weight(), site);
        Permit::new(held, record)
    }

    pub(super) fn limit(&self) -> usize {
        if let Some(limit) = self.entry().limit() {
            return limit as usize;
        }
        let (semaphore, _) = self.semaphore(None);
        loop {
            match semaphore.limit() {
                Some(limit) => return limit as usize,
                None => drop(self.bind(semaphore, 1, None)),
            }
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.entry().snapshot()
    }

    pub(crate) fn name(&self) -> &str {
        &self.entry().name
    }

    /// The semaphore for a call that is polled with this waker, and for how long it is.
    #[inline]
    pub(crate) fn semaphore(&self, waker: Option<&Waker>) -> (&'static Semaphore, Lease) {
        let index = match self.index.load(Ordering::Acquire) {
            0 => self.entry().index,
            index => index as usize - 1,
        };
        let lease = match self.scope {
            Scope::Runtime => runtime_id::current(waker),
            Scope::Process => registry::process(),
        };
        (lease.semaphore(index), lease)
    }

    /// Finds the limit out and binds a semaphore to it that has none: see [`Entered::Unbound`]. Or, if
    /// somebody else is doing so and there is a waker to wait with, waits for that.
    #[cold]
    pub(crate) fn bind(
        &self,
        semaphore: &'static Semaphore,
        weight: u32,
        waker: Option<&Waker>,
    ) -> Option<Waiter> {
        self.entry().bind(semaphore, &self.policy, weight, waker)
    }

    /// The index under which registries know it, if it has been used.
    #[cfg(feature = "diagnostics")]
    pub(crate) fn index(&self) -> Option<u32> {
        self.index.load(Ordering::Relaxed).checked_sub(1)
    }

    /// How long calls wait that do not say it themselves, if that is not as the code has it.
    pub(crate) fn max_wait_set(&self) -> Option<Duration> {
        self.registration.get()?.entry.max_wait()
    }

    /// A call is about to wait, which the expression for the limit must not.
    #[inline]
    pub(crate) fn assert_not_finding_out(&self) {
        if matches!(self.limit, Limit::Lazy(_)) {
            self.entry().assert_not_finding_out();
        }
    }

    #[cold]
    pub(crate) fn rejected(&self, ask: Request, waited: Duration, refusal: Refusal) -> Rejected {
        Rejected::new(Arc::clone(&self.entry().name), ask.weight, waited, refusal)
    }

    pub(crate) fn entry(&self) -> &Arc<Entry> {
        let mut then = None;
        let registration = self.registration.get_or_init(|| {
            let made = Made {
                policy: self.policy,
                max_wait: self.max_wait,
                enabled: self.ask.enabled,
                fallible: self.ask.fallible,
                function: self.function,
                is_named: self.is_named,
            };
            let (entry, follows) =
                limiters::add(&self.name, self.limit, self.scope, self.env, made);
            then = Some(follows);
            Registration { entry, wanted: self.name.clone() }
        });
        let entry = &registration.entry;
        if self.index.load(Ordering::Relaxed) == 0 {
            let index = u32::try_from(entry.index + 1);
            let index = index.expect("registries have room for 2^28 limiters");
            self.index.store(index, Ordering::Release);
            entry.log();
        }
        // Not before: it is foreign code, which may use this very limiter.
        if let Some(then) = then {
            then.happen();
        }
        entry
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("name", &self.registration.get().map_or(&*self.name, |used| &used.entry.name))
            .field("limit", &self.limit)
            .field("scope", &self.scope)
            .field("env", &self.env)
            .finish_non_exhaustive()
    }
}
