//! The methods of a semaphore whose permits are leased from a fleet: the agent's side, and what a call
//! and its permit look at.

use super::deferred::Deferred;
use super::held::{Held, Permits};
use super::keys::KeySource;
use super::lease::{LeasingStart, Load, Term, Terms};
use super::permits::Semaphore;
use super::slots::{NO_KEY, NO_SLOT};
use super::state::State;
use super::wake_list::WakeList;
use crate::rejected::Refusal;
use crate::unwind::Quiet;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// The agent's side, for the limiter as a whole or for a key. The caller wakes the result of each, and
/// then calls [`serve_all`](Semaphore::serve_all), both under no lock.
impl Semaphore {
    /// Makes it a leased semaphore: it has no permits until the first grant. `agent` is woken when there
    /// is something for the agent to look at. May come before the semaphore is bound. It is bound to
    /// limit 0 then, or with keys, to total 0 if there is a lease of the limiter as a whole.
    pub(crate) fn begin_leasing(&self, agent: &Waker, start: LeasingStart) -> WakeList {
        self.change(|state, wakers| {
            state.begin_leasing(&self.word, &self.lease, agent, start, wakers);
            if start.has_agent && state.is_bound() {
                state.tell(NO_KEY, wakers);
            }
        })
    }

    /// Lowers the share to `most`, if it is higher, then reads what runs and what waits. Both are under
    /// one hold of the lock.
    pub(crate) fn load(&'static self, key: Option<&dyn KeySource>, most: Option<u32>) -> Load {
        let mut state = self.lock();
        let key = state.number_of(key);
        let load = key.map(|key| state.load(&self.word, &self.lease, key, most));
        self.update_hint(&mut state);
        self.serve(state);
        load.unwrap_or_default()
    }

    /// Begins a lease or renews it, with a share of so many permits.
    pub(crate) fn grant(
        &self,
        key: Option<&dyn KeySource>,
        permits: u32,
        deadline: Duration,
        token: Option<u64>,
    ) -> WakeList {
        self.change_leased(key, |state, key, wakers| {
            state.grant(&self.word, &self.lease, key, (permits, deadline, token), wakers);
        })
    }

    /// Ends the lease. The calls that run have lost it.
    pub(crate) fn lapse(&self, key: Option<&dyn KeySource>) -> WakeList {
        self.change_leased(key, |state, key, wakers| {
            state.lapse(&self.word, &self.lease, key, wakers);
        })
    }

    /// Lets so many calls in that have no lease.
    pub(crate) fn allow(&self, key: Option<&dyn KeySource>, permits: u32) -> WakeList {
        self.change_leased(key, |state, key, wakers| {
            state.allow(&self.word, &self.lease, key, permits, wakers);
        })
    }

    /// Sets whether calls that would wait are refused while the share is 0.
    pub(crate) fn set_unavailable(
        &self,
        key: Option<&dyn KeySource>,
        unavailable: bool,
    ) -> WakeList {
        self.change_leased(key, |state, key, wakers| {
            state.set_unavailable(&self.word, &self.lease, key, unavailable, wakers);
        })
    }

    /// Gives up the lease of a key that nobody uses, and forgets the key. Returns whether it did.
    pub(crate) fn release_lease(&'static self, key: &dyn KeySource) -> bool {
        let mut state = self.lock();
        let key = state.number_of(Some(key));
        let is_released = key.is_some_and(|key| state.release_lease(key));
        // Unlocking drops the key.
        self.serve(state);
        is_released
    }

    /// Returns whether the limiter as a whole has a lease, and the keys that have one. With `told`, only
    /// those of which the agent was told and has not looked at since.
    pub(crate) fn leases(&self, told: bool) -> (bool, Vec<String>) {
        let state = self.lock();
        if state.is_bound() { state.leased_keys(told) } else { (false, Vec::new()) }
    }

    fn change_leased(
        &self,
        key: Option<&dyn KeySource>,
        change: impl FnOnce(&mut State, u32, &mut WakeList),
    ) -> WakeList {
        self.change(|state, wakers| {
            if state.is_bound() && state.leasing.is_some() {
                if let Some(key) = state.number_of(key) {
                    change(state, key, wakers);
                }
            }
        })
    }

    /// Ends all leases, because the limiter was dropped while permits are out: the agent does not see the
    /// permits any more, and its share goes back. Returns the watchers, who are woken when it is dropped.
    pub(crate) fn lose_leases(&self) -> Option<Deferred> {
        let mut state = self.lock();
        let keys: Vec<_> = state.leasing.as_ref()?.keys.iter().copied().collect();
        let mut wakers = WakeList::default();
        for key in keys.into_iter().chain([NO_KEY]) {
            state.lapse(&self.word, &self.lease, key, &mut wakers);
        }
        Some(Deferred::of_wakers(wakers))
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
        let before = self.lease.term();
        let held = self.try_acquire(weight, still_ours)?;
        if weight == 0 {
            return Some(held);
        }
        // The order matters: a process that is stopped before the look sees that the time is over, and
        // one that is stopped after it has been counted as running.
        if let Some(terms) = self.look(before) {
            return Some(held.under(terms));
        }
        // The call enters again. It has not been admitted.
        self.lock().uncount_acquired();
        None
    }

    /// Looks at the lease, for a call that has taken a permit from the word. `before` is the term that it saw
    /// before. Returns the terms. If the lease is over, ends it and returns `None`: the call gives the permit
    /// back.
    #[inline]
    fn look(&'static self, before: Term) -> Option<Terms> {
        // Before the deadline: if the lease ends after the look, the permit is of a term that is over.
        let term = self.lease.term();
        if term == Term::NONE || term == before && !self.lease.is_keyed() && !self.lease.is_over() {
            return Some(Terms::of_whole(term));
        }
        // In another term the permit may not be one of the share.
        self.look_again(NO_SLOT)
    }

    /// Looks at the leases, for a call that was handed a permit and has a slot, as [`look`](Self::look).
    #[inline]
    pub(super) fn look_after_wait(&'static self, slot: u32) -> Option<Terms> {
        if self.lease.term() == Term::NONE {
            return Some(Terms::NONE);
        }
        // The permit may be of a term that was over before the call was polled.
        self.look_again(slot)
    }

    /// Looks under the lock: the agent may have renewed the lease since, and there may be keys.
    #[cold]
    fn look_again(&'static self, slot: u32) -> Option<Terms> {
        let mut wakers = WakeList::default();
        let mut state = self.lock();
        let terms = state.look_after(&self.word, &self.lease, slot, &mut wakers);
        self.update_hint(&mut state);
        self.serve_and_wake(state, wakers);
        terms
    }
}

/// What a permit looks at. A permit without weight needs no lease, and its semaphore may be another
/// limiter's by now.
impl Permits {
    /// Returns whether the leases under which the call was admitted are still in force.
    pub(crate) fn is_valid(&self) -> bool {
        let (semaphore, terms) = (self.semaphore(), self.terms());
        if self.weight() == 0 {
            true
        } else if semaphore.lease.is_keyed() {
            semaphore.lock().is_valid(&semaphore.lease, terms, self.slot())
        } else {
            semaphore.lease.is_valid(terms.whole)
        }
    }

    /// Returns whether the call was admitted under a lease that is lost.
    #[cfg(feature = "tower")]
    pub(crate) fn has_lost_lease(&self) -> bool {
        self.terms().are_leased() && !self.is_valid()
    }

    /// Returns the fencing token of the lease, if it is in force.
    pub(crate) fn token(&self) -> Option<u64> {
        if self.weight() == 0 || !self.terms().are_leased() {
            return None;
        }
        let semaphore = self.semaphore();
        let mut state = semaphore.lock();
        if !state.is_valid(&semaphore.lease, self.terms(), self.slot()) {
            return None;
        }
        let key = state.key_of(self.slot());
        state.ledger(&semaphore.lease, key)?.1.token
    }

    /// Is ready when a lease under which the call was admitted is lost. Never, if it was admitted
    /// without one. `watcher` is the caller's, which this sets.
    pub(crate) fn poll_lost(
        &self,
        watcher: &mut Option<Watcher>,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        if self.weight() == 0 || !self.terms().are_leased() {
            return Poll::Pending;
        }
        if !self.is_valid() {
            return Poll::Ready(());
        }
        let waker = context.waker();
        if watcher.as_ref().is_some_and(|watcher| watcher.waker.will_wake(waker)) {
            // Whoever ends the lease wakes it.
            return Poll::Pending;
        }
        // Cloned before locking, and what is not needed is dropped after unlocking: a waker is foreign
        // code.
        let (kept, known) = (waker.clone(), waker.clone());
        let semaphore = self.semaphore();
        let mut state = semaphore.lock();
        // Looks again: the lease may have ended before the lock was taken.
        let is_valid = state.is_valid(&semaphore.lease, self.terms(), self.slot());
        let key = state.key_of(self.slot());
        let (poll, unneeded) = match state.ledger(&semaphore.lease, key) {
            Some((_, lease)) if is_valid => {
                let number = watcher.as_ref().map(|watcher| watcher.number);
                let (number, former) = lease.watch(number, kept);
                let former = (watcher.replace(Watcher { number, waker: known }), former);
                (Poll::Pending, (Some(former), None))
            }
            _ => (Poll::Ready(()), (None, Some((kept, known)))),
        };
        drop(state);
        drop(Quiet::new(unneeded));
        poll
    }

    /// Forgets a watcher.
    pub(crate) fn forget_watcher(&self, watcher: &Watcher) {
        let semaphore = self.semaphore();
        let mut state = semaphore.lock();
        let key = state.key_of(self.slot());
        let ledger = state.ledger(&semaphore.lease, key);
        let unneeded = ledger.and_then(|(_, lease)| lease.forget_watcher(watcher.number));
        drop(state);
        drop(Quiet::new(unneeded));
    }

    /// Counts the call as refused, because its lease is lost.
    pub(crate) fn refuse(&self) -> Refusal {
        let semaphore = self.semaphore();
        let mut state = semaphore.lock();
        let refusal = state.refuse_without_lease(&semaphore.word, self.weight());
        semaphore.serve(state);
        refusal
    }
}

/// One who waits until a lease is lost.
#[derive(Debug)]
pub(crate) struct Watcher {
    number: u64,
    /// The waker that it has left.
    waker: Waker,
}
