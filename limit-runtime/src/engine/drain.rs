//! Waiting until a limiter is not in use.

use super::Engine;
use crate::semaphore::Semaphore;
use crate::unwind::run_all_then_resume_panic;
use std::task::Waker;

impl Engine {
    /// Returns the number of permits that are out plus calls that wait, in all runtimes.
    pub(crate) fn busy(&self) -> usize {
        // Declared first, so that it is dropped when no lock is held: users' keys may be in it.
        let mut deferred = Vec::new();
        let Some(_state) = self.state_in_use() else { return 0 };
        let semaphores = self.all_semaphores().into_iter();
        semaphores.map(|semaphore| semaphore.busy(&mut deferred)).sum()
    }

    /// Returns whether the limiter was dropped, or no permit is out and no call waits in any
    /// runtime. If not, the waker is woken when a busy semaphore becomes idle, or when the limiter
    /// is dropped.
    pub(crate) fn poll_drained(&self, drainer: u64, waker: &Waker) -> bool {
        // Cloned under no lock: a waker is foreign code.
        let mut waker = Some(waker.clone());
        // The state's lock keeps the index from passing to another limiter meanwhile.
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
        // `poll_drained` has set SLOW. `serve_all` serves the calls that have queued since, and
        // clears SLOW where it can. It wakes tasks, so it runs under no lock.
        run_all_then_resume_panic(semaphores.into_iter().take(looked_at), Semaphore::serve_all);
        busy.is_none()
    }

    /// Forgets a drainer's waker.
    pub(crate) fn forget_drainer(&self, drainer: u64) {
        self.semaphores().into_iter().for_each(|semaphore| semaphore.forget_drainer(drainer));
    }
}
