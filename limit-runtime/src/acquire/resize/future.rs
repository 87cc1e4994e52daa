//! The future of a permit whose weight changes.

mod block;

use super::super::ticker;
use crate::deadline::Deadline;
use crate::engine::{Engine, catalog};
use crate::logging;
use crate::permit::Permit;
use crate::policy::MaxWait;
use crate::recorder::{CallPlace, CallRecord, CallSite, PollPoint};
use crate::rejected::{Reason, Refusal, Rejected, RejectedKind};
use crate::semaphore::{Entered, Held, Unserved, Waiter, WaitsFor};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// The future of [`Permit::resize`]. Its output is `Ok`, or the reason why the permit has not grown.
///
/// It does nothing until it is polled. [`Permit::resize`] says all about it.
#[must_use = "futures do nothing unless polled"]
pub struct Resize<'a> {
    weight: u32,
    /// The listing as one that waits. It stands before `progress`, so that it is dropped first: as long as it is there,
    /// the place in the queue is the call's.
    record: CallRecord,
    progress: Progress,
    /// The limiter, once the call must wait.
    limiter: Option<Arc<Engine>>,
    deadline: Deadline,
    since: Option<Instant>,
    site: CallSite,
    point: PollPoint,
    /// A thread blocks until the call is ready, and watches the clock itself.
    blocks: bool,
    permit: &'a mut Permit,
}

enum Progress {
    Asking,
    Waiting(Waiter),
    Done,
}

impl<'a> Resize<'a> {
    #[inline]
    pub(super) fn new(permit: &'a mut Permit, weight: u32, site: CallSite) -> Self {
        let (record, point) = (CallRecord::NONE, PollPoint::NONE);
        let (progress, deadline) = (Progress::Asking, Deadline::default());
        let (limiter, since, blocks) = (None, None, false);
        Self { weight, record, progress, limiter, deadline, since, site, point, blocks, permit }
    }
}

impl Resize<'_> {
    /// Waits at most this long for the permits that are missing (a [`Duration`]), or until an `Instant`. It takes the
    /// place of the limiter's [`max_wait`](crate::Limiter::max_wait). After that the call is refused as
    /// [`TimedOut`](RejectedKind::TimedOut), and the permit is as it was.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Limiter, RejectedKind};
    /// use std::time::Duration;
    ///
    /// static SLOTS: Limiter = Limiter::new("resize-max-wait", 2);
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut permit = SLOTS.acquire().await;
    /// let other = SLOTS.acquire().await;
    /// let refused = permit.resize(2).max_wait(Duration::from_millis(1)).await.unwrap_err();
    /// assert_eq!((refused.kind(), permit.weight()), (RejectedKind::TimedOut, 1));
    /// # drop(other);
    /// # }
    /// ```
    pub fn max_wait(mut self, max_wait: impl Into<MaxWait>) -> Self {
        self.deadline = Deadline::from_call(max_wait.into());
        self
    }

    /// Shrinks, or takes the permits that are missing, if the word has them.
    #[inline]
    fn resize_at_once(&mut self) -> Option<Result<(), Rejected>> {
        let Some(wants) = shrink_or_want(self.permit, self.weight) else {
            self.progress = Progress::Done;
            return Some(Ok(()));
        };
        let held = self.permit.permits().grow_by_word(wants)?;
        self.grown(held);
        Some(Ok(()))
    }

    /// Polls for the permits that are missing, after the word has not had them.
    #[inline(never)]
    fn poll_slow(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Rejected>> {
        loop {
            if let Progress::Asking = self.progress {
                let Some(wants) = shrink_or_want(self.permit, self.weight) else {
                    self.progress = Progress::Done;
                    return Poll::Ready(Ok(()));
                };
                let waker = match (self.begin_to_wait(), self.since) {
                    (true, _) => Ok(context.waker()),
                    (false, None) => Err(RejectedKind::NoPermits),
                    (false, Some(_)) => Err(RejectedKind::TimedOut),
                };
                match self.permit.permits().grow(wants, waker) {
                    Entered::Admitted(held) => {
                        self.grown(held);
                        return Poll::Ready(Ok(()));
                    }
                    Entered::Refused(refusal) => return Poll::Ready(Err(self.refused(refusal))),
                    Entered::Queued(waiter) => self.joined(waiter, wants),
                    Entered::Unbound | Entered::Stale => {
                        unreachable!("a holder's semaphore stays bound, and its limiter's")
                    }
                }
            }
            match ready!(self.poll_waiting(context)) {
                Ok(held) => {
                    self.grown(held);
                    return Poll::Ready(Ok(()));
                }
                Err(Unserved::Refused(refusal)) => return Poll::Ready(Err(self.refused(refusal))),
                Err(Unserved::Retry) => {
                    self.record.waits_nowhere();
                    self.progress = Progress::Asking;
                }
            }
        }
    }

    fn poll_waiting(&mut self, context: &mut Context<'_>) -> Poll<Result<Held, Unserved>> {
        let Self { record, progress, limiter, deadline, since, point, blocks, .. } = self;
        let Progress::Waiting(waiter) = progress else {
            panic!("`Resize` polled after it was ready");
        };
        let time = || elapsed(*since);
        record.note_poll(*point);
        if let Poll::Ready(result) = waiter.poll_to_grow(context.waker(), time) {
            return Poll::Ready(result);
        }
        if waiter.waits_for() == WaitsFor::Time && !*blocks {
            ticker::ensure_ticker(name(limiter.as_deref()), waiter.semaphore());
        }
        let Some(since) = *since else { return Poll::Pending };
        if !*blocks {
            ready!(deadline.poll(name(limiter.as_deref()), since, context));
        } else if !deadline.is_over(since) {
            return Poll::Pending;
        }
        // It may have been handed its permits at the same moment: `time_out` decides under the semaphore's lock.
        Poll::Ready(waiter.time_out(time))
    }

    /// Finds out how long the call may wait. Returns whether it may.
    fn begin_to_wait(&mut self) -> bool {
        if self.limiter.is_none() {
            self.limiter = engine(self.permit);
        }
        if let Some(limiter) = &self.limiter {
            self.deadline.begin_at(limiter.max_wait_of_code(), limiter.max_wait());
        }
        match self.since {
            None => !self.deadline.leaves_no_time(),
            Some(since) => !self.deadline.is_over(since),
        }
    }

    /// Notes that the call waits for so many more permits.
    fn joined(&mut self, waiter: Waiter, weight: u32) {
        // Stored before any step that may panic. Dropping the call then cancels it.
        let (semaphore, slot) = (waiter.semaphore().id(), waiter.place());
        self.progress = Progress::Waiting(waiter);
        if !self.record.waits_at(semaphore, slot) {
            let limiter = self.limiter.as_deref();
            let limiter = limiter.map(Engine::owner);
            let place = || CallPlace { limiter, semaphore, slot, weight };
            let gives_up = self.deadline.max_wait().is_some();
            self.record = CallRecord::waits(place, self.site, self.point, gives_up);
        }
        self.since.get_or_insert_with(Instant::now);
        // Foreign code (a subscriber of `tracing`) runs last, when everything is in order.
        logging::tell_waiting(|| name(self.limiter.as_deref()));
    }

    /// Adds the permits that the call has been handed.
    fn grown(&mut self, held: Held) {
        // Its slot is the permit's from here on.
        self.record = CallRecord::NONE;
        self.progress = Progress::Done;
        self.deadline.end();
        self.permit.add(held);
        if self.since.is_some() {
            self.permit.has_waited_inside();
            // Foreign code may panic. The permit has everything already.
            let waited = || elapsed(self.since);
            logging::tell_admitted(|| name(self.limiter.as_deref()), waited);
        }
    }

    fn refused(&mut self, refusal: Refusal) -> Rejected {
        // The listing ends, even if the future is kept.
        self.record = CallRecord::NONE;
        self.progress = Progress::Done;
        self.deadline.end();
        rejected(self.limiter.as_deref(), self.weight, elapsed(self.since), refusal)
    }
}

impl Future for Resize<'_> {
    type Output = Result<(), Rejected>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Self { point, deadline, permit, .. } = &mut *this;
        // Here, and nowhere deeper: see `PollPoint::measure`.
        point.note(context, || gives_up(deadline, permit));
        if let Progress::Asking = this.progress {
            if let Some(result) = this.resize_at_once() {
                return Poll::Ready(result);
            }
        }
        this.poll_slow(context)
    }
}

/// No field is pinned.
impl Unpin for Resize<'_> {}

impl fmt::Debug for Resize<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resize")
            .field("permit", &self.permit)
            .field("weight", &self.weight)
            .field("max_wait", &self.deadline.max_wait())
            .field("waiting", &matches!(self.progress, Progress::Waiting(_)))
            .finish()
    }
}

/// Returns whether a call waits for no longer than a time.
fn gives_up(deadline: &Deadline, permit: &Permit) -> bool {
    let of_limiter =
        |limiter: Arc<Engine>| limiter.max_wait_of_code().is_some() || limiter.max_wait().is_some();
    deadline.max_wait().is_some() || engine(permit).is_some_and(of_limiter)
}

fn name(limiter: Option<&Engine>) -> &str {
    limiter.map_or(DROPPED, |limiter| &limiter.name)
}

/// Stands for the name of a limiter that was dropped while its permits are out.
const DROPPED: &str = "(dropped)";

#[cold]
pub(super) fn rejected(
    limiter: Option<&Engine>,
    weight: u32,
    waited: Duration,
    mut refusal: Refusal,
) -> Rejected {
    if refusal.kind == RejectedKind::Deadlock {
        refusal.reason = Reason::Growth;
    }
    let name = limiter.map_or_else(|| DROPPED.into(), |limiter| Arc::clone(&limiter.name));
    Rejected::new(name, weight, waited, refusal)
}

fn elapsed(since: Option<Instant>) -> Duration {
    since.map_or(Duration::ZERO, |since| since.elapsed())
}

/// Gives back what is more than `weight`. Returns how many permits are missing, if any can be had.
pub(super) fn shrink_or_want(permit: &mut Permit, weight: u32) -> Option<u32> {
    let held = permit.weight();
    if weight < held {
        drop(permit.split(held - weight));
    }
    weight.checked_sub(held).filter(|&wants| wants > 0 && held > 0)
}

/// Returns the limiter, if there still is one.
pub(super) fn engine(permit: &Permit) -> Option<Arc<Engine>> {
    catalog::at_index(permit.owner()? as usize)
}
