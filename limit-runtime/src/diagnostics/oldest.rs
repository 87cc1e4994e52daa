//! The oldest holder of each limiter.

use super::clock::WallClock;
use crate::limiter::LimiterHandle;
use crate::recorder::{Moment, slots};
use std::collections::HashMap;
use std::time::SystemTime;

/// The oldest holder of each limiter at one moment. Only [recorded](super::record) calls count.
///
/// # Examples
///
/// ```
/// use limit_runtime::Limiter;
/// use limit_runtime::diagnostics::{self, OldestHolders};
///
/// static DB: Limiter = Limiter::new("oldest-holders", 2);
///
/// diagnostics::record(true);
/// let permit = DB.try_acquire()?;
/// let limiter = limit_runtime::find("oldest-holders").expect("it has been used");
/// assert!(OldestHolders::now().started(&limiter).is_some());
/// # drop(permit);
/// # Ok::<(), limit_runtime::Rejected>(())
/// ```
#[derive(Debug)]
pub struct OldestHolders {
    /// The time at which the oldest hold began, by the semaphore's number.
    since: HashMap<usize, Moment>,
    clock: WallClock,
}

impl OldestHolders {
    /// Reads all calls that hold permits at this moment.
    #[must_use]
    pub fn now() -> Self {
        let mut oldest = HashMap::new();
        for info in slots::all().map(|record| record.info).filter(|info| info.holds) {
            let since = oldest.entry(info.semaphore).or_insert(info.since);
            *since = info.since.min(*since);
        }
        Self { since: oldest, clock: WallClock::now() }
    }

    /// Returns the time at which the limiter's oldest holder got its permits. Get the handle before
    /// calling [`now`](Self::now): the semaphores of a limiter that was first used later may have
    /// belonged to another.
    #[must_use]
    pub fn started(&self, limiter: &LimiterHandle) -> Option<SystemTime> {
        if self.since.is_empty() {
            return None;
        }
        let semaphores = limiter.engine.semaphores().into_iter();
        let since = semaphores.filter_map(|semaphore| self.since.get(&semaphore.id())).min()?;
        Some(self.clock.time_at(since.instant()))
    }
}
