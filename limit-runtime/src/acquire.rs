//! The future that takes permits: it joins the queue, and leaves it when dropped.

pub(crate) mod deadline;
#[cfg(any(feature = "task", feature = "tower"))]
pub(crate) mod run;
mod ticker;

use crate::admission::Admission;
use crate::diagnostics::{Record, Site};
use crate::keying::{Keying, Unkeyed};
use crate::limiter::Core;
#[cfg(feature = "tracing")]
use crate::logging;
use crate::permit::Permit;
use crate::policy::{MaxWait, Request};
use crate::registry::Lease;
use crate::rejected::Rejected;
use crate::semaphore::{Entered, Held, KeySource, Semaphore, Unserved, Waiter, WaitsFor};
use deadline::Deadline;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
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

/// Where a call has looked for its permits, and for how long that is right.
type Looked = (&'static Semaphore, Lease);

/// A call on its way to its permits.
struct Call<'a> {
    limiter: &'a Core,
    ask: Request,
    waiter: Option<Waiter>,
    /// When it began to wait, if it has.
    since: Option<Instant>,
    /// Where it is made, and that it waits. Nothing, without the feature `diagnostics`.
    site: Site,
    record: Record,
}

impl<'a, E: Admission, K> Acquire<'a, E, K> {
    #[inline]
    pub(crate) fn new(limiter: &'a Core, key: K, site: Site) -> Self {
        let (ask, record) = (limiter.ask, Record::NONE);
        Self {
            call: Call { limiter, ask, waiter: None, since: None, site, record },
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
        acquire.call.ask.weight = weight;
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
        self.call.ask.priority = priority;
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
        self.call.ask.enabled = enabled;
        self
    }

    fn fallible(self) -> Acquire<'a, Rejected, K> {
        let Self { mut call, deadline, key } = self;
        call.ask.fallible = true;
        Acquire { call, deadline: E::into_deadline(deadline), key }
    }
}

impl<E: Admission, K: Keying> Future for Acquire<'_, E, K> {
    type Output = E::Of<Permit>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        match this.call.take_free(context, K::MAY_BE_FREE) {
            Ok(permit) => Poll::Ready(E::admitted(permit)),
            Err(looked) => this.poll_slow(context, looked),
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
        looked: Option<Looked>,
    ) -> Poll<E::Of<Permit>> {
        let Self { call, deadline, key } = self;
        let polled = call.poll_slow(context, looked, key.source(), E::deadline_mut(deadline));
        polled.map(|result| match result {
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
    ) -> Result<Permit, Option<Looked>> {
        if self.waiter.is_some() {
            return Err(None);
        }
        let (semaphore, lease) = self.limiter.semaphore(Some(context.waker()));
        let weight = self.ask.permits();
        if may_be_free {
            if let Some(held) = semaphore.try_acquire(weight, || lease.holds()) {
                return Ok(self.limiter.permit(held, self.site));
            }
        }
        Err(Some((semaphore, lease)))
    }

    #[inline]
    fn poll_slow(
        &mut self,
        context: &mut Context<'_>,
        looked: Option<Looked>,
        key: Option<&dyn KeySource>,
        deadline: Option<&mut Deadline>,
    ) -> Poll<Result<Permit, Rejected>> {
        let Self { limiter, waiter, since, .. } = self;
        let Some(waiter) = waiter else {
            return self.enter(context, looked, key, deadline);
        };
        let (semaphore, mut wait) = (waiter.semaphore(), Duration::ZERO);
        let measure = || measure(limiter, semaphore, *since, &mut wait);
        let polled = waiter.poll(context.waker(), measure);
        match polled {
            Poll::Pending => self.look_at_the_clock(context, key, deadline),
            Poll::Ready(Ok(held)) => Poll::Ready(Ok(self.admitted(held, wait))),
            Poll::Ready(Err(unserved)) => self.unserved(unserved, context, key, deadline),
        }
    }

    /// Its wait has ended without permits.
    fn unserved(
        &mut self,
        unserved: Unserved,
        context: &mut Context<'_>,
        key: Option<&dyn KeySource>,
        deadline: Option<&mut Deadline>,
    ) -> Poll<Result<Permit, Rejected>> {
        self.waiter = None;
        match unserved {
            Unserved::Refused(refusal) => {
                self.waits_no_longer();
                Poll::Ready(Err(self.limiter.rejected(self.ask, self.waited(), refusal)))
            }
            // The runtime has ended, the limit is known now, or who was to find it out has failed to.
            // It is still listed as one that waits.
            Unserved::Retry => self.enter(context, None, key, deadline),
        }
    }

    /// Takes the permits the slow way, or joins the queue.
    #[inline]
    fn enter(
        &mut self,
        context: &mut Context<'_>,
        mut looked: Option<Looked>,
        key: Option<&dyn KeySource>,
        mut deadline: Option<&mut Deadline>,
    ) -> Poll<Result<Permit, Rejected>> {
        let no_time = deadline.as_mut().is_some_and(|deadline| {
            deadline.begin(self.limiter.max_wait_set());
            deadline.leaves_no_time()
        });
        loop {
            let (semaphore, lease) =
                looked.take().unwrap_or_else(|| self.limiter.semaphore(Some(context.waker())));
            let ask = Request { no_time, ..self.ask };
            let waker = (!no_time).then_some(context.waker());
            match semaphore.enter(ask, key, waker, || lease.holds()) {
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
                    self.waiter = Some(waiter);
                    if !self.record.waits_at(semaphore) {
                        self.record =
                            Record::waits(self.limiter, semaphore, self.ask.weight, self.site);
                    }
                    self.since.get_or_insert_with(Instant::now);
                    self.limiter.assert_not_finding_out();
                    self.log_waiting();
                    return self.look_at_the_clock(context, key, deadline);
                }
                Entered::Refused(refusal) => {
                    self.waits_no_longer();
                    return Poll::Ready(Err(self.limiter.rejected(
                        self.ask,
                        self.waited(),
                        refusal,
                    )));
                }
                Entered::Unbound => {
                    // To wait for the limit is not to wait for a permit: it is not counted, and no time
                    // runs.
                    let waker = Some(context.waker());
                    self.waiter = self.limiter.bind(semaphore, self.ask.weight, waker);
                    if self.waiter.is_some() {
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
        if let Some(waiter) = &self.waiter {
            match waiter.waits_for() {
                WaitsFor::Permits => {}
                WaitsFor::Time => ticker::see_to_it(waiter.semaphore()),
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
        let Self { limiter, waiter, .. } = self;
        let waiter = waiter.as_mut().expect("only a waiter looks at the clock");
        let (semaphore, mut wait) = (waiter.semaphore(), Duration::ZERO);
        // It may have been handed its permits, or been dismissed, at the same time.
        match waiter.time_out(|| measure(limiter, semaphore, Some(since), &mut wait)) {
            Ok(held) => Poll::Ready(Ok(self.admitted(held, wait))),
            Err(unserved) => self.unserved(unserved, context, key, Some(deadline)),
        }
    }

    /// Makes a permit of what the waiter was handed.
    #[inline]
    fn admitted(&mut self, held: Held, wait: Duration) -> Permit {
        self.waiter = None;
        let mut record = std::mem::replace(&mut self.record, Record::NONE);
        record.admitted(self.limiter, held.semaphore(), held.weight(), self.site);
        let permit = Permit::new(held, record);
        // Foreign code, which may panic: the permit is there already.
        self.log_admitted(wait);
        permit
    }

    /// It is not listed as one that waits any more, even if it is kept.
    #[inline]
    fn waits_no_longer(&mut self) {
        self.record = Record::NONE;
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

/// Measures for how long a call has waited that has been handed its permits.
#[inline]
fn measure(
    limiter: &Core,
    semaphore: &Semaphore,
    since: Option<Instant>,
    wait: &mut Duration,
) -> Duration {
    *wait = since.map_or(Duration::ZERO, |since| since.elapsed());
    // Foreign code, which may panic: the waiter still owns its permits. And before a snapshot can see the
    // wait.
    #[cfg(feature = "opentelemetry")]
    {
        let nanoseconds = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        crate::exporters::opentelemetry::waited(limiter.entry(), semaphore, nanoseconds);
    }
    #[cfg(not(feature = "opentelemetry"))]
    let _ = (limiter, semaphore);
    *wait
}

impl<E: Admission, K> fmt::Debug for Acquire<'_, E, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire")
            // Not its name: to look at a call is no use of the limiter.
            .field("limiter", self.call.limiter)
            .field("weight", &self.call.ask.weight)
            .field("priority", &self.call.ask.priority)
            .field("max_wait", &E::max_wait(&self.deadline))
            .field("waiting", &self.call.waiter.is_some())
            .finish()
    }
}
