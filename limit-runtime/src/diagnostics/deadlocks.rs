//! Calls that wait for each other.

mod deadlock;
mod detector;
#[cfg(all(test, feature = "task", not(limit_loom)))]
mod model;
mod reading;
mod solver;
#[cfg(all(test, not(limit_loom)))]
mod tests;
pub(super) mod who;

use super::calls::Call;
use super::clock::WallClock;
use crate::logging::{self, TARGET};
use crate::policy::OnDeadlock;
use crate::recorder;
use crate::recorder::Record;
use crate::unwind::quietly;
use crate::watcher::Watch;
pub use deadlock::{Deadlock, StuckCall};
use detector::{Detector, Mistake};
use once_cell::sync::Lazy;
use reading::{Found, FoundLink};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

static DEADLOCKS: Watch = Watch::new(look);
static DETECTOR: Lazy<Mutex<Detector>> = Lazy::new(Mutex::default);

fn lock() -> MutexGuard<'static, Detector> {
    DETECTOR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the deadlocks that still exist: calls that wait for each other's permits, or for permits of their own task.
///
/// A deadlock is here from the time when it is found, one to three seconds after it began. Then the log has a warning
/// too, and the limiters' subscribers get an [`EventKind::Deadlock`](crate::EventKind::Deadlock). It is no longer here
/// as soon as one of its calls ends, is dropped or is
/// [refused](crate::Limiter::on_deadlock).
///
/// Calls count from [`record(true)`](super::record) on. While recording is off the list is empty, or becomes empty
/// within a second.
///
/// # Not found
///
/// In doubt a deadlock is not reported. Several calls that wait side by side in one task (`join!`,
/// `FuturesUnordered`) are never in the list. Nor are waits with a [`max_wait`](crate::Limiter::max_wait), and waits for
/// anything but permits, such as a `JoinHandle` or a mutex.
/// [The guide](crate::guide::hazards#what-is-not-found) has the whole list, and says when a report can be wrong.
///
/// # Examples
///
/// ```
/// use limit_runtime::{Limiter, diagnostics};
/// use std::time::Duration;
///
/// static DB: Limiter = Limiter::new("deadlocks-example", 1);
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// diagnostics::record(true);
///
/// let task = tokio::spawn(async {
///     let _outer = DB.acquire().await;
///     let _inner = DB.acquire().await; // waits for the permit of its own task
/// });
/// while diagnostics::deadlocks().is_empty() {
///     tokio::time::sleep(Duration::from_millis(100)).await;
/// }
/// println!("{}", diagnostics::deadlocks()[0]);
///
/// task.abort(); // gives the permit back
/// assert!(task.await.unwrap_err().is_cancelled());
/// assert!(diagnostics::deadlocks().is_empty());
/// # }
/// ```
#[must_use]
pub fn deadlocks() -> Vec<Deadlock> {
    let told = lock().told.clone();
    let now = (Instant::now(), WallClock::now());
    told.iter().filter(|found| found.is_there()).map(|found| found.show(now)).collect()
}

/// Has the watcher look for deadlocks from now on.
pub(super) fn start() {
    DEADLOCKS.wake();
}

fn look(now: Instant, _: Instant) -> Option<Instant> {
    if !recorder::is_recording() {
        // Dropped after unlocking, with the limiters in it.
        let _told = lock().forget_all();
        return None;
    }
    let looked = lock().look(now);
    for mistake in looked.mistakes {
        take_back(&mistake);
    }
    // Refusals come first, those of all knots: others wait for them, and a logger may take its time.
    let refused = looked.news.into_iter().map(|news| {
        let mut gave_way = None;
        // Wakers are foreign code.
        quietly(|| gave_way = news.found.refuse_youngest());
        (news, gave_way)
    });
    for (news, gave_way) in refused.collect::<Vec<_>>() {
        if gave_way.is_none() && news.found.can_refuse() {
            // Its calls have moved meanwhile. If it lasts, it is found again.
            lock().forget_told(&news.found);
        } else if news.is_new || gave_way.is_some() {
            tell(&news.found, gave_way.as_ref());
        }
    }
    Some(looked.next)
}

/// Tells of a deadlock. The caller holds no lock: subscribers and loggers are foreign code.
fn tell(found: &Found, gave_way: Option<&Call>) {
    let deadlock = found.show((Instant::now(), WallClock::now()));
    let mut limiters: Vec<_> = found.links.iter().map(|link| &link.limiter).collect();
    limiters.sort_by_key(|limiter| Arc::as_ptr(limiter));
    limiters.dedup_by_key(|limiter| Arc::as_ptr(limiter));
    for limiter in limiters {
        quietly(|| limiter.notify_deadlock());
    }
    let limiter = &*found.links[0].limiter.name;
    quietly(|| {
        logging::tell(|| {
            if let Some(call) = gave_way {
                tracing::warn!(
                    target: TARGET,
                    limiter,
                    "deadlock: {deadlock}\n  this one gives way: {call}"
                );
            } else {
                tracing::warn!(target: TARGET, limiter, "deadlock: {deadlock}");
            }
        });
    });
}

/// Tells that what was told of was no deadlock.
fn take_back(Mistake { link, hold }: &Mistake) {
    let limiter = &*link.limiter.name;
    let (ended, waits) = (hold.info.site, link.wait.info.site);
    quietly(|| {
        logging::tell(|| {
            tracing::info!(
                target: TARGET,
                limiter,
                "no deadlock after all: the call at {ended} has ended while the one at {waits} waits on, so it was not \
                 around it. These two places are not told of again"
            );
        });
    });
}

impl Found {
    fn show(&self, now: (Instant, WallClock)) -> Deadlock {
        let is_reentry = match &self.links[..] {
            [link] => !link.holders.is_empty() && link.behind.is_none(),
            _ => false,
        };
        let mut lists = HashMap::new();
        let calls = self.links.iter().map(|link| {
            let list = || link.holders.iter().map(|holder| link.call(holder, now)).collect();
            StuckCall {
                call: link.call(&link.wait, now),
                key: link.key.clone(),
                holders: Arc::clone(lists.entry(link.holders.as_ptr()).or_insert_with(list)),
                behind: link.behind.as_ref().map(|first| link.call(first, now)),
            }
        });
        let calls = calls.collect();
        Deadlock { calls, victims: self.victims, is_reentry }
    }

    /// Returns whether the limiter of one of the calls says that it is refused in a deadlock.
    fn can_refuse(&self) -> bool {
        self.links.iter().any(FoundLink::gives_way)
    }

    /// Refuses the youngest of the calls whose limiters say so, or the next one if that call does not wait any more.
    /// Returns it.
    fn refuse_youngest(&self) -> Option<Call> {
        let mut links: Vec<_> = self.links.iter().filter(|link| link.gives_way()).collect();
        links.sort_by_key(|link| std::cmp::Reverse(link.wait.info.age_key()));
        links.into_iter().find_map(|link| {
            let call = link.call(&link.wait, (Instant::now(), WallClock::now()));
            let wait = link.wait;
            let is_refused = link.semaphore.refuse_waiter(wait.info.slot?, || wait.is_unchanged());
            is_refused.then_some(call)
        })
    }
}

impl FoundLink {
    /// Returns whether its limiter says that it is refused in a deadlock.
    fn gives_way(&self) -> bool {
        self.limiter.on_deadlock() == OnDeadlock::Refuse
    }

    /// Shows a call of this limiter.
    fn call(&self, record: &Record, now: (Instant, WallClock)) -> Call {
        Call::new(record, Arc::clone(&self.limiter.name), now)
    }
}
