//! Reading all limiters, for exporters, pages and your own tools.
//!
//! A [`Snapshot`](crate::Snapshot) is for people. A [`LimiterReading`] is for programs that read
//! every limiter again and again. It costs one lock for each semaphore, and contains whole
//! histograms. Its counters do not go back: neither when a runtime ends, nor when another limiter
//! takes a dropped one's name, unless more than a thousand other names were dropped since.
//!
//! # Example
//!
//! An exporter that prints its figures in the text format of Prometheus:
//!
//! ```
//! use limit_runtime::inspect::{self, Totals};
//! use limit_runtime::{Limiter, RejectedKind};
//! use std::fmt::Write;
//!
//! fn export() -> String {
//!     let mut text = String::new();
//!     let inventory = inspect::inventory();
//!     for limiter in &inventory.limiters {
//!         let reading = inspect::read(limiter);
//!         if !reading.is_dropped {
//!             let (name, usage) = (&reading.name, reading.usage);
//!             let _ = writeln!(text, "limit_in_use{{limiter={name:?}}} {}", usage.in_use);
//!             let _ = writeln!(text, "limit_waiting{{limiter={name:?}}} {}", usage.waiting);
//!         }
//!         counters(&mut text, &reading.name, &reading.totals);
//!     }
//!     for dropped in &inventory.dropped {
//!         counters(&mut text, &dropped.name, &dropped.totals);
//!     }
//!     text
//! }
//!
//! fn counters(text: &mut String, name: &str, totals: &Totals) {
//!     let counters = &totals.counters;
//!     let admitted = counters.admitted_at_once + counters.admitted_after_waiting();
//!     let _ = writeln!(text, "limit_admitted_total{{limiter={name:?}}} {admitted}");
//!     for &kind in RejectedKind::ALL {
//!         let rejected = counters.rejected.get(kind);
//!         let _ = writeln!(text, "limit_rejected_total{{limiter={name:?},kind=\"{kind}\"}} {rejected}");
//!     }
//! }
//!
//! static DB: Limiter = Limiter::new("inspected", 2);
//! let permit = DB.try_acquire()?;
//! assert!(export().contains("limit_in_use{limiter=\"inspected\"} 1\n"));
//! # drop(permit);
//! # Ok::<(), limit_runtime::Rejected>(())
//! ```

use crate::engine::catalog::inventory::all_and_dropped;
pub use crate::engine::changed::Changes;
use crate::limiter::LimiterHandle;
pub use crate::metrics::{
    Counters, Histogram, KeyReading, LimiterReading, RuntimeReading, ShareCounts, Totals, Usage,
};
use crate::registry;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::panic::Location;
use std::sync::Arc;

/// All limiters and all names with counters, at one moment. Each name occurs once. See
/// [`inventory`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inventory {
    /// The limiters that have been used and not been dropped.
    pub limiters: Vec<LimiterHandle>,
    /// Names that no limiter has any more, with counters that are not all 0, the last dropped
    /// first. The last thousand are kept. A limiter that takes such a name continues its counters.
    pub dropped: Vec<DroppedName>,
}

/// A name that no limiter has any more.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DroppedName {
    /// The name.
    pub name: Arc<str>,
    /// The counters of all limiters that have had it.
    pub totals: Arc<Totals>,
}

/// Lists all limiters, and the names that no limiter has any more.
///
/// # Examples
///
/// See the [module's documentation](self).
#[must_use]
pub fn inventory() -> Inventory {
    let (limiters, dropped) = all_and_dropped();
    let dropped = dropped.into_iter().map(|(name, totals)| DroppedName { name, totals });
    Inventory {
        limiters: limiters.into_iter().map(LimiterHandle::new).collect(),
        dropped: dropped.collect(),
    }
}

/// Reads the figures of a limiter. Each semaphore is read in one step, so the figures of one
/// runtime agree with each other. Several runtimes are read one after another.
///
/// With [`per`](crate::Limiter::per) and keys, it drops the keys whose windows are over. Their `Drop`
/// runs under no lock, and may use the limiter.
///
/// # Examples
///
/// See the [module's documentation](self).
#[must_use]
pub fn read(limiter: &LimiterHandle) -> LimiterReading {
    limiter.engine.read()
}

/// Returns the numbers of the live runtimes, and 0, the number of the process.
///
/// # Examples
///
/// ```
/// assert!(limit_runtime::inspect::live_runtimes().contains(&0));
/// ```
#[must_use]
pub fn live_runtimes() -> BTreeSet<u64> {
    registry::live_runtimes()
}

/// Returns at most `most` keys of a limiter, over all runtimes: those with the most waiters, then
/// the most permits.
///
/// # Examples
///
/// ```
/// use limit_runtime::{KeyedLimiter, Limiter, inspect};
///
/// static TENANTS: KeyedLimiter = Limiter::new("busiest-keys", 2).keyed();
///
/// let permit = TENANTS.key("acme").try_acquire()?;
/// let limiter = limit_runtime::find("busiest-keys").expect("it has been used");
/// let busiest = inspect::busiest_keys(&limiter, 10);
/// assert_eq!((busiest[0].name.as_str(), busiest[0].in_use), ("acme", 1));
/// # drop(permit);
/// # Ok::<(), limit_runtime::Rejected>(())
/// ```
#[must_use]
pub fn busiest_keys(limiter: &LimiterHandle, most: usize) -> Vec<KeyReading> {
    limiter.engine.busiest_keys(most)
}

/// Returns the two functions that share the limiter's default name, if there are two. The function
/// that was used first has the name.
#[must_use]
pub fn namesakes(limiter: &LimiterHandle) -> Option<[&'static Location<'static>; 2]> {
    limiter.engine.namesakes()
}

impl LimiterHandle {
    /// Returns the changes of the limiter's settings from now on, for a task that waits for them.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static DB: Limiter = Limiter::new("changes-example", 2);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// DB.set_limit(3);
    /// let limiter = limit_runtime::find("changes-example").expect("it has been used");
    /// let mut changes = limiter.changes();
    /// limiter.set_limit(4);
    /// changes.changed().await;
    /// assert_eq!(limiter.limit(), Some(4));
    /// # }
    /// ```
    #[must_use]
    pub fn changes(&self) -> Changes {
        self.engine.changes()
    }
}

impl Changes {
    /// Waits for a change of a setting since this was last ready, or since the creation. It is ready once for
    /// all changes since then.
    ///
    /// Cancel safe: dropping the future loses no change.
    pub async fn changed(&mut self) {
        poll_fn(|context| self.poll(context)).await;
    }
}
