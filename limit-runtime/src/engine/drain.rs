//! Waiting until a limiter is not in use.

use super::Engine;
use crate::semaphore::Semaphore;
use crate::unwind::run_all_then_resume_panic;
use std::task::Waker;

impl Engine {
    /// The number of permits that are out and calls that wait, in all runtimes.
    pub(crate) fn busy(&self) -> usize {
        let state = self.state_in_use();
        let busy = || self.all_semaphores().into_iter().map(Semaphore::busy).sum();
        state.map_or(0, |_state| busy())
    }

    /// Returns whether no permit is out and no call waits, in any runtime, or the limiter was dropped. If
    /// not, the waker is woken when a semaphore that is in use is not any more, or the limiter is dropped.
    pub(crate) fn poll_drained(&self, drainer: u64, waker: &Waker) -> bool {
        // Foreign code clones and drops wakers: under no lock.
        let mut waker = Some(waker.clone());
        // Under the state's lock, so that the next owner of the index is not waited for.
        let Some(state) = self.state_in_use() else { return true };
        let semaphores = self.all_semaphores();
        let busy = semaphores.iter().position(|semaphore| {
            let Some(own) = waker.take() else { return true };
            let (is_drained, unneeded) = semaphore.poll_drained(drainer, own);
            waker = unneeded;
            !is_drained
        });
        drop(state);
        let looked_at = busy.map_or(semaphores.len(), |busy| busy + 1);
        run_all_then_resume_panic(semaphores.into_iter().take(looked_at), Semaphore::serve_all);
        busy.is_none()
    }

    /// Forgets the waker of a drainer.
    pub(crate) fn forget_drainer(&self, drainer: u64) {
        self.semaphores().into_iter().for_each(|semaphore| semaphore.forget_drainer(drainer));
    }
}
