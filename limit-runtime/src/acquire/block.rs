//! Taking a permit on a thread that blocks.

use super::park::ParkedThread;
use super::pending_call::{PendingCall, Progress};
use super::{Acquire, gives_up};
use crate::admission::Admission;
use crate::deadline::Deadline;
use crate::keying::Keying;
use crate::permit::Permit;
use crate::recorder::PollPoint;
use crate::rejected::Rejected;
use crate::semaphore::KeySource;
use crate::tokio_context::assert_may_block;
use std::task::{Context, Poll, Waker};

impl<E: Admission, K: Keying> Acquire<'_, E, K> {
    /// Blocks the thread until the call is ready.
    ///
    /// # Panics
    ///
    /// If the thread drives a runtime.
    #[track_caller]
    pub(crate) fn block(mut self) -> E::Outcome<Permit> {
        assert_may_block("blocking_acquire", self.call.limiter.name(), "acquire()");
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
        let mut thread = ParkedThread::new();
        loop {
            let result = self.poll_slow(&mut thread.context(), None, key, deadline.as_deref_mut());
            if let Poll::Ready(result) = result {
                return result;
            }
            thread.park(self.waiter(), self.until(deadline.as_deref()));
        }
    }
}
