//! The methods of a semaphore whose permits are leased from a fleet: the agent's side, and what a call
//! and its permit look at.

use super::deferred::Deferred;
use super::lease::{Load, Term};
use super::permits::Semaphore;
use super::state::State;
use super::waiter::{Held, Permits};
use super::wake_list::WakeList;
use crate::unwind::Quiet;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// The agent's side. The caller wakes the result of each, and then calls
/// [`serve_all`](Semaphore::serve_all), both under no lock.
impl Semaphore {
    /// Makes it a leased semaphore: it has no permits until the first grant. `agent` is woken when there
    /// is something for the agent to look at. May come before the semaphore is bound, which is to be to
    /// limit 0 then.
    pub(crate) fn begin_leasing(&self, agent: Waker, unavailable: bool) -> WakeList {
        self.change(|state, wakers| {
            let is_bound = state.is_bound();
            state.begin_leasing(&self.word, &self.lease, agent, unavailable, wakers);
            if is_bound {
                state.tell(wakers);
            }
        })
    }

    /// Lowers the share to `most`, if it is higher, then reads what runs and what waits. Both are under
    /// one hold of the lock.
    pub(crate) fn load(&self, most: Option<u32>) -> Load {
        let mut state = self.lock();
        let load = state.load(&self.word, most);
        self.update_queue_hint(&state);
        self.serve(state);
        load
    }

    /// Begins a lease or renews it, with a share of so many permits.
    pub(crate) fn grant(&self, permits: u32, deadline: Duration, token: Option<u64>) -> WakeList {
        self.change_leased(|state, wakers| {
            state.grant(&self.word, &self.lease, permits, deadline, token, wakers);
        })
    }

    /// Ends the lease. The calls that run have lost it.
    pub(crate) fn lapse(&self) -> WakeList {
        self.change_leased(|state, wakers| state.lapse(&self.word, &self.lease, wakers))
    }

    /// Lets so many calls in that have no lease.
    pub(crate) fn allow(&self, permits: u32) -> WakeList {
        self.change_leased(|state, wakers| state.allow(&self.word, &self.lease, permits, wakers))
    }

    /// Sets whether calls that would wait are refused while the share is 0.
    pub(crate) fn set_unavailable(&self, unavailable: bool) -> WakeList {
        self.change_leased(|state, wakers| state.set_unavailable(&self.word, unavailable, wakers))
    }

    /// Returns whether it is leased and bound.
    pub(crate) fn is_leased(&self) -> bool {
        let state = self.lock();
        state.is_bound() && state.leasing.is_some()
    }

    /// Ends the leasing, because the semaphore is not bound any more. The caller drops what is added to
    /// `deferred` under no lock.
    pub(super) fn end_leasing(&self, state: &mut State, deferred: &mut Vec<Deferred>) {
        if let Some(leasing) = state.leasing.take() {
            self.lease.reset();
            // There may be a watcher's waker in it that was forgotten.
            deferred.push(Deferred::of_value(leasing));
        }
    }

    fn change_leased(&self, change: impl FnOnce(&mut State, &mut WakeList)) -> WakeList {
        self.change(|state, wakers| {
            if state.is_bound() && state.leasing.is_some() {
                change(state, wakers);
            }
        })
    }
}

/// What calls look at.
impl Semaphore {
    /// Takes one permit on the fast path, as [`try_acquire`](Self::try_acquire), and then looks at the
    /// lease. If it is over, gives the permit back and ends the lease.
    #[inline(never)]
    pub(crate) fn try_acquire_leased(
        &'static self,
        weight: u32,
        still_ours: impl Fn() -> bool,
    ) -> Option<Held> {
        if weight > 1 {
            // The slow path refuses it.
            return None;
        }
        let held = self.try_acquire(weight, still_ours)?;
        if weight == 0 {
            return Some(held);
        }
        // The order matters: a process that is stopped before the look sees that the time is over, and
        // one that is stopped after it has been counted as running.
        if let Some(term) = self.look() {
            return Some(held.under(term));
        }
        // The call enters again. It has not been admitted.
        self.lock().uncount_acquired();
        None
    }

    /// Looks at the lease, for a call that has taken a permit. Returns the term. If the lease is over,
    /// ends it and returns `None`: the call gives the permit back.
    #[inline]
    pub(super) fn look(&self) -> Option<Term> {
        // Before the deadline: if the lease ends after the look, the permit is of a term that is over.
        let term = self.lease.term();
        if term == Term::NONE || !self.lease.is_over() {
            Some(term)
        } else {
            self.lapse_unless_renewed()
        }
    }

    #[cold]
    fn lapse_unless_renewed(&self) -> Option<Term> {
        let mut wakers = WakeList::default();
        let mut state = self.lock();
        // Looks again: the agent may have renewed the lease since.
        let is_over = state.lapse_if_over(&self.word, &self.lease, &mut wakers);
        self.update_queue_hint(&state);
        let term = self.lease.term();
        self.serve_and_wake(state, wakers);
        (!is_over).then_some(term)
    }
}

/// What a permit looks at. A permit without weight needs no lease, and its semaphore may be another
/// limiter's by now.
impl Permits {
    /// Returns whether the lease under which the call was admitted is still in force.
    pub(crate) fn is_valid(&self) -> bool {
        self.weight() == 0 || self.semaphore().lease.is_valid(self.term())
    }

    /// Returns the fencing token of the lease, if it is in force.
    pub(crate) fn token(&self) -> Option<u64> {
        if self.weight() == 0 || !self.term().is_leased() {
            return None;
        }
        let semaphore = self.semaphore();
        let state = semaphore.lock();
        let leasing = state.leasing.as_ref()?;
        semaphore.lease.is_valid(self.term()).then(|| leasing.whole.token()).flatten()
    }

    /// Is ready when the lease under which the call was admitted is lost. Never, if it was admitted
    /// without one. `watcher` is the caller's number, which this gives it.
    pub(crate) fn poll_lost(
        &self,
        watcher: &mut Option<u64>,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        if self.weight() == 0 || !self.term().is_leased() {
            return Poll::Pending;
        }
        // Cloned before locking, and what is not needed is dropped after unlocking: a waker is foreign
        // code.
        let waker = context.waker().clone();
        let semaphore = self.semaphore();
        let mut state = semaphore.lock();
        let is_valid = semaphore.lease.is_valid(self.term());
        let (poll, unneeded) = match &mut state.leasing {
            Some(leasing) if is_valid => (Poll::Pending, leasing.whole.watch(watcher, waker)),
            _ => (Poll::Ready(()), Some(waker)),
        };
        drop(state);
        drop(Quiet::new(unneeded));
        poll
    }

    /// Forgets a watcher.
    pub(crate) fn forget_watcher(&self, watcher: u64) {
        let mut state = self.semaphore().lock();
        let leasing = state.leasing.as_mut();
        let _unneeded =
            Quiet::new(leasing.and_then(|leasing| leasing.whole.forget_watcher(watcher)));
        drop(state);
    }
}
