//! A limiter as the code makes it, whatever its type says it is.

use super::definition::{Definition, LimitSource};
use super::{Engine, catalog};
use crate::permit::Permit;
use crate::policy::{MaxWait, Policy, Request};
use crate::recorder::{CallRecord, CallSite};
use crate::registry::{self, EpochRef};
use crate::rejected::{Refusal, Rejected, RejectedKind};
use crate::runtime_id;
use crate::scope::Scope;
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
    limit: LimitSource,
    pub(crate) scope: Scope,
    pub(crate) env: Option<&'static str>,
    /// The index under which registries know it, plus one; 0 before the first use.
    index: ConstAtomicU32,
    /// What a call asks for that does not say anything else.
    pub(crate) request: Request,
    pub(crate) max_wait: Option<MaxWait>,
    pub(crate) policy: Policy,
    /// Where the function stands after which it is named, if it is.
    pub(crate) function: Option<&'static Location<'static>>,
    /// Whether its name is the user's, and not one that this crate has given it.
    pub(crate) is_named: bool,
    registration: OnceCell<Registration>,
}

/// Takes the limiter off the list when dropped.
struct Registration {
    engine: Arc<Engine>,
    /// The name that the limiter was made with.
    wanted: Cow<'static, str>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        catalog::remove(&self.engine, &self.wanted);
    }
}

impl Core {
    pub(crate) const fn new(name: Cow<'static, str>, limit: LimitSource) -> Self {
        Self {
            name,
            limit,
            scope: Scope::Runtime,
            env: None,
            index: ConstAtomicU32::new(0),
            request: Request::ONE,
            max_wait: None,
            policy: Policy::PLAIN,
            function: None,
            is_named: true,
            registration: OnceCell::new(),
        }
    }

    /// Whether it has not been used yet.
    pub(crate) const fn is_unused(&mut self) -> bool {
        // Taken out and put back, because a `const` function cannot look into an atomic.
        let index = std::mem::replace(&mut self.index, ConstAtomicU32::new(0)).into_inner();
        self.index = ConstAtomicU32::new(index);
        index == 0
    }

    /// Moves it out of something that is to be forgotten, which `const` functions can do and a plain
    /// move they cannot.
    pub(crate) const fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new(Cow::Borrowed(""), LimitSource::Fixed(0)))
    }

    /// Takes permits if they are free and nobody waits for them.
    pub(crate) fn try_acquire(
        &self,
        weight: u32,
        key: Option<&dyn KeySource>,
        site: CallSite,
    ) -> Result<Permit, Rejected> {
        let request = Request { weight, fallible: true, ..self.request };
        let no_time = Err(RejectedKind::NoPermits);
        let weight = request.permits();
        loop {
            let (semaphore, epoch) = self.semaphore(None);
            if key.is_none() {
                if let Some(held) = semaphore.try_acquire(weight, || epoch.is_current()) {
                    return Ok(self.permit(held, site));
                }
            }
            match semaphore.enter(request, key, no_time, || epoch.is_current()) {
                Entered::Admitted(held) => return Ok(self.permit(held, site)),
                Entered::Refused(refusal) => {
                    return Err(self.rejected(request, Duration::ZERO, refusal));
                }
                Entered::Unbound => drop(self.bind(semaphore, weight, None)),
                Entered::Stale => {}
                Entered::Queued(_) => unreachable!("without a waker nobody joins the queue"),
            }
        }
    }

    /// The permit of a call that has been let in.
    #[inline]
    pub(crate) fn permit(&self, held: Held, site: CallSite) -> Permit {
        let record = CallRecord::holds(|| self.index(), held.semaphore().id(), held.weight(), site);
        Permit::new(held, record)
    }

    /// The limit in force. `None` if it is an expression that no call has needed yet. Registers nothing.
    pub(crate) fn limit(&self) -> Option<usize> {
        let limit = match self.registration.get() {
            Some(registration) => registration.engine.limit(),
            None => self.limit.fixed(),
        };
        limit.map(|limit| limit as usize)
    }

    /// The limit in force. An expression is evaluated if no call of this scope has needed it yet.
    #[cfg(feature = "task")]
    pub(crate) fn needed_limit(&self) -> usize {
        let engine = self.engine();
        let limit = engine.fixed_limit().or_else(|| {
            let (semaphore, _) = self.semaphore(None);
            // Without a waker it does not wait, and a semaphore that is bound already stays as it is.
            drop(self.bind(semaphore, 1, None));
            engine.limit()
        });
        limit.unwrap_or(0) as usize
    }

    /// The name: before the first use, the one that the code gives. Registers nothing.
    pub(crate) fn name(&self) -> &str {
        self.registration.get().map_or(&*self.name, |registration| &registration.engine.name)
    }

    /// The semaphore for a call that is polled with this waker, and for how long it is.
    #[inline]
    pub(crate) fn semaphore(&self, waker: Option<&Waker>) -> (&'static Semaphore, EpochRef) {
        let index = match self.index.load(Ordering::Acquire) {
            0 => self.engine().index,
            index => index as usize - 1,
        };
        let epoch = match self.scope {
            Scope::Runtime => runtime_id::current(waker),
            Scope::Process => registry::process(),
        };
        (epoch.semaphore(index), epoch)
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
        self.engine().bind(semaphore, weight, waker)
    }

    /// The index under which registries know it, if it has been used.
    pub(crate) fn index(&self) -> Option<u32> {
        self.index.load(Ordering::Relaxed).checked_sub(1)
    }

    /// How long calls wait that do not say it themselves, if that is not as the code has it.
    pub(crate) fn max_wait_set(&self) -> Option<Duration> {
        self.registration.get()?.engine.max_wait()
    }

    /// A call is about to wait, which the expression for the limit must not.
    #[inline]
    pub(crate) fn assert_not_resolving(&self) {
        if matches!(self.limit, LimitSource::Lazy(_)) {
            self.engine().assert_not_resolving();
        }
    }

    #[cold]
    pub(crate) fn rejected(
        &self,
        request: Request,
        waited: Duration,
        refusal: Refusal,
    ) -> Rejected {
        Rejected::new(Arc::clone(&self.engine().name), request.weight, waited, refusal)
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        let mut after = None;
        let registration = self.registration.get_or_init(|| {
            let definition = Definition {
                limit: self.limit,
                scope: self.scope,
                policy: self.policy,
                max_wait: self.max_wait,
                enabled: self.request.enabled,
                fallible: self.request.fallible,
                env: self.env,
                function: self.function,
                is_named: self.is_named,
            };
            let (engine, first_use) = catalog::add(&self.name, definition);
            after = Some(first_use);
            Registration { engine, wanted: self.name.clone() }
        });
        let engine = &registration.engine;
        if self.index.load(Ordering::Relaxed) == 0 {
            let index = u32::try_from(engine.index + 1);
            let index = index.expect("registries have room for 2^28 limiters");
            self.index.store(index, Ordering::Release);
            engine.log();
        }
        // Not before: it is foreign code, which may use this very limiter.
        if let Some(after) = after {
            after.run();
        }
        engine
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("name", &self.name())
            .field("limit", &self.limit)
            .field("scope", &self.scope)
            .field("env", &self.env)
            .finish_non_exhaustive()
    }
}
