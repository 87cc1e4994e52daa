//! Changing the weight of a permit on a thread that blocks.

use super::{Progress, Resize, engine, gives_up, name};
use crate::acquire::park::ParkedThread;
use crate::recorder::PollPoint;
use crate::rejected::Rejected;
use crate::tokio_context::assert_may_block;
use std::task::Poll;

impl Resize<'_> {
    /// Blocks the thread until the permit has the weight, or is refused it.
    ///
    /// # Panics
    ///
    /// If the thread drives a runtime.
    #[track_caller]
    pub(in super::super) fn block(mut self) -> Result<(), Rejected> {
        let limiter = engine(self.permit);
        assert_may_block("blocking_resize", name(limiter.as_deref()), "resize(…)");
        self.blocks = true;
        let Self { point, deadline, permit, .. } = &mut self;
        *point = PollPoint::blocking(|| gives_up(deadline, permit));
        if let Some(result) = self.resize_at_once() {
            return result;
        }
        let mut thread = ParkedThread::new();
        loop {
            if let Poll::Ready(result) = self.poll_slow(&mut thread.context()) {
                return result;
            }
            let Progress::Waiting(waiter) = &self.progress else {
                unreachable!("only a call that waits is pending");
            };
            thread.park(Some(waiter), self.since.and_then(|since| self.deadline.moment(since)));
        }
    }
}
