//! The oldest holder of each limiter.

use super::calls::Call;
use super::clock::WallClock;
use crate::limiter::LimiterHandle;
use crate::recorder::{Record, slots};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

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
    /// The oldest hold, by the semaphore's number.
    oldest: HashMap<usize, Record>,
    now: (Instant, WallClock),
}

impl OldestHolders {
    /// Reads all calls that hold permits at this moment.
    #[must_use]
    pub fn now() -> Self {
        let mut oldest = HashMap::new();
        for record in slots::all().filter(|record| record.info.holds) {
            let known: &mut Record = oldest.entry(record.info.semaphore).or_insert(record);
            if record.info.age_key() < known.info.age_key() {
                *known = record;
            }
        }
        Self { oldest, now: (Instant::now(), WallClock::now()) }
    }

    /// Returns the time at which the limiter's oldest holder got its permits. Get the handle before
    /// calling [`now`](Self::now): the semaphores of a limiter that was first used later may have
    /// belonged to another.
    #[must_use]
    pub fn started(&self, limiter: &LimiterHandle) -> Option<SystemTime> {
        Some(self.now.1.time_at(self.record(limiter)?.info.since.instant()))
    }

    /// Returns the limiter's oldest holder. Get the handle before calling [`now`](Self::now), as for
    /// [`started`](Self::started).
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    /// use limit_runtime::diagnostics::{self, OldestHolders};
    ///
    /// static DB: Limiter = Limiter::new("oldest-holder", 2);
    ///
    /// diagnostics::record(true);
    /// let permit = DB.try_acquire()?;
    /// let limiter = limit_runtime::find("oldest-holder").expect("it has been used");
    /// let oldest = OldestHolders::now().call(&limiter).expect("a call holds a permit");
    /// assert_eq!(oldest.place().file(), file!());
    /// # drop(permit);
    /// # Ok::<(), limit_runtime::Rejected>(())
    /// ```
    #[must_use]
    pub fn call(&self, limiter: &LimiterHandle) -> Option<Call> {
        let record = self.record(limiter)?;
        Some(Call::new(record, Arc::clone(&limiter.engine.name), self.now))
    }

    fn record(&self, limiter: &LimiterHandle) -> Option<&Record> {
        if self.oldest.is_empty() {
            return None;
        }
        let semaphores = limiter.engine.semaphores().into_iter();
        let records = semaphores.filter_map(|semaphore| self.oldest.get(&semaphore.id()));
        records.min_by_key(|record| record.info.age_key())
    }
}
