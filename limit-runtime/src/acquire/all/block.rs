//! Taking the permits of several limits on a thread that blocks.

use super::super::park::ParkedThread;
use super::members::AnyMembers;
use super::{AcquireAll, Members, Progress};
use crate::admission::Admission;
use crate::recorder::PollPoint;
use crate::rejected::Rejected;
use crate::tokio_context::assert_may_block;
use std::task::Poll;

impl<E: Admission, M: Members> AcquireAll<E, M> {
    /// Blocks the thread until the call is ready.
    ///
    /// # Panics
    ///
    /// If the thread drives a runtime.
    #[track_caller]
    pub(crate) fn block(mut self) -> E::Outcome<M::Guard> {
        let first = self.members.member(0).limiter();
        assert_may_block("blocking_acquire_all", first.name(), "acquire_all(…)");
        // Each member says for itself whether it gives up.
        self.progress.point = PollPoint::blocking(|| false);
        let result = self.progress.block(&mut self.members);
        self.end(result)
    }
}

impl Progress {
    /// Blocks the thread until the call has all permits, or is refused.
    fn block(&mut self, members: &mut dyn AnyMembers) -> Result<(), Rejected> {
        for number in 0..members.count() {
            members.get(number).block();
        }
        let mut thread = ParkedThread::new();
        loop {
            if let Poll::Ready(result) = self.poll(members, &mut thread.context()) {
                return result;
            }
            let member = members.get(self.waits_at());
            thread.park(member.waiter(), member.until());
        }
    }
}
