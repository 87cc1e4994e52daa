//! A limiter as the code makes it, without its type parameters.

use super::definition::{Definition, LimitSource};
use super::underway::Underway;
use super::{Engine, catalog};
use crate::keying::Keying;
use crate::permit::Permit;
use crate::policy::Request;
use crate::recorder::{CallPlace, CallRecord, CallSite, PollPoint};
use crate::registry::{self, EpochRef};
use crate::rejected::{Refusal, Rejected, RejectedKind};
use crate::runtime_id;
use crate::scope::Scope;
use crate::semaphore::{Came, Entered, Held, Semaphore, Waiter};
use crate::sync::Ordering;
use once_cell::sync::OnceCell;
use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
// Not `crate::sync`'s: a limiter must be const-constructible, which loom's atomics are not.
use std::sync::atomic::AtomicU32 as ConstAtomicU32;
use std::task::Waker;
use std::time::Duration;

/// The untyped part of a `Limiter`. It can be made in a `const`, and does nothing before the first
/// use.
pub(crate) struct Core {
    name: Cow<'static, str>,
    pub(crate) definition: Definition,
    /// The index in the registries, plus one; 0 before the first use.
    index: ConstAtomicU32,
    /// Set by the first use.
    registration: OnceCell<Registration>,
}

/// A limiter's entry in the list of limiters. Dropping it removes the limiter from the list.
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

thread_local! {
    /// The limiters that this thread is registering: their addresses.
    static REGISTERING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

impl Core {
    pub(crate) const fn new(name: Cow<'static, str>, limit: LimitSource) -> Self {
        Self {
            name,
            definition: Definition::new(limit),
            index: ConstAtomicU32::new(0),
            registration: OnceCell::new(),
        }
    }

    /// Returns whether the limiter has not been used yet.
    pub(crate) const fn is_unused(&mut self) -> bool {
        // Taken out and put back, because a `const` function cannot look into an atomic.
        let index = std::mem::replace(&mut self.index, ConstAtomicU32::new(0)).into_inner();
        self.index = ConstAtomicU32::new(index);
        index == 0
    }

    /// Moves the core out, and leaves an empty one. A `const` function can do this. It cannot move
    /// a field out of `self`, because it would have to drop the rest.
    pub(crate) const fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new(Cow::Borrowed(""), LimitSource::Fixed(0)))
    }

    /// Takes permits if they are free and no call waits for them.
    pub(crate) fn try_acquire(
        &self,
        weight: u32,
        key: &impl Keying,
        site: CallSite,
    ) -> Result<Permit, Rejected> {
        let request = Request { weight, ..self.definition.request };
        let no_time = Err(RejectedKind::NoPermits);
        let weight = request.permits();
        loop {
            let (semaphore, epoch) = self.semaphore(None);
            if let Some(held) = self.take_free(semaphore, weight, key, epoch) {
                return Ok(self.permit(held, CallRecord::NONE, site, PollPoint::NONE));
            }
            if key.source().is_none() {
                if let Some(rejected) = self.refuse_at_once(semaphore, weight, || false, epoch) {
                    return Err(rejected);
                }
            }
            let entered =
                semaphore.enter(request, key.source(), no_time, &mut Came::default(), || {
                    epoch.is_current()
                });
            match entered {
                Entered::Admitted(held) => {
                    return Ok(self.permit(held, CallRecord::NONE, site, PollPoint::NONE));
                }
                Entered::Refused(refusal) => {
                    return Err(self.rejected(request.weight, Duration::ZERO, refusal));
                }
                // Without a waker this does not wait: it resolves the limit itself.
                Entered::Unbound => drop(self.bind(semaphore, weight, None)),
                Entered::Stale => {}
                Entered::Queued(_) => unreachable!("without a waker nobody joins the queue"),
            }
        }
    }

    /// Takes permits on the fast path.
    #[inline]
    pub(crate) fn take_free(
        &self,
        semaphore: &'static Semaphore,
        weight: u32,
        key: &impl Keying,
        epoch: EpochRef,
    ) -> Option<Held> {
        if weight > 1 && self.definition.is_heavy(weight) {
            // The lock's holder knows what a call may weigh.
            return None;
        }
        let is_leased = self.definition.scope == Scope::Fleet;
        key.take_free(semaphore, weight, is_leased, || epoch.is_current())
    }

    /// Makes the permit of an admitted call, which is recorded as one that waits if it has waited.
    #[inline]
    pub(crate) fn permit(
        &self,
        held: Held,
        wait: CallRecord,
        site: CallSite,
        point: PollPoint,
    ) -> Permit {
        let site = || if self.definition.is_of_body { site.of_body() } else { site };
        let place = || CallPlace {
            limiter: self.index(),
            semaphore: held.semaphore().id(),
            slot: held.place(),
            weight: held.weight(),
        };
        let record = wait.holds(held.weight(), place, site, point);
        Permit::new(held, record)
    }

    /// Returns the limit in force, or `None` if it is an expression that no call has needed yet.
    /// Registers nothing.
    pub(crate) fn limit(&self) -> Option<usize> {
        let limit = match self.registration.get() {
            Some(registration) => registration.engine.limit(),
            None => self.definition.limit.fixed(),
        };
        limit.map(|limit| limit as usize)
    }

    /// Returns the name. Before the first use this is the name in the code. Registers nothing.
    pub(crate) fn name(&self) -> &str {
        self.registration.get().map_or(&*self.name, |registration| &registration.engine.name)
    }

    /// Returns the semaphore for a call that is polled with this waker, and the epoch in which it
    /// belongs to the call's runtime.
    #[inline]
    pub(crate) fn semaphore(&self, waker: Option<&Waker>) -> (&'static Semaphore, EpochRef) {
        // `Acquire` pairs with the `Release` store in `engine`: the registration is visible with
        // the index.
        let index = match self.index.load(Ordering::Acquire) {
            0 => self.engine().index,
            index => index as usize - 1,
        };
        let epoch = match self.definition.scope {
            Scope::Runtime => runtime_id::current(waker),
            Scope::Process | Scope::Fleet => registry::process(),
        };
        (epoch.semaphore(index), epoch)
    }

    /// Resolves the limit and binds an unbound semaphore to it: see [`Entered::Unbound`]. Returns a
    /// waiter for the limit if another caller is resolving it and there is a waker to wait with.
    #[cold]
    pub(crate) fn bind(
        &self,
        semaphore: &'static Semaphore,
        weight: u32,
        waker: Option<&Waker>,
    ) -> Option<Waiter> {
        self.engine().bind(semaphore, weight, waker)
    }

    /// Returns the index in the registries, if the limiter has been used.
    #[inline]
    pub(crate) fn index(&self) -> Option<u32> {
        // Relaxed: it names the limiter in a listing, and guards no other data.
        self.index.load(Ordering::Relaxed).checked_sub(1)
    }

    /// Returns the default `max_wait` of calls, if a setting overrides the code's.
    #[inline]
    pub(crate) fn max_wait_set(&self) -> Option<Duration> {
        self.registration.get()?.engine.max_wait()
    }

    /// Checks that the calling thread may wait: a limit's expression must not wait for its own
    /// limit.
    #[inline]
    pub(crate) fn assert_not_resolving(&self) {
        if matches!(self.definition.limit, LimitSource::Lazy(_)) {
            self.engine().assert_not_resolving();
        }
    }

    /// Refuses a call that finds too few permits free and may not wait, without the lock: see
    /// [`Semaphore::refuse_by_word`].
    #[inline]
    pub(crate) fn refuse_at_once(
        &self,
        semaphore: &'static Semaphore,
        weight: u32,
        has_time: impl FnOnce() -> bool,
        epoch: EpochRef,
    ) -> Option<Rejected> {
        let refusal = semaphore.refuse_by_word(weight, has_time, || epoch.is_current())?;
        Some(Rejected::at_once(Arc::clone(&self.engine().name), weight, refusal))
    }

    #[cold]
    pub(crate) fn rejected(&self, weight: u32, waited: Duration, refusal: Refusal) -> Rejected {
        Rejected::new(Arc::clone(&self.engine().name), weight, waited, refusal)
    }

    /// Returns the limiter's engine. The first use registers the limiter.
    #[inline]
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        match self.registration.get() {
            // Relaxed: a thread that sees a stale 0 only repeats steps of `register`.
            Some(registration) if self.index.load(Ordering::Relaxed) != 0 => &registration.engine,
            _ => self.register(),
        }
    }

    #[cold]
    fn register(&self) -> &Arc<Engine> {
        let (mut warned, mut deferred) = (None, Vec::new());
        let registration = self.registration.get().unwrap_or_else(|| {
            let address = std::ptr::from_ref(self).addr();
            // A thread that is registering the limiter already would wait for itself.
            assert!(
                !Underway::is_noted(&REGISTERING, address),
                "a source of settings uses concurrency limiter `{}` while it is asked about it",
                self.name
            );
            let _registering = Underway::begin(&REGISTERING, address);
            self.registration.get_or_init(|| {
                let engine;
                (engine, warned) = catalog::add(&self.name, self.definition, &mut deferred);
                let registration = Registration { engine, wanted: self.name.clone() };
                // Under no lock: a source is foreign code. If it panics, the limiter leaves the list again.
                registration.engine.ask_sources();
                registration
            })
        });
        let engine = &registration.engine;
        // Relaxed: as in `engine`.
        if self.index.load(Ordering::Relaxed) == 0 {
            self.index.store(engine.owner() + 1, Ordering::Release);
            engine.log();
        }
        // Run last, when the limiter is complete: this is foreign code, which may use this very
        // limiter.
        if let Some(warned) = warned {
            warned.log();
        }
        engine
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("name", &self.name())
            .field("limit", &self.definition.limit)
            .field("scope", &self.definition.scope)
            .field("env", &self.definition.env)
            .finish_non_exhaustive()
    }
}
