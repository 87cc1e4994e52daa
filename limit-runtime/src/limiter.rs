//! A named limit with its policy.

mod entry;
mod limiters;

use crate::Scope;
use crate::acquire::{Acquire, AcquireMany};
use crate::metrics::Snapshot;
use crate::permit::Permit;
use crate::registry::{self, Lease};
use crate::rejected::Rejected;
use crate::runtime_id;
use crate::semaphore::{Entered, NO_SLOT, Refusal, Semaphore};
use crate::sync::Ordering;
use entry::{Entry, Limit};
pub use limiters::{LimiterHandle, find, limiters};
use once_cell::sync::OnceCell;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
// Not `crate::sync`'s: a limiter must be const-constructible, which loom's atomics are not.
use std::sync::atomic::AtomicU32 as ConstAtomicU32;
use std::task::Waker;

/// A named limit: at most so many permits at a time, for each runtime or for the process.
///
/// Make it a `static`, or own it in a struct or an `Arc`. Its permits are made on first use, one set
/// for each tokio runtime that calls it (see [`Scope`]). Nothing is registered before the first use.
///
/// A limit is a number from 0 to [`Limiter::MAX_LIMIT`]; a larger one is taken down to that. 0
/// pauses: every call waits until [`set_limit`](Self::set_limit) raises it.
///
/// # Examples
///
/// Shared by several functions:
///
/// ```
/// use limit_runtime::{Limiter, concurrency_limit};
///
/// static DB: Limiter = Limiter::new("db", 10);
///
/// #[concurrency_limit(limiter = DB)]
/// async fn read(id: u64) -> u64 { id }
///
/// #[concurrency_limit(limiter = DB)]
/// async fn write(id: u64) -> u64 { id + 1 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(read(1).await + write(1).await, 3);
/// assert_eq!(DB.snapshot().total.admitted_at_once, 2);
/// # }
/// ```
///
/// One for each instance:
///
/// ```
/// use limit_runtime::{Limiter, concurrency_limit};
///
/// struct Client { limiter: Limiter }
///
/// impl Client {
///     #[concurrency_limit(limiter = self.limiter)]
///     async fn get(&self, path: &str) -> String { format!("GET {path}") }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let client = Client { limiter: Limiter::named(format!("client of {}", "example.org"), 4) };
/// assert_eq!(client.get("/").await, "GET /");
/// # }
/// ```
pub struct Limiter {
    name: Cow<'static, str>,
    limit: Limit,
    scope: Scope,
    env: Option<&'static str>,
    /// The index under which registries know it, plus one; 0 before the first use.
    index: ConstAtomicU32,
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

impl Limiter {
    /// The largest limit, 2³¹ − 1.
    pub const MAX_LIMIT: usize = crate::semaphore::MAX_LIMIT as usize;

    /// A limiter with that name and limit, for each runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Limiter, Scope};
    ///
    /// static UPLOADS: Limiter = Limiter::new("uploads", 4).scope(Scope::Process).env("UPLOADS");
    /// assert_eq!(UPLOADS.limit(), 4);
    /// ```
    #[must_use]
    pub const fn new(name: &'static str, limit: usize) -> Self {
        Self::make(Cow::Borrowed(name), Limit::Fixed(limit))
    }

    /// A limiter whose name is made while the program runs.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// let shards: Vec<_> = (0..4).map(|n| Limiter::named(format!("shard {n}"), 8)).collect();
    /// assert_eq!(shards[2].name(), "shard 2");
    /// ```
    #[must_use]
    pub fn named(name: impl Into<Cow<'static, str>>, limit: usize) -> Self {
        Self::make(name.into(), Limit::Fixed(limit))
    }

    /// A limiter whose limit is found out when it is first used, once for each scope.
    ///
    /// If it panics the panic goes to the caller that was first, and the next caller asks again. It
    /// must not use the limiter that it is for: that panics.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static CPU: Limiter = Limiter::lazy("cpu", || {
    ///     std::thread::available_parallelism().map_or(1, usize::from)
    /// });
    /// assert!(CPU.limit() >= 1);
    /// ```
    #[must_use]
    pub const fn lazy(name: &'static str, limit: fn() -> usize) -> Self {
        Self::make(Cow::Borrowed(name), Limit::Lazy(limit))
    }

    const fn make(name: Cow<'static, str>, limit: Limit) -> Self {
        Self {
            name,
            limit,
            scope: Scope::Runtime,
            env: None,
            index: ConstAtomicU32::new(0),
            registration: OnceCell::new(),
        }
    }

    /// What the permits are shared by: each runtime has its own by default. To be called before the
    /// limiter is used.
    #[must_use]
    pub const fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// The environment variable that replaces the limit if it is set. To be called before the limiter
    /// is used.
    ///
    /// It is read once, on first use. What is not a whole number from 1 up changes nothing; it is
    /// logged as an error (feature `tracing`) and shows in the [`Snapshot`].
    #[must_use]
    pub const fn env(mut self, variable: &'static str) -> Self {
        self.env = Some(variable);
        self
    }

    /// Takes a permit; waits for one if none is free. First come, first served.
    ///
    /// Cancel safe, see [`Acquire`].
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static DB: Limiter = Limiter::new("acquire-example", 10);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let permit = DB.acquire().await;
    /// // ... at most ten are here at the same time ...
    /// drop(permit);
    /// # }
    /// ```
    #[inline]
    pub fn acquire(&self) -> Acquire<'_> {
        Acquire::new(self)
    }

    /// Takes `weight` permits at once; waits for them in the same queue, and is not passed by
    /// lighter calls behind it. With weight 0 it never waits, and is counted.
    ///
    /// Cancel safe, see [`Acquire`](crate::Acquire).
    ///
    /// # Errors
    ///
    /// [`RejectedKind::TooHeavy`](crate::RejectedKind::TooHeavy) if it wants more than the limit: at
    /// once, or when the limit is lowered while it waits. (Not at limit 0, where everybody waits.)
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Limiter, RejectedKind};
    ///
    /// static MEGABYTES: Limiter = Limiter::new("megabytes", 512);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let permit = MEGABYTES.acquire_many(200).await.unwrap();
    /// let rejected = MEGABYTES.acquire_many(1024).await.unwrap_err();
    /// assert_eq!(rejected.kind(), RejectedKind::TooHeavy);
    /// # drop(permit);
    /// # }
    /// ```
    pub fn acquire_many(&self, weight: u32) -> AcquireMany<'_> {
        AcquireMany::new(self, weight)
    }

    /// Takes a permit if one is free and nobody waits for it. Does not pass the queue.
    ///
    /// It counts for the runtime in whose context it is called.
    ///
    /// # Errors
    ///
    /// [`RejectedKind::QueueFull`](crate::RejectedKind::QueueFull) otherwise.
    ///
    /// # Examples
    ///
    /// See [`Permit`].
    pub fn try_acquire(&self) -> Result<Permit, Rejected> {
        loop {
            let (semaphore, lease) = self.semaphore(None);
            if semaphore.try_acquire(1, || lease.holds()) {
                return Ok(Permit::new(semaphore, 1, NO_SLOT));
            }
            match semaphore.enter(1, None, || lease.holds()) {
                Entered::Admitted => return Ok(Permit::new(semaphore, 1, NO_SLOT)),
                Entered::Refused(refusal) => return Err(self.rejected(1, refusal)),
                Entered::Unbound => self.bind(semaphore),
                Entered::Stale => {}
                Entered::Queued(_) => unreachable!("without a waker nobody joins the queue"),
            }
        }
    }

    /// The limit in force: the last that was set, or else the environment variable's, or else the
    /// one it was made with. A [`lazy`](Self::lazy) one is that of the scope we are in.
    #[must_use]
    pub fn limit(&self) -> usize {
        if let Some(limit) = self.entry().limit() {
            return limit as usize;
        }
        let (semaphore, _) = self.semaphore(None);
        loop {
            match semaphore.limit() {
                Some(limit) => return limit as usize,
                None => self.bind(semaphore),
            }
        }
    }

    /// Changes the limit, for all runtimes, those alive and those to come. Returns at once.
    ///
    /// Raising it lets waiters in. Lowering it interrupts nobody: it takes effect as permits come
    /// back. Who waits for more permits than the new limit is refused. 0 pauses: everybody waits
    /// until it is raised.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static DB: Limiter = Limiter::new("set-limit-example", 1);
    /// let _first = DB.try_acquire()?;
    /// assert!(DB.try_acquire().is_err());
    /// DB.set_limit(2);
    /// assert!(DB.try_acquire().is_ok());
    /// # Ok::<(), limit_runtime::Rejected>(())
    /// ```
    pub fn set_limit(&self, limit: usize) {
        self.entry().set_limit(limit);
    }

    /// The figures at this moment.
    ///
    /// # Examples
    ///
    /// See [`Snapshot`].
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.entry().snapshot()
    }

    /// The name in figures and errors: the one it was made with, or `name#2` and so on if another
    /// limiter in use has that one.
    #[must_use]
    pub fn name(&self) -> &str {
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
        (lease.registry.semaphore(index), lease)
    }

    /// Finds the limit out and binds a semaphore to it that [`Entered::Unbound`] has handed to us.
    #[cold]
    pub(crate) fn bind(&self, semaphore: &Semaphore) {
        self.entry().bind(semaphore);
    }

    /// A call is about to wait, which the expression for the limit must not.
    pub(crate) fn assert_not_finding_out(&self) {
        if matches!(self.limit, Limit::Lazy(_)) {
            self.entry().assert_not_finding_out();
        }
    }

    #[cold]
    pub(crate) fn rejected(&self, weight: u32, refusal: Refusal) -> Rejected {
        Rejected::new(Arc::clone(&self.entry().name), weight, refusal)
    }

    fn entry(&self) -> &Entry {
        let registration = self.registration.get_or_init(|| {
            let entry = limiters::add(&self.name, self.limit, self.scope, self.env);
            Registration { entry, wanted: self.name.clone() }
        });
        let entry = &*registration.entry;
        if self.index.load(Ordering::Relaxed) == 0 {
            let index = u32::try_from(entry.index + 1);
            let index = index.expect("registries have room for 2^28 limiters");
            self.index.store(index, Ordering::Release);
            entry.log();
        }
        entry
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("name", &self.registration.get().map_or(&*self.name, |used| &used.entry.name))
            .field("limit", &self.limit)
            .field("scope", &self.scope)
            .field("env", &self.env)
            .finish_non_exhaustive()
    }
}
