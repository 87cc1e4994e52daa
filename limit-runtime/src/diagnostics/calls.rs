//! The lists of holders and waiters.

use super::clock::WallClock;
use crate::admission::Admission;
use crate::duration_text::duration_text;
use crate::engine::Engine;
use crate::limiter::{Limiter, LimiterHandle};
use crate::recorder::Record;
use crate::recorder::slots;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::task::Id;

/// A call that holds permits or waits for them. [`Limiter::holders`] and [`Limiter::waiters`] list
/// such calls.
#[derive(Clone, Debug)]
pub struct Call {
    limiter: Arc<str>,
    place: &'static Location<'static>,
    task: Option<Id>,
    weight: u32,
    age: Duration,
    started: SystemTime,
    not_polled_for: Option<Duration>,
}

/// The time from which on [`Call`] shows that a future is not polled.
const SHOWN_FROM: Duration = Duration::from_secs(1);

impl Call {
    /// Returns the limiter's name.
    #[must_use]
    pub fn limiter(&self) -> &str {
        &self.limiter
    }

    /// Returns the place in the source code where the call was made.
    #[must_use]
    pub fn place(&self) -> &'static Location<'static> {
        self.place
    }

    /// Returns the task that made the call, if it was one of tokio's.
    #[must_use]
    pub fn task(&self) -> Option<Id> {
        self.task
    }

    /// Returns the number of the call's permits.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// Returns the age of the hold or of the wait at the moment at which the list was made.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.age
    }

    /// Returns the time at which the hold or the wait began, by the system's clock. Later lists
    /// show the same time for the same call, unless that clock was set meanwhile.
    #[must_use]
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// Returns the time since the future that runs under the permit was polled last, at the moment at which the
    /// list was made.
    ///
    /// It is known of futures that this crate polls: those of [`run`](crate::Acquire::run) and
    /// [`spawn`](crate::Acquire::spawn), of the module [`task`](crate::task), and of services behind the layer of
    /// [`tower`](crate::tower). It is `None` for the body of an annotated function, for a permit that the program
    /// holds, and for a call that waits.
    ///
    /// A future that is not polled may wait for something. If what it waits for is there, its task does not come to
    /// it: it is busy with something else, or has forgotten it.
    #[must_use]
    pub fn not_polled_for(&self) -> Option<Duration> {
        self.not_polled_for
    }

    /// Makes the call of a record, at a moment by both clocks.
    pub(super) fn new(
        record: &Record,
        limiter: Arc<str>,
        (now, clock): (Instant, WallClock),
    ) -> Self {
        let info = &record.info;
        Self {
            limiter,
            place: info.site,
            task: record.agent.task(),
            weight: info.weight,
            age: now.saturating_duration_since(info.since.instant()),
            started: clock.time_at(info.since.instant()),
            not_polled_for: record.not_polled_for,
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, for {}", self.place, duration_text(self.age))?;
        match self.task {
            Some(task) => write!(f, ", task {task}")?,
            None => f.write_str(", outside any task")?,
        }
        if self.weight != 1 {
            write!(f, ", {} permits", self.weight)?;
        }
        match self.not_polled_for.filter(|&time| time >= SHOWN_FROM) {
            Some(time) => write!(f, ", not polled for {}", duration_text(time)),
            None => Ok(()),
        }
    }
}

impl<E: Admission, K> Limiter<E, K> {
    /// Lists the calls that hold permits, in all runtimes, the oldest first. The list is empty unless
    /// [`diagnostics::record(true)`](crate::diagnostics::record) was called before the calls.
    ///
    /// A call that begins or ends meanwhile may be listed or not, so under load the list can be
    /// longer than the limit.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Limiter, diagnostics};
    ///
    /// let db = Limiter::new("holders-example", 4);
    /// diagnostics::record(true);
    /// let permits = (db.try_acquire()?, db.try_acquire()?);
    /// let holders = db.holders();
    /// assert_eq!(holders.len(), 2);
    /// assert!(holders[0].age() >= holders[1].age());
    /// # drop(permits);
    /// # Ok::<(), limit_runtime::Rejected>(())
    /// ```
    #[must_use]
    pub fn holders(&self) -> Vec<Call> {
        calls(self.engine(), true, usize::MAX)
    }

    /// Lists the calls that wait, in all runtimes, the longest wait first. The list is empty unless
    /// [`diagnostics::record(true)`](crate::diagnostics::record) was called before the calls.
    ///
    /// A call that has been handed its permits stays on the list until its task goes on. If nobody polls
    /// it, for instance on an idle runtime, its permits go to another call that waits: see
    /// [`claim_within`](Limiter::claim_within).
    #[must_use]
    pub fn waiters(&self) -> Vec<Call> {
        calls(self.engine(), false, usize::MAX)
    }
}

impl LimiterHandle {
    /// Lists at most `most` of the oldest [`holders`](Self::holders). With many holders this is
    /// faster than listing them all.
    #[must_use]
    pub fn oldest_holders(&self, most: usize) -> Vec<Call> {
        calls(&self.engine, true, most)
    }

    /// Lists at most `most` of the oldest [`waiters`](Self::waiters).
    #[must_use]
    pub fn oldest_waiters(&self, most: usize) -> Vec<Call> {
        calls(&self.engine, false, most)
    }

    /// Does the same as [`Limiter::holders`]. The list is empty unless
    /// [`diagnostics::record(true)`](crate::diagnostics::record) was called before the calls.
    #[must_use]
    pub fn holders(&self) -> Vec<Call> {
        calls(&self.engine, true, usize::MAX)
    }

    /// Does the same as [`Limiter::waiters`]. The list is empty unless
    /// [`diagnostics::record(true)`](crate::diagnostics::record) was called before the calls.
    #[must_use]
    pub fn waiters(&self) -> Vec<Call> {
        calls(&self.engine, false, usize::MAX)
    }
}

/// Lists at most `most` calls, the oldest first.
fn calls(engine: &Engine, holding: bool, most: usize) -> Vec<Call> {
    let semaphores = engine.semaphores();
    let is_meant = |record: &Record| {
        let info = &record.info;
        info.holds == holding && semaphores.iter().any(|semaphore| semaphore.id() == info.semaphore)
    };
    let mut records: Vec<_> = slots::all().filter(is_meant).collect();
    if records.len() > most {
        records.select_nth_unstable_by_key(most, |record| record.info.age_key());
        records.truncate(most);
    }
    records.sort_by_key(|record| record.info.age_key());
    // If the limiter was dropped meanwhile, the calls may belong to another limiter.
    if engine.is_dropped() {
        return Vec::new();
    }
    let now = (Instant::now(), WallClock::now());
    records.iter().map(|record| Call::new(record, Arc::clone(&engine.name), now)).collect()
}
