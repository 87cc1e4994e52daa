//! A named limit with its policy, as users see it.

// A type's page shows its methods in the order of these modules, and those of this file last: so
// this order is the one in which users look for methods.
mod create;

mod adapting;

mod acquire;

mod reading;

mod handle;

mod policy;
mod queueing;

mod settings;

mod live;

mod keyed;

mod key_limits;

mod shares;

#[cfg(feature = "task")]
mod run;

mod blocking;

mod all;
mod drain;
mod shared;
#[cfg(feature = "task")]
mod tasks;

use crate::admission::Admission;
#[cfg(feature = "diagnostics")]
use crate::engine::Engine;
use crate::engine::core::Core;
use crate::engine::definition::Definition;
use crate::keying::{Keyed, Unkeyed};
pub use all::{AllOf, OneLimit, acquire_all, acquire_all_of_body, blocking_acquire_all};
pub use blocking::run_blocking;
pub use drain::{Drain, Undrained};
#[cfg(feature = "fleet")]
pub(crate) use handle::refuse_without_lease;
pub use handle::{LimiterHandle, find, limiters};
pub use keyed::ForKey;
#[cfg(feature = "tower")]
pub(crate) use shared::AcquireShared;
pub use shared::SharedLimiter;
pub use shares::ForShare;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

/// A named limit: at most `limit` permits are out at a time, for each runtime or for the process.
///
/// Make a limiter a `static`, or own it in a struct or an `Arc`. Never make it a `const`: each use of
/// a `const` makes a new limiter, which limits nothing.
///
/// The first use creates the permits: one set for each tokio runtime that calls (see
/// [`Scope`](crate::Scope)). Nothing is registered before the first use.
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
/// limiter; after that they panic. Five setters give calls a reason to be refused:
/// [`max_waiting`](Self::max_waiting), [`max_wait`](Self::max_wait), [`early`](Self::early), [`weight`](Self::weight) and,
/// with keys, [`max_waiting_total`](KeyedLimiter::max_waiting_total).
/// They turn a `Limiter` into a `Limiter<Rejected>`, whose `acquire` gives a `Result`. The others
/// are [`order`](Self::order), [`priority`](Self::priority), [`per`](Self::per), [`ramp`](Self::ramp),
/// [`keyed`](Self::keyed), [`shares`](Self::shares), [`favor`](Self::favor), [`claim_within`](Self::claim_within),
/// [`on_deadlock`](Self::on_deadlock), [`enabled`](Self::enabled) and [`shadow`](Self::shadow). Options of a single call are methods of
/// [`Acquire`](crate::Acquire).
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

/// A limiter whose limit holds for each key. [`Limiter::keyed`] makes it of a plain limiter.
///
/// [`key`](KeyedLimiter::key) returns the limiter of one key, which has `acquire` and `try_acquire`.
/// All other methods are those of [`Limiter`]: `snapshot`, `set_limit` and so on are about all keys.
///
/// # Examples
///
/// ```
/// use limit_runtime::{KeyedLimiter, Limiter};
///
/// static TENANTS: KeyedLimiter = Limiter::new("keyed-limiter-example", 3).keyed().total(20);
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let _permit = TENANTS.key("acme").acquire().await;
/// TENANTS.set_limit(5); // of each key
/// TENANTS.set_total(30);
/// # }
/// ```
pub type KeyedLimiter<E = Infallible> = Limiter<E, Keyed>;

/// Marks the limiter as one that the attribute made and named after its function. Two functions may
/// have the same default name, because the attribute does not know in which `impl` a function
/// stands.
#[must_use]
#[track_caller]
pub const fn mark_named_after_function(mut limiter: Limiter) -> Limiter {
    limiter.core.definition.function = Some(Location::caller());
    limiter
}

/// Marks the limiter as one that the attribute made, for a function whose body has no name for the permit: the permit
/// stays with the body.
#[must_use]
pub const fn mark_of_body(mut limiter: Limiter) -> Limiter {
    limiter.core.definition.is_of_body = true;
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
}

impl<E: Admission, K> fmt::Debug for Limiter<E, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt(f)
    }
}
