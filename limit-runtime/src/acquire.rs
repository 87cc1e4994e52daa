//! The future that takes permits. It joins the wait list, and leaves it when dropped.

#[cfg(any(feature = "task", feature = "tower"))]
pub(crate) mod acquiring;
pub(crate) mod all;
mod block;
mod park;
mod pending_call;
pub(crate) mod resize;
mod ticker;

// A type's page shows its methods in the order of these modules.
mod options;

#[cfg(feature = "task")]
pub(crate) mod run;

use self::pending_call::{Located, PendingCall, Progress};
use crate::admission::Admission;
use crate::engine::core::Core;
use crate::keying::{Keying, Unkeyed};
use crate::permit::Permit;
use crate::recorder::{CallRecord, CallSite, PollPoint};
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
/// never dropped, [`std::mem::forget`], stays in the queue for good.)
///
/// # A future that is not polled
///
/// A future that waits and is not polled, such as one that a `select!` borrows, is handed its permits
/// all the same. If it does not claim them within [`claim_within`](crate::Limiter::claim_within), by
/// default a second, and another call waits, they go to that call. The future is at the head of the
/// queue again as soon as it is polled.
///
/// # Yielding
///
/// The future takes a free permit at once, and does not consume tokio's cooperative budget. So a task
/// that never waits for anything else does not yield, just as without the limit. A loop that awaits
/// nothing but permits should also await [`tokio::task::consume_budget`]. (`spawn` does so itself.)
/// Otherwise a loop that acquires and spawns never ends on a runtime that shuts down: that runtime
/// drops each spawned task at once, so a permit is always free.
///
/// # Panics
///
/// A call with a `max_wait` that begins to wait needs tokio's timer. So does a call that waits at a
/// limit with `per`. The call panics outside a runtime and in a runtime without `enable_time`, as
/// [`tokio::time::sleep`] does.
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
                record,
                progress: Progress::Asking,
                since: None,
                site,
                point: PollPoint::NONE,
            },
            deadline: E::deadline(limiter.definition.max_wait),
            key,
        }
    }
}

impl<E: Admission, K> Acquire<'_, E, K> {
    /// Returns the same call, for the body of an annotated function that has no name for the permit.
    #[inline]
    pub(crate) fn of_body(mut self) -> Self {
        self.call.site = self.call.site.of_body();
        self
    }

    /// Returns the same call, for work that we poll or call under the permit.
    #[inline]
    pub(crate) fn of_polled(mut self) -> Self {
        self.call.site = self.call.site.of_polled();
        self
    }
}

impl<E: Admission, K: Keying> Future for Acquire<'_, E, K> {
    type Output = E::Outcome<Permit>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        // Here, and nowhere deeper: see `PollPoint::measure`.
        let Self { call, deadline, .. } = &mut *this;
        let limiter = call.limiter;
        call.point.note(context, || gives_up::<E>(limiter, deadline));
        match this.call.take_free(context, &this.key) {
            Ok(permit) => {
                // `take_free` admits only a call that is `Asking`, which has nothing to drop.
                // (Measured: with the code for a drop, a call takes 30 instructions more.)
                mem::forget(mem::replace(&mut this.call.progress, Progress::Done));
                Poll::Ready(E::outcome(Ok(permit)))
            }
            Err(None) => this.poll_waiting(context),
            Err(Some(located)) if E::FALLIBLE && !located.0.is_slow() => {
                this.poll_over_limit(context, located)
            }
            Err(located) => this.poll_slow(context, located),
        }
    }
}

/// Returns whether a call waits for no longer than a time.
fn gives_up<E: Admission>(limiter: &Core, deadline: &E::Deadline) -> bool {
    E::max_wait(deadline).is_some() || E::FALLIBLE && limiter.max_wait_set().is_some()
}

/// No field is pinned.
impl<E: Admission, K> Unpin for Acquire<'_, E, K> {}

impl<E: Admission, K: Keying> Acquire<'_, E, K> {
    /// Polls a call that is in the wait list. Apart from [`poll_slow`](Self::poll_slow), because it is shorter: nearly
    /// every call that waited comes here once, when it has been handed its permits.
    #[inline(never)]
    fn poll_waiting(&mut self, context: &mut Context<'_>) -> Poll<E::Outcome<Permit>> {
        match self.call.poll_granted() {
            Some(permit) => {
                self.end_deadline();
                Poll::Ready(E::outcome(Ok(permit)))
            }
            None => self.poll_slow(context, None),
        }
    }

    /// Polls a call that has found too few permits free while no call waits: refuses it if it may not wait.
    // Apart from `poll_slow`: in one function, a call that queues takes 55 instructions more (measured).
    #[inline(never)]
    fn poll_over_limit(
        &mut self,
        context: &mut Context<'_>,
        located: Located,
    ) -> Poll<E::Outcome<Permit>> {
        let Self { call, deadline, key } = self;
        if let (None, Some(deadline)) = (key.source(), E::deadline_mut(deadline)) {
            if let Some(rejected) = call.refuse_at_once(located, deadline) {
                call.progress = Progress::Done;
                return Poll::Ready(E::outcome(Err(E::refusal(rejected))));
            }
        }
        self.poll_slow(context, Some(located))
    }

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
        self.end_deadline();
        Poll::Ready(E::outcome(result.map_err(E::refusal)))
    }

    /// Gives up the timer of a call that is ready. Its future may be kept.
    #[inline]
    fn end_deadline(&mut self) {
        if let Some(deadline) = E::deadline_mut(&mut self.deadline) {
            deadline.end();
        }
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
