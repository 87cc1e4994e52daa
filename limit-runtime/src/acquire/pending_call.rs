//! A call on its way to its permits.

use super::ticker;
use crate::deadline::Deadline;
use crate::engine::core::Core;
use crate::keying::Keying;
use crate::logging;
use crate::permit::Permit;
use crate::policy::Request;
use crate::recorder::{CallPlace, CallRecord, CallSite, PollPoint};
use crate::registry::EpochRef;
use crate::rejected::{Refusal, Rejected, RejectedKind};
use crate::semaphore::{Came, Entered, Held, KeySource, Semaphore, Unserved, Waiter, WaitsFor};
use std::mem;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// The semaphore that a call uses, and the epoch in which it belongs to the call's runtime.
pub(super) type Located = (&'static Semaphore, EpochRef);

/// The state of a call.
pub(super) enum Progress {
    /// The call has not been polled yet, or enters again.
    Asking,
    Waiting(Waiter),
    /// The call was ready.
    Done,
}

/// A call on its way to its permits.
pub(super) struct PendingCall<'a> {
    pub(super) limiter: &'a Core,
    pub(super) request: Request,
    /// The listing as a waiter, if the call waits. Empty without the feature `diagnostics`. It stands before
    /// `progress`, so that it is dropped first: as long as it is there, the place in the queue is the call's.
    pub(super) record: CallRecord,
    pub(super) progress: Progress,
    /// The time at which the call began to wait, if it has. A call that nobody asks for its time has none: see
    /// [`Waiter::is_measured`].
    pub(super) since: Option<Instant>,
    /// The source location of the call. Empty without the feature `diagnostics`.
    pub(super) site: CallSite,
    /// Where the future was polled last. Empty without the feature `diagnostics`.
    pub(super) point: PollPoint,
}

impl PendingCall<'_> {
    /// Takes the fast path, on the first poll: takes the permits if they are free and no mode but keys is
    /// on. Otherwise returns the semaphore that it has looked up, for the slow path.
    #[expect(clippy::inline_always, reason = "measured: a call costs a third more without")]
    #[inline(always)]
    pub(super) fn take_free(
        &self,
        context: &mut Context<'_>,
        key: &impl Keying,
    ) -> Result<Permit, Option<Located>> {
        if !matches!(self.progress, Progress::Asking) {
            return Err(None);
        }
        let (semaphore, epoch) = self.limiter.semaphore(Some(context.waker()));
        let weight = self.request.permits();
        if let Some(held) = self.limiter.take_free(semaphore, weight, key, epoch) {
            return Ok(self.limiter.permit(held, CallRecord::NONE, self.site, self.point));
        }
        Err(Some((semaphore, epoch)))
    }

    /// Returns the permit of a call that has been handed its permits. Otherwise it changes nothing.
    #[expect(
        clippy::inline_always,
        reason = "measured: see `semaphore`, *What a queued call costs*"
    )]
    #[inline(always)]
    pub(super) fn poll_granted(&mut self) -> Option<Permit> {
        let Progress::Waiting(waiter) = &mut self.progress else { return None };
        let since = self.since;
        let held = waiter.claim_granted(|| elapsed(since))?;
        // The wait has ended: the waiter has nothing to drop.
        mem::forget(mem::replace(&mut self.progress, Progress::Done));
        Some(self.admitted(held))
    }

    /// Refuses a call on its first poll, if it may not wait and the word of the semaphore decides that.
    #[inline]
    pub(super) fn refuse_at_once(
        &self,
        (semaphore, epoch): Located,
        deadline: &mut Deadline,
    ) -> Option<Rejected> {
        if self.since.is_some() {
            // It has waited, and says how long.
            return None;
        }
        let has_time = || {
            deadline.begin(self.limiter.max_wait_set());
            !deadline.leaves_no_time()
        };
        let weight = self.request.permits();
        self.limiter.refuse_at_once(semaphore, weight, has_time, epoch)
    }

    #[inline]
    pub(super) fn poll_slow(
        &mut self,
        context: &mut Context<'_>,
        located: Option<Located>,
        key: Option<&dyn KeySource>,
        deadline: Option<&mut Deadline>,
    ) -> Poll<Result<Permit, Rejected>> {
        let waiter = match &mut self.progress {
            Progress::Asking => return self.enter(context, located, key, deadline),
            Progress::Waiting(waiter) => waiter,
            Progress::Done => polled_again(self.limiter),
        };
        let since = self.since;
        self.record.note_poll(self.point);
        match waiter.poll(context.waker(), || elapsed(since)) {
            Poll::Pending => self.look_at_the_clock(context, key, deadline),
            Poll::Ready(Ok(held)) => Poll::Ready(Ok(self.admitted(held))),
            Poll::Ready(Err(unserved)) => self.unserved(unserved, context, key, deadline),
        }
    }

    /// Ends a wait without permits: the call is refused, or enters again.
    pub(super) fn unserved(
        &mut self,
        unserved: Unserved,
        context: &mut Context<'_>,
        key: Option<&dyn KeySource>,
        deadline: Option<&mut Deadline>,
    ) -> Poll<Result<Permit, Rejected>> {
        self.progress = Progress::Asking;
        match unserved {
            Unserved::Refused(refusal) => Poll::Ready(Err(self.rejected(refusal))),
            // The runtime has ended, the limit is known now, or the caller that resolved it has
            // failed. The call stays listed as a waiter: it waits on.
            Unserved::Retry => {
                self.record.waits_nowhere();
                self.enter(context, None, key, deadline)
            }
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
        let is_judged = no_time || self.request.is_early;
        if let (false, None, Some((semaphore, epoch))) = (is_judged, key, located) {
            let mut came = Came { at: self.since, deadline: deadline.as_deref() };
            let (request, waker) = (self.request, context.waker());
            let waiter = semaphore.join(request, waker, &mut came, || epoch.is_current());
            if let Some(waiter) = waiter {
                let at = came.at;
                self.joined(waiter, deadline.as_deref(), at);
                return self.look_at_the_clock(context, key, deadline);
            }
        }
        loop {
            let (semaphore, epoch) =
                located.take().unwrap_or_else(|| self.limiter.semaphore(Some(context.waker())));
            let waker = match self.since {
                _ if !no_time => Ok(context.waker()),
                None => Err(RejectedKind::NoPermits),
                Some(_) => Err(RejectedKind::TimedOut),
            };
            let mut came = Came { at: self.since, deadline: deadline.as_deref() };
            match semaphore.enter(self.request, key, waker, &mut came, || epoch.is_current()) {
                Entered::Admitted(held) => {
                    let permit = self.permit(held);
                    // A call that waited at an ended runtime may be admitted here without waiting
                    // again.
                    if self.since.is_some() {
                        logging::tell_admitted(|| self.limiter.name(), || self.waited());
                    }
                    return Poll::Ready(Ok(permit));
                }
                Entered::Queued(waiter) => {
                    let at = came.at;
                    self.joined(waiter, deadline.as_deref(), at);
                    return self.look_at_the_clock(context, key, deadline);
                }
                Entered::Refused(refusal) => return Poll::Ready(Err(self.rejected(refusal))),
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

    /// Notes that the call is in the wait list. It has come at that time, if the clock was read.
    #[inline]
    fn joined(&mut self, waiter: Waiter, deadline: Option<&Deadline>, came: Option<Instant>) {
        // The waiter is stored before any step that may panic. Dropping the call then cancels it.
        let (semaphore, slot) = (waiter.semaphore(), waiter.place());
        let is_measured = waiter.is_measured();
        self.progress = Progress::Waiting(waiter);
        if !self.record.waits_at(semaphore.id(), slot) {
            let (limiter, weight) = (self.limiter, self.request.weight);
            let place =
                || CallPlace { limiter: limiter.index(), semaphore: semaphore.id(), slot, weight };
            let gives_up = deadline.is_some_and(|deadline| deadline.max_wait().is_some());
            self.record = CallRecord::waits(place, self.site, self.point, gives_up);
        }
        if is_measured || deadline.is_some() || logging::tells_of_waits() {
            // A call that enters again keeps its start: the wait counts from the first moment.
            self.since.get_or_insert_with(|| came.unwrap_or_else(Instant::now));
        }
        self.limiter.assert_not_resolving();
        // Foreign code (a subscriber of `tracing`) runs last, when everything is in order.
        logging::tell_waiting(|| self.limiter.name());
    }

    /// Checks whether a waiting call is out of time.
    #[inline]
    pub(super) fn look_at_the_clock(
        &mut self,
        context: &mut Context<'_>,
        key: Option<&dyn KeySource>,
        deadline: Option<&mut Deadline>,
    ) -> Poll<Result<Permit, Rejected>> {
        if let Progress::Waiting(waiter) = &self.progress {
            match waiter.waits_for() {
                WaitsFor::Permits => {}
                // A thread that blocks watches the clock itself.
                WaitsFor::Time if self.request.blocks => {}
                WaitsFor::Time => {
                    ticker::ensure_ticker(self.limiter.name(), waiter.semaphore());
                }
                // A wait for the limit is not timed, even if the call has waited for permits
                // before.
                WaitsFor::Limit => return Poll::Pending,
            }
        }
        let (Some(deadline), Some(since)) = (deadline, self.since) else { return Poll::Pending };
        if !self.request.blocks {
            ready!(deadline.poll(self.limiter.name(), since, context));
        } else if !deadline.is_over(since) {
            return Poll::Pending;
        }
        self.time_out(since, context, key, deadline)
    }

    /// Returns the queue in which the call waits.
    pub(super) fn waiter(&self) -> Option<&Waiter> {
        match &self.progress {
            Progress::Waiting(waiter) => Some(waiter),
            Progress::Asking | Progress::Done => None,
        }
    }

    /// Returns the moment from which on a call that blocks its thread may wait no longer, if there is one.
    pub(super) fn until(&self, deadline: Option<&Deadline>) -> Option<Instant> {
        let is_timed = self.waiter().is_some_and(|waiter| waiter.waits_for() != WaitsFor::Limit);
        self.since.filter(|_| is_timed).and_then(|since| deadline?.moment(since))
    }

    /// Ends the wait of a call whose time is up.
    pub(super) fn time_out(
        &mut self,
        since: Instant,
        context: &mut Context<'_>,
        key: Option<&dyn KeySource>,
        deadline: &mut Deadline,
    ) -> Poll<Result<Permit, Rejected>> {
        let Progress::Waiting(waiter) = &mut self.progress else {
            unreachable!("only a call that waits looks at the clock");
        };
        self.record.note_poll(self.point);
        // The call may have been handed its permits, or been dismissed, at the same moment.
        // `time_out` decides under the semaphore's lock.
        match waiter.time_out(|| elapsed(Some(since))) {
            Ok(held) => Poll::Ready(Ok(self.admitted(held))),
            Err(unserved) => self.unserved(unserved, context, key, Some(deadline)),
        }
    }

    /// Makes the permit of a call that has waited.
    #[inline]
    fn admitted(&mut self, held: Held) -> Permit {
        let permit = self.permit(held);
        // Foreign code may panic. The permit exists already, so a panic drops it and gives it back.
        logging::tell_admitted(|| self.limiter.name(), || self.waited());
        permit
    }

    /// Makes the permit. The listing as a waiter becomes that of the permit.
    #[inline]
    fn permit(&mut self, held: Held) -> Permit {
        let wait = mem::replace(&mut self.record, CallRecord::NONE);
        self.limiter.permit(held, wait, self.site, self.point)
    }

    fn rejected(&mut self, refusal: Refusal) -> Rejected {
        // The listing ends, even if the future is kept.
        self.record = CallRecord::NONE;
        self.limiter.rejected(self.request.weight, self.waited(), refusal)
    }

    /// Returns the time that the call has waited until now.
    #[inline]
    fn waited(&self) -> Duration {
        self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// Panics because a call was polled after it was ready.
#[cold]
fn polled_again(limiter: &Core) -> ! {
    panic!("`Acquire` of concurrency limit `{}` polled after it was ready", limiter.name())
}

/// Returns the wait of a call that is handed its permits.
#[inline]
fn elapsed(since: Option<Instant>) -> Duration {
    since.map_or(Duration::ZERO, |since| since.elapsed())
}
