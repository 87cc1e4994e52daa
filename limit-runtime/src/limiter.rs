//! A named limit with its policy.

mod blocking;
mod drain;
mod handle;
mod keyed;
mod live;
mod policy;
#[cfg(feature = "task")]
mod run;
mod settings;
mod shared;

use crate::acquire::Acquire;
use crate::admission::Admission;
#[cfg(feature = "diagnostics")]
use crate::engine::Engine;
#[cfg(feature = "task")]
use crate::engine::changed::Changes;
use crate::engine::core::Core;
use crate::engine::definition::LimitSource;
use crate::keying::{Keyed, Unkeyed};
use crate::metrics::Snapshot;
use crate::permit::Permit;
use crate::policy::MAX_LIMIT;
use crate::recorder::CallSite;
use crate::rejected::Rejected;
use crate::scope::Scope;
pub use drain::{Drain, Undrained};
pub use handle::{LimiterHandle, find, limiters};
pub use keyed::ForKey;
#[cfg(feature = "tower")]
pub(crate) use shared::AcquireShared;
pub use shared::SharedLimiter;
use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

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
///
/// # Policies
///
/// Setters say what becomes of the calls over the limit; they are called before the limiter is used
/// (and panic after that). Those that can refuse a call make a `Limiter<Rejected>` of a `Limiter`, whose `acquire` gives
/// a `Result`: [`max_waiting`](Self::max_waiting), [`max_wait`](Self::max_wait) and
/// [`weight`](Self::weight). The others are [`order`](Self::order), [`priority`](Self::priority),
/// [`per`](Self::per), [`keyed`](Self::keyed), [`enabled`](Self::enabled) and
/// [`shadow`](Self::shadow). What differs from call to call is said of the call: see [`Acquire`].
///
/// ```
/// use limit_runtime::{Limiter, Rejected, RejectedKind};
/// use std::time::Duration;
///
/// static API: Limiter<Rejected> =
///     Limiter::new("api", 1).max_waiting(100).max_wait(Duration::from_millis(5));
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Rejected> {
/// let permit = API.acquire().await?;
/// assert_eq!(API.acquire().await.unwrap_err().kind(), RejectedKind::TimedOut);
/// # drop(permit);
/// # Ok(())
/// # }
/// ```
pub struct Limiter<E: Admission = Infallible, K = Unkeyed> {
    core: Core,
    kind: PhantomData<fn() -> (E, K)>,
}

/// A limiter whose limit holds for each key: see [`Limiter::keyed`].
pub type KeyedLimiter<E = Infallible> = Limiter<E, Keyed>;

impl Limiter {
    /// The largest limit, 2³¹ − 1.
    pub const MAX_LIMIT: usize = MAX_LIMIT as usize;

    /// A limiter with that name and limit, for each runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Limiter, Scope};
    ///
    /// static UPLOADS: Limiter = Limiter::new("uploads", 4).scope(Scope::Process).env("UPLOADS");
    /// assert_eq!(UPLOADS.limit(), Some(4));
    /// ```
    #[must_use]
    pub const fn new(name: &'static str, limit: usize) -> Self {
        Self::made_of(Core::new(Cow::Borrowed(name), LimitSource::Fixed(limit)))
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
        Self::made_of(Core::new(name.into(), LimitSource::Fixed(limit)))
    }

    /// A limiter whose limit is found out when it is first used, once for each scope.
    ///
    /// The first call evaluates it, in its poll. Calls that come meanwhile wait for the limit, not for a
    /// permit: they are not counted as waiting, no `max_wait` runs and none is refused; when the limit is
    /// known they ask for a permit, as if they had come then. Only what cannot wait
    /// ([`try_acquire`](Self::try_acquire), [`limit`](Self::limit)) evaluates it as well.
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
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert_eq!(CPU.limit(), None); // no call has needed it yet
    /// let _permit = CPU.acquire().await;
    /// assert!(CPU.limit() >= Some(1));
    /// # }
    /// ```
    #[must_use]
    pub const fn lazy(name: &'static str, limit: fn() -> usize) -> Self {
        Self::made_of(Core::new(Cow::Borrowed(name), LimitSource::Lazy(limit)))
    }
}

/// A limiter that the attribute makes for a function and names after it, by default. Two functions may
/// have one such name, because the attribute does not know in which `impl` one stands.
#[must_use]
#[track_caller]
pub const fn of_function(mut limiter: Limiter) -> Limiter {
    limiter.core.function = Some(Location::caller());
    limiter
}

#[cfg(feature = "task")]
impl Limiter {
    /// A limiter that the user has not named. That others have its name is nothing to warn of.
    pub(crate) const fn unnamed(name: &'static str, limit: usize) -> Self {
        let mut limiter = Self::new(name, limit);
        limiter.core.is_named = false;
        limiter
    }
}

#[cfg(feature = "task")]
impl<E: Admission, K> Limiter<E, K> {
    /// The limit in force. An expression is evaluated if no call of this scope has needed it yet.
    pub(crate) fn needed_limit(&self) -> usize {
        self.core.needed_limit()
    }

    /// The changes of the settings from now on.
    pub(crate) fn changes(&self) -> Changes {
        Changes::new(self.core.engine().changed())
    }
}

#[cfg(feature = "diagnostics")]
impl<E: Admission, K> Limiter<E, K> {
    pub(crate) fn engine(&self) -> &Engine {
        self.core.engine()
    }
}

impl<E: Admission, K> Limiter<E, K> {
    const fn made_of(core: Core) -> Self {
        Self { core, kind: PhantomData }
    }

    /// What can be set before the first use.
    ///
    /// # Panics
    ///
    /// If it has been used: its settings have been looked at then. `message` names the setter.
    #[track_caller]
    const fn configure(&mut self, message: &'static str) -> &mut Core {
        assert!(self.core.is_unused(), "{}", message);
        &mut self.core
    }

    /// The same as a limiter of another type.
    const fn into_kind<F: Admission, L>(mut self) -> Limiter<F, L> {
        let mut core = self.core.take();
        core.request.fallible = F::FALLIBLE;
        // Nothing is left in it, and to drop it is not for a `const` function.
        std::mem::forget(self);
        Limiter::made_of(core)
    }

    /// What the permits are shared by: each runtime has its own by default.
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    #[must_use]
    #[track_caller]
    pub const fn scope(mut self, scope: Scope) -> Self {
        self.configure("`Limiter::scope` is called before the limiter is used").scope = scope;
        self
    }

    /// The environment variable that replaces the limit if it is set.
    ///
    /// It is read once, on first use. What is not a whole number from 1 up changes nothing; it is
    /// logged as an error (feature `tracing`) and shows in the [`Snapshot`].
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    #[must_use]
    #[track_caller]
    pub const fn env(mut self, variable: &'static str) -> Self {
        self.configure("`Limiter::env` is called before the limiter is used").env = Some(variable);
        self
    }

    /// The limit in force: the last that was set, or else the environment variable's, or else that of a source
    /// of [settings](crate::settings), or else the one that the limiter was made with.
    ///
    /// Looking has no side effect. Before the first use, environment and sources have not been asked: the
    /// limit is that of the code. `None` if the limit is an expression ([`lazy`](Self::lazy)) that no call has
    /// needed yet; if several scopes have evaluated it, the limit is the last one.
    #[must_use]
    pub fn limit(&self) -> Option<usize> {
        self.core.limit()
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
        self.core.engine().set_limit(limit);
    }

    /// The figures at this moment.
    ///
    /// # Examples
    ///
    /// See [`Snapshot`].
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.core.engine().snapshot()
    }

    /// The name in figures and errors: the one that the limiter was made with, or if another limiter in use has
    /// that, the one of `name#2`, `name#3` and so on with the smallest number that is free. When a limiter is
    /// dropped its name is free again.
    ///
    /// Looking has no side effect: before the first use the name is the one that the limiter was made with.
    #[must_use]
    pub fn name(&self) -> &str {
        self.core.name()
    }
}

impl<E: Admission> Limiter<E> {
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
    #[track_caller]
    pub fn acquire(&self) -> Acquire<'_, E> {
        self.acquire_at(CallSite::caller())
    }

    #[inline]
    pub(crate) fn acquire_at(&self, site: CallSite) -> Acquire<'_, E> {
        Acquire::new(&self.core, Unkeyed, site)
    }

    /// Takes a permit on a thread that may block, such as one of [`std::thread`] or of `spawn_blocking`. The
    /// thread sleeps until the permit is there.
    ///
    /// A thread outside any runtime shares the permits of all calls outside runtimes, or with
    /// [`Scope::Process`] those of the process. A thread of `spawn_blocking` has those of its runtime. `max_wait`
    /// and [`per`](Self::per) go by the real clock, and need no runtime.
    ///
    /// # Panics
    ///
    /// In async code, where it would block the runtime: as
    /// [`blocking_recv`](tokio::sync::oneshot::Receiver::blocking_recv) of tokio.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    /// use std::thread;
    ///
    /// static SCANNER: Limiter = Limiter::new("blocking-acquire", 1);
    ///
    /// thread::scope(|scope| {
    ///     for page in 1..=3 {
    ///         scope.spawn(move || {
    ///             let _permit = SCANNER.blocking_acquire();
    ///             println!("scans page {page}"); // one page at a time
    ///         });
    ///     }
    /// });
    /// ```
    #[track_caller]
    pub fn blocking_acquire(&self) -> E::Outcome<Permit> {
        self.acquire().block()
    }

    /// Takes `weight` permits at once: short for `acquire().weight(weight)`.
    ///
    /// Cancel safe, see [`Acquire`].
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
    #[track_caller]
    pub fn acquire_many(&self, weight: u32) -> Acquire<'_, Rejected> {
        self.acquire().weight(weight)
    }

    /// Takes a permit (or as many as [`weight`](Self::weight) says) if it is free and nobody waits for
    /// it. Does not pass the queue, unless the newest is served first.
    ///
    /// It counts for the runtime in whose context it is called.
    ///
    /// # Errors
    ///
    /// [`RejectedKind::NoPermits`](crate::RejectedKind::NoPermits) otherwise;
    /// [`TooHeavy`](crate::RejectedKind::TooHeavy) and [`Closed`](crate::RejectedKind::Closed) as for
    /// other calls.
    ///
    /// # Examples
    ///
    /// See [`Permit`].
    #[track_caller]
    pub fn try_acquire(&self) -> Result<Permit, Rejected> {
        self.core.try_acquire(self.core.request.weight, None, CallSite::caller())
    }

    /// Takes `weight` permits at once if they are free and nobody waits for them.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static MEGABYTES: Limiter = Limiter::new("try-acquire-many", 512);
    ///
    /// let permit = MEGABYTES.try_acquire_many(200)?;
    /// assert!(MEGABYTES.try_acquire_many(400).is_err());
    /// # drop(permit);
    /// # Ok::<(), limit_runtime::Rejected>(())
    /// ```
    #[track_caller]
    pub fn try_acquire_many(&self, weight: u32) -> Result<Permit, Rejected> {
        self.core.try_acquire(weight, None, CallSite::caller())
    }
}

impl<E: Admission, K> fmt::Debug for Limiter<E, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt(f)
    }
}
