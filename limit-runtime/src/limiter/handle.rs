//! Handles of limiters in use, found by name.

use crate::engine::{Engine, catalog};
use crate::metrics::{FleetFigures, Snapshot};
use crate::permit::Permit;
#[cfg(feature = "fleet")]
use crate::rejected::Rejected;
use std::fmt;
use std::sync::Arc;
#[cfg(feature = "fleet")]
use std::time::Duration;

/// A handle of a limiter that has been used. It reads and changes the limiter from any part of the
/// program.
///
/// A handle does not keep the limiter alive.
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
/// assert_eq!(limiter.limit(), Some(5));
/// # }
/// ```
#[derive(Clone)]
pub struct LimiterHandle {
    pub(crate) engine: Arc<Engine>,
}

impl LimiterHandle {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// Returns the limiter's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.engine.name
    }

    /// Returns the limit, as [`Limiter::limit`](crate::Limiter::limit).
    #[must_use]
    pub fn limit(&self) -> Option<usize> {
        self.engine.limit().map(|limit| limit as usize)
    }

    /// Changes the limit, as [`Limiter::set_limit`](crate::Limiter::set_limit). Does nothing if the
    /// limiter has been dropped.
    pub fn set_limit(&self, limit: usize) {
        self.engine.set_limit(limit);
    }

    /// Returns whether the limiter has been dropped. Another limiter may have its name then.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// let shard = Limiter::new("dropped-example", 2);
    /// drop(shard.try_acquire());
    /// let handle = limit_runtime::find("dropped-example").unwrap();
    /// assert!(!handle.is_dropped());
    /// drop(shard);
    /// assert!(handle.is_dropped());
    /// ```
    #[must_use]
    pub fn is_dropped(&self) -> bool {
        self.engine.is_dropped()
    }

    /// Returns what the process knows of the limit over the fleet. `None` unless the scope is
    /// [`Scope::Fleet`](crate::Scope::Fleet) and a fleet was started.
    #[must_use]
    pub fn fleet(&self) -> Option<FleetFigures> {
        self.engine.fleet_figures()
    }

    /// Returns the figures at this moment, or the last figures if the limiter has been dropped.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.engine.snapshot()
    }
}

impl Permit {
    /// Returns the limiter that the permit belongs to. `None` if that limiter was dropped, or if the
    /// permit's weight is 0 (also after [`split`](Self::split) took everything).
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static DB: Limiter = Limiter::new("limiter-of-permit", 2);
    ///
    /// let permit = DB.try_acquire()?;
    /// assert_eq!(permit.limiter().expect("it is a static").name(), "limiter-of-permit");
    /// # Ok::<(), limit_runtime::Rejected>(())
    /// ```
    #[must_use]
    pub fn limiter(&self) -> Option<LimiterHandle> {
        catalog::at_index(self.owner()? as usize).map(LimiterHandle::new)
    }
}

/// Counts a call whose body was dropped because its lease is lost. Returns its refusal.
#[cfg(feature = "fleet")]
pub(crate) fn refuse_without_lease(permit: &Permit) -> Rejected {
    let limiter = permit.limiter();
    let name = limiter.map_or_else(|| Arc::from(""), |limiter| Arc::clone(&limiter.engine.name));
    Rejected::new(name, permit.weight(), Duration::ZERO, permit.refuse())
}

impl fmt::Debug for LimiterHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimiterHandle").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// Returns every limiter that has been used and has not been dropped, in the order of first use.
/// (The next new limiter takes the position of a dropped one.)
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
    catalog::all().into_iter().map(LimiterHandle::new).collect()
}

/// Returns the limiter with this name, if it has been used and has not been dropped.
///
/// # Examples
///
/// See [`LimiterHandle`].
#[must_use]
pub fn find(name: &str) -> Option<LimiterHandle> {
    catalog::find(name).map(LimiterHandle::new)
}
