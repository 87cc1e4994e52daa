//! A call's position in the wait list.
//!
//! It is owned from the moment at which it is there, before anybody is woken. So a panic in foreign
//! code drops it, and the call leaves the wait list. It leaves once: whatever else ends the wait marks it as
//! spent first.

use super::held::Held;
use super::permits::Semaphore;
use super::queue::{Joined, WaitsFor};
use super::recent_waits::{Noted, UNMEASURED};
use super::slots::NO_SLOT;
use super::status::{
    ADMITTED, AWAY, GRANTED, REFUSED, RETRY, StatusCell, WAITING, status, with_figure,
};
use super::wake_list::WakeList;
use crate::rejected::Refusal;
use crate::sync::Ordering;
use crate::unwind::{Quiet, quietly};
use std::mem;
use std::task::{Poll, Waker};
use std::time::Duration;

/// A call's position in the wait list.
///
/// Dropping it cancels the wait: the call leaves the wait list, or gives back the permits that it has
/// been handed. Dropping one whose wait has ended does nothing.
#[derive(Debug)]
#[must_use = "dropping it leaves the wait list"]
pub(crate) struct Waiter {
    semaphore: &'static Semaphore,
    pub(super) status: StatusCell,
    /// [`NO_SLOT`] when the wait has ended: the slot was freed, or is the permit's.
    pub(super) slot: u32,
    weight: u32,
    waits_for: WaitsFor,
    noted: Noted,
}

/// The reason why a wait ended without permits.
#[derive(Clone, Debug)]
pub(crate) enum Unserved {
    /// The call is refused.
    Refused(Refusal),
    /// The call is to enter again, at the runtime that polls it now.
    Retry,
}

impl Waiter {
    /// Makes the waiter of a call that has joined a wait list.
    #[inline]
    pub(super) fn new(
        semaphore: &'static Semaphore,
        joined: Joined,
        weight: u32,
        waits_for: WaitsFor,
    ) -> Self {
        let Joined { slot, status, noted } = joined;
        Self { semaphore, status, slot, weight, waits_for, noted }
    }

    /// Returns whether the time of the wait is to be measured. Under load that of most calls is not: see
    /// [`recent_waits`](super::recent_waits).
    #[inline]
    pub(crate) fn is_measured(&self) -> bool {
        self.noted != Noted::Nothing
    }

    /// Returns the semaphore at which the call waits.
    pub(crate) fn semaphore(&self) -> &'static Semaphore {
        self.semaphore
    }

    /// Returns the slot of the call, until its wait has ended.
    #[inline]
    pub(crate) fn place(&self) -> Option<u32> {
        (self.slot != NO_SLOT).then_some(self.slot)
    }

    /// Returns the reason why the call is in the wait list.
    pub(crate) fn waits_for(&self) -> WaitsFor {
        self.waits_for
    }

    /// Takes the permits if the call has been handed them. Otherwise it changes nothing.
    #[inline]
    pub(crate) fn claim_granted(&mut self, waited: impl Fn() -> Duration) -> Option<Held> {
        let value = self.value();
        if status(value) != GRANTED {
            return None;
        }
        let terms = self.semaphore.look_after_wait(self.slot)?;
        Some(self.claim(value, self.measure(waited))?.under(terms))
    }

    /// Returns the permits if the call has been handed them, or why the wait has ended without any.
    /// While the result is pending, `waker` is the one to be woken.
    ///
    /// `waited` is called when the permits are there, if the wait is measured. It returns how long the call has
    /// waited, which is counted. If it panics the permits are still the waiter's.
    ///
    /// The wait has ended when the result is ready. A poll after that says [`Unserved::Retry`].
    #[inline]
    pub(crate) fn poll(
        &mut self,
        waker: &Waker,
        waited: impl Fn() -> Duration,
    ) -> Poll<Result<Held, Unserved>> {
        let mut value = self.value();
        if status(value) == WAITING {
            self.update_waker(waker);
            // The call may have been served before the wakers were exchanged. Then the old one is woken.
            value = self.value();
            if status(value) == WAITING {
                return Poll::Pending;
            }
        }
        if status(value) == GRANTED {
            let Some(terms) = self.semaphore.look_after_wait(self.slot) else {
                return Poll::Ready(Err(self.leave_unserved(status(self.value()))));
            };
            if let Some(held) = self.claim(value, self.measure(&waited)) {
                return Poll::Ready(Ok(held.under(terms)));
            }
            // The grant was taken back meanwhile.
        }
        self.poll_ungranted(waker, &waited)
    }

    /// Returns whether the call has been handed its permits, and claims nothing. Otherwise it is as
    /// [`poll`](Self::poll).
    pub(crate) fn poll_granted(&mut self, waker: &Waker) -> Poll<Result<(), Unserved>> {
        loop {
            match status(self.value()) {
                GRANTED => return Poll::Ready(Ok(())),
                WAITING => {
                    self.update_waker(waker);
                    // The call may have been served before the wakers were exchanged. Then the old one is woken.
                    if status(self.value()) == WAITING {
                        return Poll::Pending;
                    }
                }
                // There may be permits for it at once.
                AWAY => self.come_back(waker),
                other => return Poll::Ready(Err(self.leave_unserved(other))),
            }
        }
    }

    /// Does the same as [`poll`](Self::poll) for a holder that wants more permits. If its grant was taken back, it is to
    /// ask again: its place is not among other calls.
    pub(crate) fn poll_to_grow(
        &mut self,
        waker: &Waker,
        waited: impl Fn() -> Duration,
    ) -> Poll<Result<Held, Unserved>> {
        loop {
            let value = self.value();
            match status(value) {
                WAITING => {
                    self.update_waker(waker);
                    // The call may have been served before the wakers were exchanged. Then the old one is woken.
                    if status(self.value()) == WAITING {
                        return Poll::Pending;
                    }
                }
                GRANTED => {
                    if let Some(held) = self.claim(value, self.measure(&waited)) {
                        return Poll::Ready(Ok(held));
                    }
                    // The grant was taken back meanwhile.
                }
                other => return Poll::Ready(Err(self.leave_unserved(other))),
            }
        }
    }

    /// Leaves the queue, or gives up what the call was handed there, because it goes to the queue of another limit. It
    /// does not count as cancelled.
    pub(crate) fn pass_on(mut self) {
        let slot = mem::replace(&mut self.slot, NO_SLOT);
        if slot == NO_SLOT {
            return;
        }
        let mut state = self.semaphore.lock();
        let was_granted = state.queue.status(slot) == GRANTED;
        // Dropped after unlocking, as in `leave`.
        let word = &self.semaphore.word;
        let _waker = Quiet::new(state.pass_on(word, slot, self.weight, was_granted));
        self.semaphore.serve(state);
    }

    /// Polls a call whose grant was taken back, or which is to leave.
    #[cold]
    fn poll_ungranted(
        &mut self,
        waker: &Waker,
        waited: &dyn Fn() -> Duration,
    ) -> Poll<Result<Held, Unserved>> {
        loop {
            let value = self.value();
            match status(value) {
                WAITING => return Poll::Pending,
                // There may be permits for it at once.
                AWAY => self.come_back(waker),
                GRANTED => {
                    if let Some(result) = self.accept_granted(value, waited) {
                        return Poll::Ready(result);
                    }
                }
                other => return Poll::Ready(Err(self.leave_unserved(other))),
            }
        }
    }

    /// Ends the wait, because the call's time is up: refuses it, unless it has been handed its permits
    /// or been dismissed already.
    pub(crate) fn time_out(&mut self, waited: impl Fn() -> Duration) -> Result<Held, Unserved> {
        // Permits that have cooled by now are handed out first.
        self.semaphore.serve_all();
        loop {
            let mut state = self.semaphore.lock();
            if let Some((refusal, waker)) = state.time_out(&self.semaphore.word, self.slot) {
                // Dropped after unlocking, as in `leave`.
                let _waker = Quiet::new(waker);
                // Before wakers run, which may panic: the slot must not be freed twice.
                self.slot = NO_SLOT;
                self.semaphore.serve(state);
                return Err(Unserved::Refused(refusal.with_source(self.semaphore)));
            }
            drop(state);
            // The call does not wait any more. It needs no wake-up to be told so: this is its own poll.
            let value = self.value();
            match status(value) {
                GRANTED => {
                    if let Some(result) = self.accept_granted(value, &waited) {
                        return result;
                    }
                    // The grant was taken back meanwhile: the call is out of time after all.
                }
                AWAY => {}
                other => return Err(self.leave_unserved(other)),
            }
        }
    }

    /// Returns its status, with the figure.
    #[inline]
    fn value(&self) -> u64 {
        if self.slot == NO_SLOT {
            // The cell is another waiter's by now.
            return RETRY;
        }
        // Pairs with the `Release` store of a status under the lock: the waiter sees what the former
        // holder of its permits wrote.
        self.status.load(Ordering::Acquire)
    }

    /// Takes the permits that it has been handed. If they are a fleet's and the lease is over, gives them
    /// back: the call is to enter again. Returns `None` if the grant was taken back.
    fn accept_granted(
        &mut self,
        grant: u64,
        waited: &dyn Fn() -> Duration,
    ) -> Option<Result<Held, Unserved>> {
        let Some(terms) = self.semaphore.look_after_wait(self.slot) else {
            return Some(Err(self.leave_unserved(status(self.value()))));
        };
        Some(Ok(self.claim(grant, self.measure(waited))?.under(terms)))
    }

    /// Returns the wait in nanoseconds, or [`UNMEASURED`].
    #[inline]
    fn measure(&self, waited: impl Fn() -> Duration) -> u64 {
        if self.noted == Noted::Nothing {
            return UNMEASURED;
        }
        u64::try_from(waited().as_nanos()).unwrap_or(UNMEASURED).min(UNMEASURED - 1)
    }

    /// Takes the permits that it has been handed. Returns `None` if the grant was taken back.
    #[expect(
        clippy::inline_always,
        reason = "measured: see `semaphore`, *What a queued call costs*"
    )]
    #[inline(always)]
    fn claim(&mut self, grant: u64, waited: u64) -> Option<Held> {
        let admitted = with_figure(ADMITTED, waited);
        if self.waits_for == WaitsFor::Time {
            // The waiter still owns the permits, in case the clock panics.
            if !self.semaphore.lock().start_and_claim(self.slot, admitted) {
                return None;
            }
        } else {
            // Of this and the exchange that takes the grant back, one succeeds. Relaxed: see the queue's
            // *Memory ordering*. The wait is read under the lock only. It is counted when the permit has
            // come back, and that takes the lock after this exchange. A reading before that may miss it:
            // then this call has not been admitted yet.
            self.status
                .compare_exchange(grant, admitted, Ordering::Relaxed, Ordering::Relaxed)
                .ok()?;
        }
        // The slot belongs to the permit from here on, and goes back with it.
        let slot = mem::replace(&mut self.slot, NO_SLOT);
        let held = Held::new(self.semaphore, self.weight, slot);
        if self.noted == Noted::WaitAndHold && self.semaphore.may_adapt() {
            return Some(self.semaphore.sample(held));
        }
        Some(held)
    }

    /// Goes back into the wait list after the grant was taken back, to be handed permits when there are some.
    #[cold]
    fn come_back(&self, waker: &Waker) {
        // Cloned and dropped under no lock: a waker is foreign code.
        let waker = waker.clone();
        let mut state = self.semaphore.lock();
        let mut wakers = WakeList::default();
        let unneeded = state.come_back(&self.semaphore.word, self.slot, waker, &mut wakers);
        let _unneeded = Quiet::new(unneeded);
        self.semaphore.serve_and_wake(state, wakers);
    }

    /// Leaves after the call was refused or dismissed.
    fn leave_unserved(&mut self, status: u64) -> Unserved {
        let slot = mem::replace(&mut self.slot, NO_SLOT);
        if slot == NO_SLOT {
            return Unserved::Retry;
        }
        if status != REFUSED {
            self.leave(slot, false);
            return Unserved::Retry;
        }
        let mut state = self.semaphore.lock();
        let (refusal, waker) = state.leave_refused(&self.semaphore.word, slot, self.weight);
        let _waker = Quiet::new(waker);
        self.semaphore.serve(state);
        let refusal = refusal.expect("whoever was refused was told why");
        Unserved::Refused(refusal.with_source(self.semaphore))
    }

    /// Frees the slot, and gives back the permits if the call has been handed any.
    fn leave(&self, slot: u32, cancelled: bool) {
        let mut state = self.semaphore.lock();
        // Dropped after unlocking: a waker is foreign code.
        let _waker = Quiet::new(state.leave(&self.semaphore.word, slot, self.weight, cancelled));
        self.semaphore.serve(state);
    }

    /// Takes over the waker of the task that polls, if another task polled before.
    fn update_waker(&self, waker: &Waker) {
        if !self.semaphore.lock().queue.needs_waker(self.slot, waker) {
            return;
        }
        // Cloned and dropped under no lock: a waker is foreign code.
        let waker = waker.clone();
        let unneeded = self.semaphore.lock().queue.set_waker(self.slot, waker);
        quietly(|| drop(unneeded));
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if self.slot != NO_SLOT {
            // A call that waits for the limit is not counted.
            self.leave(self.slot, self.waits_for != WaitsFor::Limit);
        }
    }
}
