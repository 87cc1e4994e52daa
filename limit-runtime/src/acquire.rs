//! The futures that take permits: they join the queue, and leave it when dropped.

use crate::limiter::Limiter;
use crate::permit::Permit;
use crate::registry::Lease;
use crate::rejected::Rejected;
use crate::semaphore::{
    ADMITTED, Entered, GRANTED, NO_SLOT, Place, RETRY, Refusal, Semaphore, TOO_HEAVY, WAITING,
    standing, with_figure,
};
use crate::sync::Ordering;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::Instant;

/// The future of [`Limiter::acquire`]. Its output is the [`Permit`].
///
/// It does nothing until it is polled. The first poll binds it to the runtime by which it is polled.
///
/// # Cancel safety
///
/// Dropping it at any time gives back its place in the queue, and the permit if it has been handed
/// one. A call that is made again starts at the end of the queue. (One that is never dropped,
/// [`std::mem::forget`], keeps its place, and the permit that it is handed in time.)
///
/// A free permit is taken at once, without a look at tokio's cooperative budget: as without the
/// limit, a task that never waits for anything else does not yield.
#[must_use = "futures do nothing unless polled"]
pub struct Acquire<'a> {
    call: Call<'a>,
}

/// The future of [`Limiter::acquire_many`]. Its output is the [`Permit`], or [`Rejected`] if the
/// call wants more permits than the limit.
///
/// Everything else is as for [`Acquire`].
#[must_use = "futures do nothing unless polled"]
pub struct AcquireMany<'a> {
    call: Call<'a>,
}

/// Where a call has looked for its permits, and for how long that is right.
type Looked = (&'static Semaphore, Lease);

/// A call on its way to its permits.
struct Call<'a> {
    limiter: &'a Limiter,
    weight: u32,
    waiter: Option<Waiter>,
    /// When it began to wait, if it has.
    since: Option<Instant>,
}

impl<'a> Acquire<'a> {
    #[inline]
    pub(crate) fn new(limiter: &'a Limiter) -> Self {
        Self { call: Call::new(limiter, 1) }
    }
}

impl<'a> AcquireMany<'a> {
    pub(crate) fn new(limiter: &'a Limiter, weight: u32) -> Self {
        Self { call: Call::new(limiter, weight) }
    }
}

impl Future for Acquire<'_> {
    type Output = Permit;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Permit> {
        match self.call.take_free(context) {
            Ok(permit) => Poll::Ready(permit),
            Err(looked) => self.call.poll_one(context, looked),
        }
    }
}

impl Future for AcquireMany<'_> {
    type Output = Result<Permit, Rejected>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Call { limiter, weight, .. } = self.call;
        match self.call.take_free(context) {
            Ok(permit) => Poll::Ready(Ok(permit)),
            Err(looked) => {
                let polled = self.call.poll_slow(context, looked);
                polled.map_err(|refusal| limiter.rejected(weight, refusal))
            }
        }
    }
}

impl<'a> Call<'a> {
    #[inline]
    fn new(limiter: &'a Limiter, weight: u32) -> Self {
        Self { limiter, weight, waiter: None, since: None }
    }

    /// The fast path, on the first poll: the permits, if they are free and nothing is out of the
    /// ordinary; else where it has looked for them.
    #[inline]
    fn take_free(&self, context: &mut Context<'_>) -> Result<Permit, Option<Looked>> {
        if self.waiter.is_some() {
            return Err(None);
        }
        let (semaphore, lease) = self.limiter.semaphore(Some(context.waker()));
        if semaphore.try_acquire(self.weight, || lease.holds()) {
            Ok(Permit::new(semaphore, self.weight, NO_SLOT))
        } else {
            Err(Some((semaphore, lease)))
        }
    }

    /// Everything else, for one permit.
    #[inline(never)]
    fn poll_one(&mut self, context: &mut Context<'_>, looked: Option<Looked>) -> Poll<Permit> {
        self.poll_slow(context, looked).map(|result| match result {
            Ok(permit) => permit,
            Err(_) => unreachable!("one permit is never more than a limit"),
        })
    }

    /// Everything else.
    #[inline]
    fn poll_slow(
        &mut self,
        context: &mut Context<'_>,
        looked: Option<Looked>,
    ) -> Poll<Result<Permit, Refusal>> {
        let Some(waiter) = &self.waiter else {
            return self.enter(context, looked);
        };
        match waiter.standing(context.waker()) {
            GRANTED => Poll::Ready(Ok(self.admitted())),
            TOO_HEAVY => {
                let refusal = waiter.semaphore.leave_refused(waiter.place.slot, waiter.weight);
                std::mem::forget(self.waiter.take());
                Poll::Ready(Err(refusal))
            }
            // The runtime has ended, or who was to find the limit out has failed to.
            RETRY => {
                self.retry();
                self.enter(context, None)
            }
            _ => Poll::Pending,
        }
    }

    /// Takes the permits the slow way, or joins the queue.
    #[inline]
    fn enter(
        &mut self,
        context: &mut Context<'_>,
        mut looked: Option<Looked>,
    ) -> Poll<Result<Permit, Refusal>> {
        loop {
            let (semaphore, lease) =
                looked.take().unwrap_or_else(|| self.limiter.semaphore(Some(context.waker())));
            match semaphore.enter(self.weight, Some(context.waker()), || lease.holds()) {
                Entered::Admitted => {
                    let permit = Permit::new(semaphore, self.weight, NO_SLOT);
                    // It may have waited at a runtime that has ended.
                    if let Some(since) = self.since {
                        self.log_admitted(since.elapsed());
                    }
                    return Poll::Ready(Ok(permit));
                }
                Entered::Queued(place) => {
                    self.waiter = Some(Waiter { semaphore, place, weight: self.weight });
                    self.since.get_or_insert_with(Instant::now);
                    self.limiter.assert_not_finding_out();
                    self.log_waiting();
                    return Poll::Pending;
                }
                Entered::Refused(refusal) => return Poll::Ready(Err(refusal)),
                Entered::Unbound => self.limiter.bind(semaphore),
                // The registry has passed on: look again.
                Entered::Stale => {}
            }
        }
    }

    /// Makes the granted waiter a permit.
    fn admitted(&mut self) -> Permit {
        let waiter = self.waiter.take().expect("only a waiter is granted permits");
        let (semaphore, place) = (waiter.semaphore, waiter.place);
        let wait = self.since.map_or(Duration::ZERO, |since| since.elapsed());
        let nanoseconds = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        // Read under the lock only. Whoever counts it does so after the permit's release, which
        // takes the lock after this; a snapshot before that may be early and not see it yet.
        place.grant.store(with_figure(ADMITTED, nanoseconds), Ordering::Relaxed);
        // The slot is the permit's from here on: it goes back with it.
        std::mem::forget(waiter);
        let permit = Permit::new(semaphore, self.weight, place.slot);
        // Foreign code, which may panic: the permit is there already.
        self.log_admitted(wait);
        permit
    }

    fn retry(&mut self) {
        if let Some(waiter) = self.waiter.take() {
            waiter.semaphore.leave(waiter.place.slot, waiter.weight, false);
            std::mem::forget(waiter);
        }
    }

    #[cfg(feature = "tracing")]
    fn log_waiting(&self) {
        tracing::debug!(limiter = self.limiter.name(), "call waits for a permit");
    }

    #[cfg(feature = "tracing")]
    fn log_admitted(&self, waited: Duration) {
        tracing::debug!(limiter = self.limiter.name(), ?waited, "call is let in");
    }

    #[cfg(not(feature = "tracing"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn log_waiting(&self) {}

    #[cfg(not(feature = "tracing"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn log_admitted(&self, _waited: Duration) {}
}

/// A place in a queue, left when dropped.
#[derive(Debug)]
struct Waiter {
    semaphore: &'static Semaphore,
    place: Place,
    weight: u32,
}

impl Waiter {
    /// How the waiter stands; while it waits, `waker` is the one that will be woken.
    fn standing(&self, waker: &Waker) -> u64 {
        let now = || standing(self.place.grant.load(Ordering::Acquire));
        match now() {
            WAITING => {
                self.semaphore.update_waker(self.place.slot, waker);
                // Again, because it may have been served before the waker was exchanged.
                now()
            }
            other => other,
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.semaphore.leave(self.place.slot, self.weight, true);
    }
}

impl fmt::Debug for Acquire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.debug("Acquire", f)
    }
}

impl fmt::Debug for AcquireMany<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.debug("AcquireMany", f)
    }
}

impl Call<'_> {
    fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            // Not its name: to look at a call is no use of the limiter.
            .field("limiter", self.limiter)
            .field("weight", &self.weight)
            .field("waiting", &self.waiter.is_some())
            .finish()
    }
}
