//! One of the limits that a call takes as one.

use super::super::Acquire;
use super::super::pending_call::{PendingCall, Progress};
use crate::admission::Admission;
use crate::deadline::Deadline;
use crate::engine::core::Core;
use crate::keying::Keying;
use crate::logging;
use crate::permit::Permit;
use crate::policy::MaxWait;
use crate::recorder::{CallRecord, CallSite, PollPoint};
use crate::rejected::Rejected;
use crate::semaphore::{Held, Waiter, WaitsFor};
use std::fmt;
use std::mem;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// The permits of a limit that the call has.
enum Taken {
    Nothing,
    /// Permits that are not listed yet: the call may give them back.
    Held(Held),
    /// The permit that the call holds while it waits for others, or is to run under.
    Permit(Permit),
}

/// One of the limits of a call, with what the call has of it.
///
/// It stands in public signatures, and nobody else can name it.
pub struct Member<'a, K> {
    call: PendingCall<'a>,
    /// The deadline of a call that can be refused.
    deadline: Option<Deadline>,
    key: K,
    /// The time at which the call has joined the queue, if anybody wants to know it.
    joined: Option<Instant>,
    taken: Taken,
    /// The call has asked for this limit before.
    has_asked: bool,
    /// The call names the limiter again.
    is_named_twice: bool,
}

/// A [`Member`] with a key of any type, or none.
pub(super) trait AnyMember {
    fn limiter(&self) -> &Core;

    /// Returns whether the limit holds for each key.
    fn has_key(&self) -> bool;

    /// Notes that the call names the limiter again, for so many permits.
    fn name_again(&mut self, weight: u32);

    fn weight(&self) -> u32;

    fn set_max_wait(&mut self, max_wait: MaxWait);

    fn of_body(&mut self);

    /// Notes that a thread blocks until the call is ready.
    fn block(&mut self);

    /// Returns the queue in which the call waits, if it waits for this limit.
    fn waiter(&self) -> Option<&Waiter>;

    /// Returns the moment from which on it may wait no longer, if a thread blocks for it.
    fn until(&self) -> Option<Instant>;

    /// Notes where the call is polled.
    fn note(&mut self, point: PollPoint);

    /// Returns whether the call would be admitted. Changes nothing.
    fn look(&mut self, context: &Context<'_>) -> bool;

    /// Takes permits that are free. Returns whether it did.
    fn take(&mut self, context: &Context<'_>) -> bool;

    /// Waits until the call is handed permits. `since` is the time at which the call began to wait for any limit.
    fn wait(
        &mut self,
        context: &mut Context<'_>,
        since: &mut Option<Instant>,
    ) -> Poll<Result<(), Rejected>>;

    /// Claims the permits that the call was handed. Returns whether they were still there. If not, the call waits on.
    fn claim(
        &mut self,
        context: &mut Context<'_>,
        since: Option<Instant>,
    ) -> Result<bool, Rejected>;

    /// Gives back what the call has, as if it had not come.
    fn give_back(&mut self);

    /// Lists the call as one that holds the permits, which it has. With `waits_on` it waits for others meanwhile.
    fn hold(&mut self, waits_on: bool);

    /// Returns the permit, which the call has. If it names the limiter again, a permit of nothing is left.
    fn permit(&mut self) -> Permit;
}

impl<'a, K> Member<'a, K> {
    #[inline]
    pub(crate) fn new<E: Admission>(acquire: Acquire<'a, E, K>, site: CallSite) -> Self {
        let Acquire { mut call, mut deadline, key } = acquire;
        call.site = site;
        let deadline = E::deadline_mut(&mut deadline).map(mem::take);
        Self {
            call,
            deadline,
            key,
            joined: None,
            taken: Taken::Nothing,
            has_asked: false,
            is_named_twice: false,
        }
    }
}

impl<K> fmt::Debug for Member<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("limiter", self.call.limiter).finish_non_exhaustive()
    }
}

impl<K: Keying> Member<'_, K> {
    fn poll_wait(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Permit>, Rejected>> {
        let Self { call, deadline, key, .. } = self;
        let (key, deadline) = (key.source(), deadline.as_mut());
        let Progress::Waiting(waiter) = &mut call.progress else {
            return call.poll_slow(context, None, key, deadline).map_ok(Some);
        };
        call.record.note_poll(call.point);
        match waiter.poll_granted(context.waker()) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(None)),
            Poll::Pending => call.look_at_the_clock(context, key, deadline).map_ok(Some),
            Poll::Ready(Err(unserved)) => {
                call.unserved(unserved, context, key, deadline).map_ok(Some)
            }
        }
    }
}

impl<K: Keying> AnyMember for Member<'_, K> {
    fn limiter(&self) -> &Core {
        self.call.limiter
    }

    fn has_key(&self) -> bool {
        self.key.source().is_some_and(|source| source.share().is_none())
    }

    fn name_again(&mut self, weight: u32) {
        self.is_named_twice = true;
        if weight > self.weight() {
            self.call.request.weight = weight;
            self.call.request.enabled = true;
        }
    }

    fn weight(&self) -> u32 {
        self.call.request.permits()
    }

    fn set_max_wait(&mut self, max_wait: MaxWait) {
        self.deadline = Some(Deadline::from_call(max_wait));
    }

    fn of_body(&mut self) {
        self.call.site = self.call.site.of_body();
    }

    fn block(&mut self) {
        self.call.request.blocks = true;
    }

    fn waiter(&self) -> Option<&Waiter> {
        self.call.waiter()
    }

    fn until(&self) -> Option<Instant> {
        self.call.until(self.deadline.as_ref())
    }

    #[inline]
    fn note(&mut self, point: PollPoint) {
        let gives_up =
            || self.deadline.as_ref().is_some_and(|deadline| deadline.max_wait().is_some());
        self.call.point = point.of_member(self.has_asked, gives_up);
    }

    fn look(&mut self, context: &Context<'_>) -> bool {
        if !matches!(self.taken, Taken::Nothing) {
            return true;
        }
        let PendingCall { limiter, request, .. } = self.call;
        loop {
            let (semaphore, epoch) = limiter.semaphore(Some(context.waker()));
            match semaphore.would_admit(request, self.key.source(), || epoch.is_current()) {
                Some(would_admit) => return would_admit,
                // Without a waker this does not wait: it resolves the limit itself.
                None => drop(limiter.bind(semaphore, request.permits(), None)),
            }
        }
    }

    fn take(&mut self, context: &Context<'_>) -> bool {
        let PendingCall { limiter, request, .. } = self.call;
        let (semaphore, epoch) = limiter.semaphore(Some(context.waker()));
        let free = limiter.take_free(semaphore, request.permits(), &self.key, epoch);
        let enter = || semaphore.enter_if_free(request, self.key.source(), || epoch.is_current());
        let Some(held) = free.or_else(enter) else { return false };
        self.taken = Taken::Held(held);
        true
    }

    fn wait(
        &mut self,
        context: &mut Context<'_>,
        since: &mut Option<Instant>,
    ) -> Poll<Result<(), Rejected>> {
        let was_waiting = matches!(self.call.progress, Progress::Waiting(_));
        self.call.since = *since;
        let result = self.poll_wait(context);
        if let (false, Progress::Waiting(waiter)) = (was_waiting, &self.call.progress) {
            // The time in this queue is counted here, whatever the call has waited for before.
            self.joined = match *since {
                None => self.call.since,
                Some(_) => waiter.is_measured().then(Instant::now),
            };
        }
        self.has_asked = true;
        *since = since.or(self.call.since);
        if let Progress::Waiting(waiter) = &self.call.progress {
            if waiter.waits_for() != WaitsFor::Limit {
                // Of this queue nobody may ask for the time. A limit further on may have a `max_wait`.
                since.get_or_insert_with(Instant::now);
            }
        }
        let permit = ready!(result)?;
        if let Some(permit) = permit {
            self.taken = Taken::Held(permit.into_held());
            self.call.progress = Progress::Done;
        }
        Poll::Ready(Ok(()))
    }

    fn claim(
        &mut self,
        context: &mut Context<'_>,
        since: Option<Instant>,
    ) -> Result<bool, Rejected> {
        let Self { call, deadline, key, joined, taken, .. } = self;
        let elapsed = || joined.map_or(Duration::ZERO, |joined| joined.elapsed());
        let Progress::Waiting(waiter) = &mut call.progress else {
            return Ok(!matches!(taken, Taken::Nothing));
        };
        match waiter.poll(context.waker(), elapsed) {
            Poll::Ready(Ok(held)) => {
                *taken = Taken::Held(held);
                call.progress = Progress::Done;
                // Foreign code may panic. The permits are owned already.
                logging::tell_admitted(|| call.limiter.name(), elapsed);
                Ok(true)
            }
            Poll::Ready(Err(unserved)) => {
                call.since = since;
                match call.unserved(unserved, context, key.source(), deadline.as_mut())? {
                    Poll::Ready(permit) => {
                        *taken = Taken::Held(permit.into_held());
                        call.progress = Progress::Done;
                        Ok(true)
                    }
                    Poll::Pending => Ok(false),
                }
            }
            Poll::Pending => Ok(false),
        }
    }

    fn give_back(&mut self) {
        // First, as when the call is dropped: as long as it is listed, the place in the queue is its own.
        self.call.record = CallRecord::NONE;
        let progress = mem::replace(&mut self.call.progress, Progress::Asking);
        self.joined = None;
        if let Some(deadline) = &mut self.deadline {
            deadline.end();
        }
        match mem::replace(&mut self.taken, Taken::Nothing) {
            Taken::Held(held) => held.give_back_unused(),
            Taken::Permit(permit) => drop(permit),
            Taken::Nothing => {
                if let Progress::Waiting(waiter) = progress {
                    waiter.pass_on();
                }
            }
        }
    }

    fn hold(&mut self, waits_on: bool) {
        self.taken = match mem::replace(&mut self.taken, Taken::Nothing) {
            Taken::Held(held) => {
                if waits_on {
                    held.ignore();
                }
                let wait = mem::replace(&mut self.call.record, CallRecord::NONE);
                let PendingCall { limiter, site, point, .. } = self.call;
                Taken::Permit(limiter.permit(held, wait, site, point))
            }
            taken => taken,
        };
        self.has_asked = true;
        if let Some(deadline) = &mut self.deadline {
            deadline.end();
        }
    }

    fn permit(&mut self) -> Permit {
        self.hold(false);
        match mem::replace(&mut self.taken, Taken::Nothing) {
            Taken::Permit(mut permit) if self.is_named_twice => {
                // The second time, nothing is left in it.
                let all = permit.split(permit.weight());
                self.taken = Taken::Permit(permit);
                all.expect("it has as many as it has")
            }
            Taken::Permit(permit) => permit,
            Taken::Held(_) | Taken::Nothing => unreachable!("the call has the permits"),
        }
    }
}
