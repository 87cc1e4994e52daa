//! The two ways into a semaphore: by the word, and by the lock.

use super::held::Held;
use super::keys::KeySource;
use super::permits::Semaphore;
use super::queue::WaitsFor;
use super::slots::NO_SLOT;
use super::state::{Arrival, Came, Decision, State, read_rank};
use super::waiter::Waiter;
use super::wake_list::WakeList;
use crate::policy::Request;
use crate::rejected::{Refusal, RejectedKind};
use crate::unwind::quietly;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Waker;
use std::thread;

/// The result of the slow path in.
#[derive(Debug)]
pub(crate) enum Entered {
    /// The call has its permits.
    Admitted(Held),
    /// The call waits.
    Queued(Waiter),
    /// The call is not admitted.
    Refused(Refusal),
    /// The semaphore has no limit yet: the caller is to [claim](Semaphore::claim) it.
    Unbound,
    /// `still_ours` was false: the semaphore belongs to another runtime now.
    Stale,
}

impl Semaphore {
    /// Takes permits on the fast path: if they are free, nobody waits and no mode is on.
    ///
    /// `still_ours` says whether the semaphore still belongs to the runtime that the caller looked it
    /// up for.
    #[inline]
    pub(crate) fn try_acquire(
        &'static self,
        weight: u32,
        still_ours: impl Fn() -> bool,
    ) -> Option<Held> {
        self.take(weight, still_ours).then(|| Held::new(self, weight, NO_SLOT))
    }

    /// Joins the wait list, if that is all that a call is to do: see [`State::can_join`]. Nearly every call that waits
    /// comes in by this. Otherwise returns `None`, and the call is to [`enter`](Self::enter).
    #[inline(never)]
    pub(crate) fn join(
        &'static self,
        request: Request,
        waker: &Waker,
        came: &mut Came<'_>,
        still_ours: impl Fn() -> bool,
    ) -> Option<Waiter> {
        if !self.would_queue(request.permits()) {
            return None;
        }
        let rank = read_rank(request, false, came);
        // A waker is foreign code: it is cloned before the lock is taken, and dropped after unlocking.
        let waker = waker.clone();
        let mut state = self.lock();
        let joins = still_ours() && state.can_join(&self.word, request);
        if let Some(position) = state.position(rank).filter(|_| joins) {
            let joined = state.join(request.weight, position, waker);
            // Nothing is to be done after unlocking: the call has not changed who is served.
            drop(state);
            return Some(Waiter::new(self, joined, request.weight, WaitsFor::Permits));
        }
        drop(state);
        quietly(|| drop(waker));
        None
    }

    /// Takes permits of a key on its fast path: if they are free, and no mode but keys is on. It takes the
    /// lock once, and nothing of the slow path.
    pub(crate) fn try_acquire_of_key(
        &'static self,
        weight: u32,
        key: &impl KeySource,
        still_ours: impl Fn() -> bool,
    ) -> Option<Held> {
        if !self.may_have_only_keys() {
            return None;
        }
        let mut state = self.lock();
        if !still_ours() {
            return None;
        }
        // The key's `Eq` and `Clone` run here, and may panic. Nothing has been changed before that.
        let slot = state.admit_of_key(weight, key)?;
        Some(Held::new(self, weight, slot))
    }

    /// Takes permits on the slow path, joins the wait list, or says why it does neither. `waker` is the kind of
    /// refusal of a call that may not wait. If the call needs a rank to join, `came` is told the time at which it has
    /// come.
    #[inline(never)]
    pub(crate) fn enter(
        &'static self,
        request: Request,
        key: Option<&dyn KeySource>,
        waker: Result<&Waker, RejectedKind>,
        came: &mut Came<'_>,
        still_ours: impl Fn() -> bool,
    ) -> Entered {
        let mut arrival = Arrival::new(waker.err());
        // Only a call that waits is prepared for that. One that will in all likelihood wait is prepared at once, and
        // need not lock twice.
        if let Ok(waker) = waker {
            if request.is_early {
                arrival.judge(came);
            }
            if self.would_queue(request.permits()) {
                arrival.prepare(waker, request, came);
            }
        }
        let mut has_looked = false;
        loop {
            // Declared before the lock is taken: what is in it is dropped after unlocking.
            let mut wakers = WakeList::default();
            let mut state = self.lock();
            if !still_ours() {
                return Entered::Stale;
            }
            if !state.is_bound() {
                return Entered::Unbound;
            }
            if state.awaits_time() && !mem::replace(&mut has_looked, true) {
                // That time may be over: nobody is to wait or be refused for it.
                drop(state);
                self.adapt_now();
                continue;
            }
            state.look_before(&self.word, &self.lease, request, &mut arrival, &mut wakers);
            let decision = match key {
                None => state.enter(&self.word, request, None, &mut arrival, &mut wakers),
                Some(key) => {
                    match self.enter_of_key(&mut state, request, key, &mut arrival, &mut wakers) {
                        Ok(decision) => decision,
                        Err(panic) => {
                            quietly(|| self.serve_and_wake(state, wakers));
                            resume_unwind(panic);
                        }
                    }
                }
            };
            state.tell_of(&decision, &mut wakers);
            let must_serve = state.must_serve_after(&decision);
            // Permits or position are owned from here on. They are not lost if a waker panics.
            let entered = match decision {
                Decision::Admitted { weight, slot } => {
                    let held = Held::new(self, weight, slot);
                    let held = held.under(state.terms(&self.lease, slot));
                    Entered::Admitted(held)
                }
                Decision::Queued { joined, weight, waits_for } => {
                    Entered::Queued(Waiter::new(self, joined, weight, waits_for))
                }
                Decision::Refused(refusal) => {
                    // The last mode may have gone since: the word may decide about the next call.
                    self.update_hint(&mut state);
                    Entered::Refused(refusal.with_source(self))
                }
                Decision::Unprepared => {
                    self.update_hint(&mut state);
                    // Permits that have cooled are handed out, and SLOW is cleared, also if the clone of the waker
                    // panics.
                    self.serve_and_wake(state, wakers);
                    let waker = waker.expect("a call that may not wait is not to join");
                    arrival.prepare(waker, request, came);
                    continue;
                }
            };
            let samples = state.samples_all();
            if must_serve {
                self.serve_and_wake(state, wakers);
            } else {
                self.unlock(state, wakers);
            }
            return match entered {
                Entered::Admitted(held) if samples => Entered::Admitted(self.sample(held)),
                entered => entered,
            };
        }
    }

    /// Decides about a call of a key.
    ///
    /// # Errors
    ///
    /// A panic of the key's `Eq` or `Clone`. Permits that have cooled were taken back before that, and are to be
    /// handed out all the same.
    #[inline(never)]
    pub(super) fn enter_of_key(
        &self,
        state: &mut State,
        request: Request,
        key: &dyn KeySource,
        arrival: &mut Arrival,
        wakers: &mut WakeList,
    ) -> thread::Result<Decision> {
        let decide = || state.enter(&self.word, request, Some(key), arrival, wakers);
        let decision = catch_unwind(AssertUnwindSafe(decide));
        if !state.has_only_keys() {
            // Another mode may be off by now. Then calls of keys come by their fast path again.
            self.update_hint(state);
        }
        decision
    }
}
