//! The future that takes permits. It joins the wait list, and leaves it when dropped.

#[cfg(any(feature = "task", feature = "tower"))]
pub(crate) mod acquiring;
mod block;
#[cfg(feature = "task")]
pub(crate) mod run;
mod ticker;

use crate::admission::Admission;
use crate::deadline::Deadline;
use crate::engine::core::Core;
use crate::keying::{Keying, Unkeyed};
#[cfg(feature = "tracing")]
use crate::logging;
use crate::permit::Permit;
use crate::policy::{MaxWait, Request};
use crate::recorder::{CallRecord, CallSite};
use crate::registry::EpochRef;
use crate::rejected::{Rejected, RejectedKind};
use crate::semaphore::{Entered, Held, KeySource, Semaphore, Unserved, Waiter, WaitsFor};
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// The future of [`Limiter::acquire`](crate::Limiter::acquire). Its output is the [`Permit`], or a
/// `Result` with it if the limiter can refuse calls.
///
/// The future does nothing until it is polled. The first poll binds it to the runtime that polls.
/// Until then its methods set the options of this one call.
///
/// # Cancel safety
///
/// Dropping the future at any time is safe. It leaves the queue, and gives back a permit that
/// it was handed. A call that is made again starts at the end of the queue. (A future that is
/// never dropped, [`std::mem::forget`], stays in the queue and keeps the permit that it is
/// handed in time.)
///
/// The future takes a free permit at once, without a look at tokio's cooperative budget. So a task
/// that never waits for anything else does not yield, just as without the limit. A loop that only
/// acquires and spawns should also await [`tokio::task::consume_budget`]. (`spawn` does so itself.)
/// Otherwise such a loop never ends on a runtime that shuts down: that runtime drops each spawned
/// task at once, so a permit is always free.
///
/// # Panics
///
/// A call with a `max_wait` that begins to wait needs tokio's timer. So does a call that waits at a
/// limit with `per`. As [`tokio::time::sleep`], it panics outside a runtime, and in a runtime
/// without `enable_time`.
///
/// As an `async fn`, the future panics if it is polled again after it was ready.
///
/// A waker that panics when it is woken does not keep other calls waiting, with one exception.
/// Tokio's timer also wakes calls with a `max_wait`, and the timer does not go on after such a
/// panic.
///
/// # Examples
///
/// ```
/// use limit_runtime::{Limiter, RejectedKind};
/// use std::time::Duration;
///
/// static DB: Limiter = Limiter::new("acquire-options", 2);
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let both = DB.acquire().weight(2).await.expect("both are free");
/// let refused = DB.acquire().priority(5).max_wait(Duration::from_millis(1)).await.unwrap_err();
/// assert_eq!(refused.kind(), RejectedKind::TimedOut);
/// # drop(both);
/// # }
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct Acquire<'a, E: Admission = Infallible, K = Unkeyed> {
    call: PendingCall<'a>,
    deadline: E::Deadline,
    key: K,
}

/// The semaphore that a call uses, and the epoch in which it belongs to the call's runtime.
type Located = (&'static Semaphore, EpochRef);

/// The state of a call.
enum Progress {
    /// The call has not been polled yet, or enters again.
    Asking,
    Waiting(Waiter),
    /// The call was ready.
    Done,
}

/// A call on its way to its permits.
struct PendingCall<'a> {
    limiter: &'a Core,
    request: Request,
    progress: Progress,
    /// The time at which the call began to wait, if it has.
    since: Option<Instant>,
    /// The source location of the call. Empty without the feature `diagnostics`.
    site: CallSite,
    /// The listing as a waiter, if the call waits. Empty without the feature `diagnostics`.
    record: CallRecord,
}

impl<'a, E: Admission, K> Acquire<'a, E, K> {
    #[inline]
    pub(crate) fn new(limiter: &'a Core, key: K, site: CallSite) -> Self {
        let (request, record) = (limiter.definition.request, CallRecord::NONE);
        Self {
            call: PendingCall {
                limiter,
                request,
                progress: Progress::Asking,
                since: None,
                site,
                record,
            },
            deadline: E::deadline(limiter.definition.max_wait),
            key,
        }
    }

    /// Takes `weight` permits at once. The call waits for them in the same queue, and lighter
    /// calls behind it do not pass it.
    ///
    /// A weight above the limit is refused as [`TooHeavy`](crate::RejectedKind::TooHeavy), at once
    /// or when the limit is lowered while the call waits. (Not at limit 0, where every call waits.)
    /// A call of weight 0 takes no permit and never waits. It is counted.
    pub fn weight(self, weight: u32) -> Acquire<'a, Rejected, K> {
        let mut acquire = self.fallible();
        acquire.call.request.weight = weight;
        acquire
    }

    /// Sets the priority: waiters with a higher priority are served first. 0 is the lowest. The
    /// default is the limiter's [`priority`](crate::Limiter::priority), or else 0.
    ///
    /// Each level of priority counts as one second of waiting. If two calls came at about the same
    /// time, the one with the higher priority goes first. Within one level the first to come goes
    /// first. A low priority does not wait for ever: under a steady stream of calls that are *n*
    /// levels higher, a call is passed for *n* seconds and no longer.
    ///
    /// From the first call with a priority on, the queue is kept sorted. Joining and leaving it
    /// then take time in the logarithm of its length. Calls that wait at that moment count as
    /// having come just then. The priority has no effect where the newest call is served first
    /// ([`Order::Lifo`](crate::Order::Lifo)).
    pub fn priority(mut self, priority: u8) -> Self {
        self.call.request.priority = priority;
        self
    }

    /// Waits at most this long (a [`Duration`]), or until an `Instant`. After that the call is
    /// refused as [`TimedOut`](crate::RejectedKind::TimedOut). A free permit is taken even if there
    /// is no time to wait.
    pub fn max_wait(self, max_wait: impl Into<MaxWait>) -> Acquire<'a, Rejected, K> {
        let mut acquire = self.fallible();
        acquire.deadline = Deadline::from_call(max_wait.into());
        acquire
    }

    /// Sets whether the limit holds for this call. With `false` the call is admitted at once at any
    /// limit, also when the limiter is closed. It is counted as admitted at once, and not as in
    /// use.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.call.request.enabled = enabled;
        self
    }

    fn fallible(self) -> Acquire<'a, Rejected, K> {
        let Self { call, deadline, key } = self;
        Acquire { call, deadline: E::into_deadline(deadline), key }
    }
}

impl<E: Admission, K: Keying> Future for Acquire<'_, E, K> {
    type Output = E::Outcome<Permit>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        match this.call.take_free(context, K::MAY_BE_FREE) {
            Ok(permit) => {
                // The call has not waited, so nothing is dropped here. (Measured: with the code for
                // a drop, a call takes 30 instructions more than its 191.)
                mem::forget(mem::replace(&mut this.call.progress, Progress::Done));
                Poll::Ready(E::admitted(permit))
            }
            Err(located) => this.poll_slow(context, located),
        }
    }
}

/// No field is pinned.
impl<E: Admission, K> Unpin for Acquire<'_, E, K> {}

impl<E: Admission, K: Keying> Acquire<'_, E, K> {
    /// Polls a call that the fast path did not admit. `located` is the semaphore that the fast path
    /// has looked up.
    #[inline(never)]
    fn poll_slow(
        &mut self,
        context: &mut Context<'_>,
        located: Option<Located>,
    ) -> Poll<E::Outcome<Permit>> {
        let Self { call, deadline, key } = self;
        let result =
            ready!(call.poll_slow(context, located, key.source(), E::deadline_mut(deadline)));
        call.progress = Progress::Done;
        Poll::Ready(match result {
            Ok(permit) => E::admitted(permit),
            Err(rejected) => E::rejected(rejected),
        })
    }
}

impl PendingCall<'_> {
    /// Takes the fast path, on the first poll: takes the permits if they are free and SLOW is
    /// clear. Otherwise returns the semaphore that it has looked up, for the slow path.
    #[expect(clippy::inline_always, reason = "measured: a call costs a third more without")]
    #[inline(always)]
    fn take_free(
        &self,
        context: &mut Context<'_>,
        may_be_free: bool,
    ) -> Result<Permit, Option<Located>> {
        if !matches!(self.progress, Progress::Asking) {
            return Err(None);
        }
        let (semaphore, epoch) = self.limiter.semaphore(Some(context.waker()));
        if may_be_free {
            let weight = self.request.permits();
            if let Some(held) = semaphore.try_acquire(weight, || epoch.is_current()) {
                return Ok(self.limiter.permit(held, self.site));
            }
        }
        Err(Some((semaphore, epoch)))
    }

    #[inline]
    fn poll_slow(
        &mut self,
        context: &mut Context<'_>,
        located: Option<Located>,
        key: Option<&dyn KeySource>,
        deadline: Option<&mut Deadline>,
    ) -> Poll<Result<Permit, Rejected>> {
        let waiter = match &mut self.progress {
            Progress::Asking => return self.enter(context, located, key, deadline),
            Progress::Waiting(waiter) => waiter,
            Progress::Done => panic!("`Acquire` polled after it was ready"),
        };
        let (since, mut wait) = (self.since, Duration::ZERO);
        match waiter.poll(context.waker(), || elapsed(since, &mut wait)) {
            Poll::Pending => self.look_at_the_clock(context, key, deadline),
            Poll::Ready(Ok(held)) => Poll::Ready(Ok(self.admitted(held, wait))),
            Poll::Ready(Err(unserved)) => self.unserved(unserved, context, key, deadline),
        }
    }

    /// Ends a wait without permits: the call is refused, or enters again.
    fn unserved(
        &mut self,
        unserved: Unserved,
        context: &mut Context<'_>,
        key: Option<&dyn KeySource>,
        deadline: Option<&mut Deadline>,
    ) -> Poll<Result<Permit, Rejected>> {
        self.progress = Progress::Asking;
        match unserved {
            Unserved::Refused(refusal) => {
                self.waits_no_longer();
                Poll::Ready(Err(self.limiter.rejected(self.request, self.waited(), refusal)))
            }
            // The runtime has ended, the limit is known now, or the caller that resolved it has
            // failed. The call stays listed as a waiter: it waits on.
            Unserved::Retry => self.enter(context, None, key, deadline),
        }
    }

    /// Takes the permits on the slow path, or joins the wait list.
    #[inline]
    fn enter(
        &mut self,
        context: &mut Context<'_>,
        mut located: Option<Located>,
        key: Option<&dyn KeySource>,
        mut deadline: Option<&mut Deadline>,
    ) -> Poll<Result<Permit, Rejected>> {
        // A call without time enters without a waker, so it never joins the wait list.
        let no_time = deadline.as_mut().is_some_and(|deadline| {
            deadline.begin(self.limiter.max_wait_set());
            match self.since {
                None => deadline.leaves_no_time(),
                // It does not join the queue again: it might take the place of a call that has time.
                Some(since) => deadline.is_over(since),
            }
        });
        loop {
            let (semaphore, epoch) =
                located.take().unwrap_or_else(|| self.limiter.semaphore(Some(context.waker())));
            let waker = match self.since {
                _ if !no_time => Ok(context.waker()),
                None => Err(RejectedKind::NoPermits),
                Some(_) => Err(RejectedKind::TimedOut),
            };
            match semaphore.enter(self.request, key, waker, || epoch.is_current()) {
                Entered::Admitted(held) => {
                    self.waits_no_longer();
                    let permit = self.limiter.permit(held, self.site);
                    // A call that waited at an ended runtime may be admitted here without waiting
                    // again.
                    if self.since.is_some() {
                        self.log_admitted(self.waited());
                    }
                    return Poll::Ready(Ok(permit));
                }
                Entered::Queued(waiter) => {
                    // The waiter is stored before any step that may panic. Dropping the call then
                    // cancels it.
                    self.progress = Progress::Waiting(waiter);
                    if !self.record.waits_at(semaphore.id()) {
                        let (limiter, weight) = (self.limiter, self.request.weight);
                        let index = || limiter.index();
                        self.record = CallRecord::waits(index, semaphore.id(), weight, self.site);
                    }
                    // A call that enters again keeps its start: the wait counts from the first
                    // moment.
                    self.since.get_or_insert_with(Instant::now);
                    self.limiter.assert_not_resolving();
                    // Foreign code (a subscriber of `tracing`) runs last, when everything is in
                    // order.
                    self.log_waiting();
                    return self.look_at_the_clock(context, key, deadline);
                }
                Entered::Refused(refusal) => {
                    self.waits_no_longer();
                    return Poll::Ready(Err(self.limiter.rejected(
                        self.request,
                        self.waited(),
                        refusal,
                    )));
                }
                Entered::Unbound => {
                    // Waiting for the limit is not waiting for a permit. It is not counted, and
                    // `since` stays empty so that no `max_wait` runs.
                    let waker = Some(context.waker());
                    if let Some(waiter) = self.limiter.bind(semaphore, self.request.weight, waker) {
                        self.progress = Progress::Waiting(waiter);
                        return Poll::Pending;
                    }
                }
                // The registry has passed to another runtime. The next turn looks the semaphore up
                // anew.
                Entered::Stale => {}
            }
        }
    }

    /// Checks whether a waiting call is out of time.
    #[inline]
    fn look_at_the_clock(
        &mut self,
        context: &mut Context<'_>,
        key: Option<&dyn KeySource>,
        deadline: Option<&mut Deadline>,
    ) -> Poll<Result<Permit, Rejected>> {
        if let Progress::Waiting(waiter) = &self.progress {
            match waiter.waits_for() {
                _ if self.request.blocks => return Poll::Pending,
                WaitsFor::Permits => {}
                WaitsFor::Time => ticker::ensure_ticker(waiter.semaphore()),
                // A wait for the limit is not timed, even if the call has waited for permits
                // before.
                WaitsFor::Limit => return Poll::Pending,
            }
        }
        match deadline {
            Some(deadline) => self.poll_deadline(context, key, deadline),
            None => Poll::Pending,
        }
    }

    fn poll_deadline(
        &mut self,
        context: &mut Context<'_>,
        key: Option<&dyn KeySource>,
        deadline: &mut Deadline,
    ) -> Poll<Result<Permit, Rejected>> {
        let Some(since) = self.since else { return Poll::Pending };
        if deadline.poll(since, context).is_pending() {
            return Poll::Pending;
        }
        self.time_out(since, context, key, deadline)
    }

    /// Ends the wait of a call whose time is up.
    fn time_out(
        &mut self,
        since: Instant,
        context: &mut Context<'_>,
        key: Option<&dyn KeySource>,
        deadline: &mut Deadline,
    ) -> Poll<Result<Permit, Rejected>> {
        let Progress::Waiting(waiter) = &mut self.progress else {
            unreachable!("only a call that waits looks at the clock");
        };
        let mut wait = Duration::ZERO;
        // The call may have been handed its permits, or been dismissed, at the same moment.
        // `time_out` decides under the semaphore's lock.
        match waiter.time_out(|| elapsed(Some(since), &mut wait)) {
            Ok(held) => Poll::Ready(Ok(self.admitted(held, wait))),
            Err(unserved) => self.unserved(unserved, context, key, Some(deadline)),
        }
    }

    /// Makes the permit of a call that has waited.
    #[inline]
    fn admitted(&mut self, held: Held, waited: Duration) -> Permit {
        // The waiter's listing ends before the permit's begins, so that readers never see the call
        // twice.
        self.waits_no_longer();
        let permit = self.limiter.permit(held, self.site);
        // Foreign code may panic. The permit exists already, so a panic drops it and gives it back.
        self.log_admitted(waited);
        permit
    }

    /// Ends the listing as a waiter, even if the future is kept.
    #[inline]
    fn waits_no_longer(&mut self) {
        self.record = CallRecord::NONE;
    }

    /// Returns the time that the call has waited until now.
    #[inline]
    fn waited(&self) -> Duration {
        self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    #[cfg(feature = "tracing")]
    fn log_waiting(&self) {
        logging::tell(|| {
            tracing::debug!(limiter = self.limiter.name(), "call waits for a permit");
        });
    }

    #[cfg(feature = "tracing")]
    fn log_admitted(&self, waited: Duration) {
        logging::tell(|| {
            tracing::debug!(limiter = self.limiter.name(), ?waited, "call is let in");
        });
    }

    #[cfg(not(feature = "tracing"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn log_waiting(&self) {}

    #[cfg(not(feature = "tracing"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn log_admitted(&self, _waited: Duration) {}
}

/// Measures the wait of a call that is handed its permits, and stores the result in `wait`.
#[inline]
fn elapsed(since: Option<Instant>, wait: &mut Duration) -> Duration {
    *wait = since.map_or(Duration::ZERO, |since| since.elapsed());
    *wait
}

impl<E: Admission, K> fmt::Debug for Acquire<'_, E, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire")
            // Formatting the core is no use of the limiter: it registers nothing.
            .field("limiter", self.call.limiter)
            .field("weight", &self.call.request.weight)
            .field("priority", &self.call.request.priority)
            .field("max_wait", &E::max_wait(&self.deadline))
            .field("waiting", &matches!(self.call.progress, Progress::Waiting(_)))
            .finish()
    }
}
