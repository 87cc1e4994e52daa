//! The future that takes permits: it joins the queue, and leaves it when dropped.

#[cfg(any(feature = "task", feature = "tower"))]
pub(crate) mod acquiring;
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
use crate::rejected::Rejected;
use crate::semaphore::{Entered, Held, KeySource, Semaphore, Unserved, Waiter, WaitsFor};
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// The future of [`Limiter::acquire`](crate::Limiter::acquire). Its output is the [`Permit`], or of a
/// limiter that can refuse a call, a `Result` with it.
///
/// It does nothing until it is polled. The first poll binds it to the runtime by which it is polled.
/// Before that its methods change what this one call asks for.
///
/// # Cancel safety
///
/// Dropping it at any time gives back its place in the queue, and the permit if it has been handed
/// one. A call that is made again starts at the end of the queue. (One that is never dropped,
/// [`std::mem::forget`], keeps its place, and the permit that it is handed in time.)
///
/// A free permit is taken at once, without a look at tokio's cooperative budget: as without the
/// limit, a task that never waits for anything else does not yield. A loop that does nothing but acquire
/// and spawn should await [`tokio::task::consume_budget`] as well (`spawn` does so itself): on a runtime
/// that shuts down what is spawned is dropped at once, so that its permit is always free.
///
/// # Panics
///
/// A call that begins to wait and may not wait for ever (`max_wait`), or waits for a limit with `per`,
/// needs tokio's timer: as [`tokio::time::sleep`] it panics outside a runtime, and in one that was
/// built without `enable_time`.
///
/// As an `async fn`, it panics if it is polled again after it was ready.
///
/// A waker that panics when it is woken keeps nobody else waiting, with one exception: that of a call with
/// `max_wait` is woken by tokio's timer as well, which does not go on after a panic.
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
    call: Call<'a>,
    deadline: E::Deadline,
    key: K,
}

/// The semaphore of a call, and the epoch in which it is the call's.
type Located = (&'static Semaphore, EpochRef);

/// How far a call has come.
enum Progress {
    /// It was not polled yet, or asks again.
    Asking,
    Waiting(Waiter),
    /// It was ready.
    Done,
}

/// A call on its way to its permits.
struct Call<'a> {
    limiter: &'a Core,
    request: Request,
    progress: Progress,
    /// When it began to wait, if it has.
    since: Option<Instant>,
    /// Where it is made, and that it waits. Nothing, without the feature `diagnostics`.
    site: CallSite,
    record: CallRecord,
}

impl<'a, E: Admission, K> Acquire<'a, E, K> {
    #[inline]
    pub(crate) fn new(limiter: &'a Core, key: K, site: CallSite) -> Self {
        let (request, record) = (limiter.request, CallRecord::NONE);
        Self {
            call: Call { limiter, request, progress: Progress::Asking, since: None, site, record },
            deadline: E::deadline(limiter.max_wait),
            key,
        }
    }

    /// Takes so many permits at once. It waits for them in the same queue, and is not passed by
    /// lighter calls behind it.
    ///
    /// More than the limit are refused, now or when the limit is lowered while it waits, as
    /// [`TooHeavy`](crate::RejectedKind::TooHeavy). (Not at limit 0, where everybody waits.) 0 takes
    /// none and never waits, and is counted.
    pub fn weight(self, weight: u32) -> Acquire<'a, Rejected, K> {
        let mut acquire = self.fallible();
        acquire.call.request.weight = weight;
        acquire
    }

    /// Who waits with a higher priority is served first; 0 is the lowest, and what calls have that do
    /// not say.
    ///
    /// A waiter is served as though it had come one second earlier for each level. So of those who
    /// come at about the same time the higher goes first, within one level whoever came first, and a
    /// low one that has waited for long goes before a high one that has just come: under a steady
    /// stream of calls that are *n* levels higher it is passed for *n* seconds and no longer.
    ///
    /// From the first call with a priority on, the queue is kept sorted (joining and leaving it are
    /// then in the logarithm of its length); whoever waits already at that moment is taken to have
    /// come just then. Of no consequence where the newest is served first
    /// ([`Order::Lifo`](crate::Order::Lifo)).
    pub fn priority(mut self, priority: u8) -> Self {
        self.call.request.priority = priority;
        self
    }

    /// Waits no longer than this ([`Duration`], or until an `Instant`), and is then refused as
    /// [`TimedOut`](crate::RejectedKind::TimedOut). A free permit is taken even if there is no time to
    /// wait.
    pub fn max_wait(self, max_wait: impl Into<MaxWait>) -> Acquire<'a, Rejected, K> {
        let mut acquire = self.fallible();
        acquire.deadline = Deadline::of_call(max_wait.into());
        acquire
    }

    /// Whether the limit holds for this call. If not it is let in at once, whatever the limit, also
    /// when the limiter is closed; it is counted as admitted at once, and not as in use.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.call.request.enabled = enabled;
        self
    }

    fn fallible(self) -> Acquire<'a, Rejected, K> {
        let Self { mut call, deadline, key } = self;
        call.request.fallible = true;
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
                this.call.progress = Progress::Done;
                Poll::Ready(E::admitted(permit))
            }
            Err(located) => this.poll_slow(context, located),
        }
    }
}

/// Nothing in it is pinned.
impl<E: Admission, K> Unpin for Acquire<'_, E, K> {}

impl<E: Admission, K: Keying> Acquire<'_, E, K> {
    /// Everything but the fast path.
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

impl Call<'_> {
    /// The fast path, on the first poll: the permits, if they are free and nothing is out of the
    /// ordinary; else where it has looked for them.
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

    /// Ends a wait without permits: the call is refused, or asks again.
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
            // The runtime has ended, the limit is known now, or the caller that was to resolve it has
            // failed. The call stays listed as one that waits.
            Unserved::Retry => self.enter(context, None, key, deadline),
        }
    }

    /// Takes the permits the slow way, or joins the queue.
    #[inline]
    fn enter(
        &mut self,
        context: &mut Context<'_>,
        mut located: Option<Located>,
        key: Option<&dyn KeySource>,
        mut deadline: Option<&mut Deadline>,
    ) -> Poll<Result<Permit, Rejected>> {
        let no_time = deadline.as_mut().is_some_and(|deadline| {
            deadline.begin(self.limiter.max_wait_set());
            deadline.leaves_no_time()
        });
        loop {
            let (semaphore, epoch) =
                located.take().unwrap_or_else(|| self.limiter.semaphore(Some(context.waker())));
            let waker = (!no_time).then_some(context.waker());
            match semaphore.enter(self.request, key, waker, || epoch.is_current()) {
                Entered::Admitted(held) => {
                    self.waits_no_longer();
                    let permit = self.limiter.permit(held, self.site);
                    // It may have waited at a runtime that has ended.
                    if self.since.is_some() {
                        self.log_admitted(self.waited());
                    }
                    return Poll::Ready(Ok(permit));
                }
                Entered::Queued(waiter) => {
                    // Owned before all that may panic.
                    self.progress = Progress::Waiting(waiter);
                    if !self.record.waits_at(semaphore.id()) {
                        let (limiter, weight) = (self.limiter, self.request.weight);
                        let index = || limiter.index();
                        self.record = CallRecord::waits(index, semaphore.id(), weight, self.site);
                    }
                    self.since.get_or_insert_with(Instant::now);
                    self.limiter.assert_not_resolving();
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
                    // To wait for the limit is not to wait for a permit: it is not counted, and no time
                    // runs.
                    let waker = Some(context.waker());
                    if let Some(waiter) = self.limiter.bind(semaphore, self.request.weight, waker) {
                        self.progress = Progress::Waiting(waiter);
                        return Poll::Pending;
                    }
                }
                // The registry has passed on: look again.
                Entered::Stale => {}
            }
        }
    }

    /// It waits. If it does not do so for ever, that may be over.
    #[inline]
    fn look_at_the_clock(
        &mut self,
        context: &mut Context<'_>,
        key: Option<&dyn KeySource>,
        deadline: Option<&mut Deadline>,
    ) -> Poll<Result<Permit, Rejected>> {
        if let Progress::Waiting(waiter) = &self.progress {
            match waiter.waits_for() {
                WaitsFor::Permits => {}
                WaitsFor::Time => ticker::ensure_ticker(waiter.semaphore()),
                // No time runs, also if it has waited elsewhere before.
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
        let Progress::Waiting(waiter) = &mut self.progress else {
            unreachable!("only a call that waits looks at the clock");
        };
        let mut wait = Duration::ZERO;
        // The call may have been handed its permits, or been dismissed, at the same time.
        match waiter.time_out(|| elapsed(Some(since), &mut wait)) {
            Ok(held) => Poll::Ready(Ok(self.admitted(held, wait))),
            Err(unserved) => self.unserved(unserved, context, key, Some(deadline)),
        }
    }

    /// Makes a permit of what a call was handed that has waited.
    #[inline]
    fn admitted(&mut self, held: Held, waited: Duration) -> Permit {
        // Before the permit is listed, so that the call is not seen twice.
        self.waits_no_longer();
        let permit = self.limiter.permit(held, self.site);
        // Foreign code, which may panic: the permit is there already.
        self.log_admitted(waited);
        permit
    }

    /// It is not listed as one that waits any more, even if it is kept.
    #[inline]
    fn waits_no_longer(&mut self) {
        self.record = CallRecord::NONE;
    }

    /// How long it has waited until now.
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

/// Measures for how long a call has waited that is handed its permits.
#[inline]
fn elapsed(since: Option<Instant>, wait: &mut Duration) -> Duration {
    *wait = since.map_or(Duration::ZERO, |since| since.elapsed());
    *wait
}

impl<E: Admission, K> fmt::Debug for Acquire<'_, E, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire")
            // Not its name: to look at a call is no use of the limiter.
            .field("limiter", self.call.limiter)
            .field("weight", &self.call.request.weight)
            .field("priority", &self.call.request.priority)
            .field("max_wait", &E::max_wait(&self.deadline))
            .field("waiting", &matches!(self.call.progress, Progress::Waiting(_)))
            .finish()
    }
}
