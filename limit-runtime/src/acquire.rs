//! The future that takes permits. It joins the wait list, and leaves it when dropped.

#[cfg(any(feature = "task", feature = "tower"))]
pub(crate) mod acquiring;
mod block;
mod pending_call;
#[cfg(feature = "task")]
pub(crate) mod run;
mod ticker;

use self::pending_call::{Located, PendingCall, Progress};
use crate::admission::Admission;
use crate::deadline::Deadline;
use crate::engine::core::Core;
use crate::keying::{Keying, Unkeyed};
use crate::permit::Permit;
use crate::policy::MaxWait;
use crate::recorder::{CallRecord, CallSite};
use crate::rejected::Rejected;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

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

    /// Waits at most this long (a [`Duration`](std::time::Duration)), or until an `Instant`. After that the call is
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
        let Self { call, mut deadline, key } = self;
        let deadline = E::deadline_mut(&mut deadline).map(mem::take).unwrap_or_default();
        Acquire { call, deadline, key }
    }
}

impl<E: Admission, K: Keying> Future for Acquire<'_, E, K> {
    type Output = E::Outcome<Permit>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        match this.call.take_free(context, K::MAY_BE_FREE) {
            Ok(permit) => {
                // `take_free` admits only a call that is `Asking`, which has nothing to drop.
                // (Measured: with the code for a drop, a call takes 30 instructions more.)
                mem::forget(mem::replace(&mut this.call.progress, Progress::Done));
                Poll::Ready(E::outcome(Ok(permit)))
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
        Poll::Ready(E::outcome(result.map_err(E::refusal)))
    }
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
