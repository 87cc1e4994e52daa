//! A named limit with its policy, as users see it.

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
#[cfg(feature = "task")]
mod tasks;

use crate::acquire::Acquire;
use crate::admission::Admission;
#[cfg(feature = "diagnostics")]
use crate::engine::Engine;
use crate::engine::core::Core;
use crate::engine::definition::{Definition, LimitSource};
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

/// A named limit: at most `limit` permits are out at a time, for each runtime or for the process.
///
/// Make a limiter a `static`, or own it in a struct or an `Arc`. The first use creates its permits:
/// one set for each tokio runtime that calls it (see [`Scope`]). Nothing is registered before the
/// first use.
///
/// A limit is a number from 0 to [`Limiter::MAX_LIMIT`]. A larger number is reduced to that. The
/// limit 0 pauses the limiter: every call waits until [`set_limit`](Self::set_limit) raises the
/// limit.
///
/// # Examples
///
/// Several functions share one limiter:
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
/// Each instance has its own limiter:
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
/// The setters choose what happens to calls over the limit. Call them before the first use of the
/// limiter; after that they panic. Three setters give calls a reason to be refused:
/// [`max_waiting`](Self::max_waiting), [`max_wait`](Self::max_wait) and [`weight`](Self::weight).
/// They turn a `Limiter` into a `Limiter<Rejected>`, whose `acquire` gives a `Result`. The others
/// are [`order`](Self::order), [`priority`](Self::priority), [`per`](Self::per),
/// [`keyed`](Self::keyed), [`enabled`](Self::enabled) and [`shadow`](Self::shadow). Options of a
/// single call are methods of [`Acquire`].
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

/// A limiter whose limit holds for each key. See [`Limiter::keyed`].
pub type KeyedLimiter<E = Infallible> = Limiter<E, Keyed>;

impl Limiter {
    /// The largest limit, 2³¹ − 1.
    pub const MAX_LIMIT: usize = MAX_LIMIT as usize;

    /// Creates a limiter with this name and limit, for each runtime.
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
        Self::from_core(Core::new(Cow::Borrowed(name), LimitSource::Fixed(limit)))
    }

    /// Creates a limiter whose name is made while the program runs.
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
        Self::from_core(Core::new(name.into(), LimitSource::Fixed(limit)))
    }

    /// Creates a limiter whose limit is an expression. The first call of each scope evaluates it.
    ///
    /// The first call evaluates the expression when it is polled. Calls that come meanwhile wait
    /// for the limit, not for a permit: they are not counted as waiting, their `max_wait` does not
    /// run, and none is refused. When the limit is known, they ask for a permit as if they had come
    /// then. [`try_acquire`](Self::try_acquire) cannot wait, so it evaluates the expression as
    /// well.
    ///
    /// If the expression panics, the panic goes to the caller that evaluates it, and the next
    /// caller evaluates it again. The expression must not use its own limiter: such a use panics.
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
        Self::from_core(Core::new(Cow::Borrowed(name), LimitSource::Lazy(limit)))
    }
}

/// Marks the limiter as one that the attribute made and named after its function. Two functions may
/// have the same default name, because the attribute does not know in which `impl` a function
/// stands.
#[must_use]
#[track_caller]
pub const fn mark_named_after_function(mut limiter: Limiter) -> Limiter {
    limiter.core.definition.function = Some(Location::caller());
    limiter
}

#[cfg(feature = "diagnostics")]
impl<E: Admission, K> Limiter<E, K> {
    pub(crate) fn engine(&self) -> &Engine {
        self.core.engine()
    }
}

impl<E: Admission, K> Limiter<E, K> {
    const fn from_core(core: Core) -> Self {
        Self { core, kind: PhantomData }
    }

    /// Returns the part of the limiter that setters may change before the first use.
    ///
    /// # Panics
    ///
    /// If the limiter has been used: its settings were read then. `message` names the setter.
    #[track_caller]
    const fn configure(&mut self, message: &'static str) -> &mut Definition {
        assert!(self.core.is_unused(), "{}", message);
        &mut self.core.definition
    }

    /// Turns the limiter into one of another type, with the same settings.
    const fn into_kind<F: Admission, L>(mut self) -> Limiter<F, L> {
        let mut core = self.core.take();
        core.definition.fallible = F::FALLIBLE;
        // `take` left nothing in it, and a `const` function cannot drop it.
        std::mem::forget(self);
        Limiter::from_core(core)
    }

    /// Sets which calls share the permits. By default each runtime has its own permits.
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    #[must_use]
    #[track_caller]
    pub const fn scope(mut self, scope: Scope) -> Self {
        self.configure("`Limiter::scope` must be called before the limiter is used").scope = scope;
        self
    }

    /// Sets the environment variable that replaces the limit.
    ///
    /// The variable is read once, on first use. A value that is not a whole number from 1 up
    /// changes nothing. It is logged as an error (feature `tracing`) and stands in the
    /// [`Snapshot`].
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    #[must_use]
    #[track_caller]
    pub const fn env(mut self, variable: &'static str) -> Self {
        self.configure("`Limiter::env` must be called before the limiter is used").env =
            Some(variable);
        self
    }

    /// Returns the limit in force. The first of these that exists holds: the last limit set while
    /// running, the environment variable, a source of [settings](crate::settings), the limit in the
    /// code.
    ///
    /// Returns `None` if the limit is an expression ([`lazy`](Self::lazy)) that no call has needed
    /// yet. If several scopes have evaluated the expression, returns the last result.
    ///
    /// Looking has no side effect. Before the first use, the environment and the sources have not
    /// been asked: the limit is the code's.
    #[must_use]
    pub fn limit(&self) -> Option<usize> {
        self.core.limit()
    }

    /// Changes the limit for all runtimes, present and future. Returns at once.
    ///
    /// A higher limit admits waiters at once. A lower limit interrupts no holder: it takes effect
    /// as permits come back. Waiters for more permits than the new limit are refused. The limit 0
    /// pauses the limiter: every call waits until the limit is raised.
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

    /// Returns the figures at this moment. This is a use of the limiter: from then on it is on the
    /// list of [`limiters`](crate::limiters), and its setters panic.
    ///
    /// # Examples
    ///
    /// See [`Snapshot`].
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.core.engine().snapshot()
    }

    /// Returns the name in figures and errors.
    ///
    /// The name is the one given at creation. If another limiter in use has that name, the name is
    /// `name#2`, `name#3` and so on, with the smallest free number. Dropping a limiter frees its
    /// name.
    ///
    /// Looking has no side effect: before the first use the name is the one given at creation.
    #[must_use]
    pub fn name(&self) -> &str {
        self.core.name()
    }
}

impl<E: Admission> Limiter<E> {
    /// Takes a permit. Waits in the queue if none is free.
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
    /// and [`per`](Self::per) need no runtime. They go by tokio's clock, which stands still in a paused runtime.
    ///
    /// # Panics
    ///
    /// In async code, where it would block the runtime: as
    /// [`blocking_recv`](tokio::sync::oneshot::Receiver::blocking_recv) of tokio. There, write
    /// `acquire().await`, or call it inside `spawn_blocking`.
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

    /// Takes `weight` permits at once. Short for `acquire().weight(weight)`.
    ///
    /// Cancel safe, see [`Acquire`].
    ///
    /// # Errors
    ///
    /// [`RejectedKind::TooHeavy`](crate::RejectedKind::TooHeavy) if `weight` is more than the
    /// limit, at once or when the limit is lowered while the call waits. (Not at limit 0, where
    /// every call waits.)
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

    /// Takes a permit, or as many as [`weight`](Self::weight) says, if they are free and no call
    /// waits for them. With [`Order::Lifo`](crate::Order::Lifo), takes free permits even if calls
    /// wait.
    ///
    /// The call counts for the runtime in whose context it is made.
    ///
    /// # Errors
    ///
    /// [`RejectedKind::NoPermits`](crate::RejectedKind::NoPermits) if too few permits are free;
    /// [`TooHeavy`](crate::RejectedKind::TooHeavy) and [`Closed`](crate::RejectedKind::Closed) as
    /// for other calls.
    ///
    /// # Examples
    ///
    /// See [`Permit`].
    #[track_caller]
    pub fn try_acquire(&self) -> Result<Permit, Rejected> {
        self.core.try_acquire(self.core.definition.request.weight, None, CallSite::caller())
    }

    /// Takes `weight` permits at once, if they are free and no call waits for them.
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
