//! Taking a permit on a thread that blocks.

use super::pending_call::{PendingCall, Progress};
use super::{Acquire, gives_up};
use crate::admission::Admission;
use crate::deadline::Deadline;
use crate::keying::Keying;
use crate::permit::Permit;
use crate::recorder::PollPoint;
use crate::rejected::Rejected;
use crate::semaphore::{KeySource, Tick, TickerRef, WaitsFor};
use crate::tokio_context::assert_may_block;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::task::{Context, Poll, Wake, Waker};
use tokio::time::Instant;

/// Wakes the thread that blocks. The thread's own token would not do: other code that runs on the
/// thread, such as a subscriber of `tracing`, may park as well, and take the token.
struct ThreadWaker(SyncSender<()>);

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        // An error means that the thread is to wake up already.
        let _ = self.0.try_send(());
    }
}

impl<E: Admission, K: Keying> Acquire<'_, E, K> {
    /// Blocks the thread until the call is ready.
    ///
    /// # Panics
    ///
    /// If the thread drives a runtime.
    #[track_caller]
    pub(crate) fn block(mut self) -> E::Outcome<Permit> {
        assert_may_block(self.call.limiter.name());
        self.call.request.blocks = true;
        let Self { call, deadline, key } = &mut self;
        call.point = PollPoint::blocking(|| gives_up::<E>(call.limiter, deadline));
        let result = match call.take_free(&mut Context::from_waker(Waker::noop()), key) {
            Ok(permit) => Ok(permit),
            Err(_) => call.block(key.source(), E::deadline_mut(deadline)),
        };
        call.progress = Progress::Done;
        E::outcome(result.map_err(E::refusal))
    }
}

impl PendingCall<'_> {
    fn block(
        &mut self,
        key: Option<&dyn KeySource>,
        mut deadline: Option<&mut Deadline>,
    ) -> Result<Permit, Rejected> {
        let (wake, woken) = mpsc::sync_channel(1);
        let waker = Waker::from(Arc::new(ThreadWaker(wake)));
        let mut context = Context::from_waker(&waker);
        let mut ticker = None;
        loop {
            if let Poll::Ready(result) =
                self.poll_slow(&mut context, None, key, deadline.as_deref_mut())
            {
                return result;
            }
            let until = self.since.and_then(|since| deadline.as_ref()?.moment(since));
            if let (Some(since), Some(deadline)) = (self.since, &mut deadline) {
                if until.is_some_and(|until| until <= Instant::now()) {
                    if let Poll::Ready(result) = self.time_out(since, &mut context, key, deadline) {
                        return result;
                    }
                    continue;
                }
            }
            let tick = self.watch_the_clock(&mut ticker, &waker);
            // An error means that it is time to look again.
            let _ = match tick.into_iter().chain(until).min() {
                Some(until) => woken.recv_timeout(until.saturating_duration_since(Instant::now())),
                None => woken.recv().map_err(RecvTimeoutError::from),
            };
        }
    }

    /// Serves the calls whose permits have come with time, if no other thread that blocks is the ticker. Returns when to
    /// do so again, if that is known.
    fn watch_the_clock(&self, ticker: &mut Option<TickerRef>, waker: &Waker) -> Option<Instant> {
        let Progress::Waiting(waiter) = &self.progress else { return None };
        if waiter.waits_for() != WaitsFor::Time {
            return None;
        }
        // The call may wait elsewhere by now, because its runtime has ended.
        ticker.take_if(|ticker| ticker.semaphore().id() != waiter.semaphore().id());
        if ticker.is_none() {
            // Dropping it wakes the other threads that wait, and one of them has the next ticker.
            *ticker = waiter.semaphore().add_ticker(None);
        }
        match ticker.as_ref()?.tick(waker) {
            Tick::Until(until) => until,
            Tick::Done => {
                *ticker = None;
                None
            }
        }
    }
}
