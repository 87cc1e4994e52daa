//! The questions of a call that wants several limits, to the semaphore of each. Nothing of it lies on the way of other calls.

use super::held::Held;
use super::keys::KeySource;
use super::permits::Semaphore;
use super::sampled::{is_marked, without_mark};
use super::slots::NOTHING;
use super::state::{Arrival, Decision, State};
use super::wake_list::WakeList;
use super::word::{AVAILABLE, SLOW};
use crate::policy::Request;
use crate::sync::{MutexGuard, Ordering};
use crate::unwind::quietly;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

impl Semaphore {
    /// Returns whether a call that comes now would be admitted at once; `None` if the semaphore has no limit yet. Counts
    /// nothing. It may be otherwise a moment later.
    #[inline]
    pub(crate) fn would_admit(
        &'static self,
        request: Request,
        key: Option<&dyn KeySource>,
        still_ours: impl Fn() -> bool,
    ) -> Option<bool> {
        // Relaxed: whoever takes permits looks again.
        let word = self.word.load(Ordering::Relaxed);
        if word & SLOW == 0 {
            return Some(word & AVAILABLE >= u64::from(request.permits()));
        }
        self.would_admit_slow(request, key, still_ours)
    }

    #[inline(never)]
    fn would_admit_slow(
        &'static self,
        request: Request,
        key: Option<&dyn KeySource>,
        still_ours: impl Fn() -> bool,
    ) -> Option<bool> {
        let state = self.lock();
        if !still_ours() {
            // The call finds its new runtime when it waits.
            return Some(false);
        }
        if !state.is_bound() {
            return None;
        }
        let (state, would_admit) = self.ask(state, request, key);
        self.serve(state);
        Some(would_admit)
    }

    /// Asks whether a call would be admitted. A key's `Eq` may panic: permits that have cooled are handed out all the same.
    fn ask(
        &'static self,
        mut state: MutexGuard<'static, State>,
        request: Request,
        key: Option<&dyn KeySource>,
    ) -> (MutexGuard<'static, State>, bool) {
        let ask = || state.would_admit(&self.word, request, key);
        match catch_unwind(AssertUnwindSafe(ask)) {
            Ok(would_admit) => (state, would_admit),
            Err(panic) => {
                quietly(|| self.serve(state));
                resume_unwind(panic);
            }
        }
    }

    /// Takes permits by the lock if they are free and no call waits for them. Otherwise it counts nothing.
    pub(crate) fn enter_if_free(
        &'static self,
        request: Request,
        key: Option<&dyn KeySource>,
        still_ours: impl Fn() -> bool,
    ) -> Option<Held> {
        // Declared before the lock is taken: what is in it is dropped after unlocking.
        let mut wakers = WakeList::default();
        // It never waits here, and is not refused because it would have to.
        let mut arrival = Arrival::new(None);
        let mut state = self.lock();
        if !still_ours() || !state.is_bound() {
            return None;
        }
        state.look_before(&self.word, &self.lease, request, &mut arrival, &mut wakers);
        let (mut state, would_admit) = self.ask(state, request, key);
        if !would_admit {
            self.serve_and_wake(state, wakers);
            return None;
        }
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
        // Owned from here on: the permits are not lost if a waker panics.
        let held = match decision {
            Decision::Admitted { weight, slot } => {
                Some(Held::new(self, weight, slot).under(state.terms(&self.lease, slot)))
            }
            // Only of a fleet's key whose lease has just ended.
            Decision::Refused(_) | Decision::Unprepared | Decision::Queued { .. } => None,
        };
        let samples = state.samples_all();
        self.serve_and_wake(state, wakers);
        held.map(|held| if samples { self.sample(held) } else { held })
    }

    /// Takes permits back that their call has not used: see [`State::take_back_unused`].
    fn take_back_unused(&'static self, weight: u32, slot: u32) {
        let (is_member, slot) = (is_marked(slot), without_mark(slot));
        let mut wakers = WakeList::default();
        let mut state = self.lock();
        if is_member {
            state.forget_member(slot);
        }
        state.tell_of_release(weight, slot, &mut wakers);
        state.take_back_unused(&self.word, weight, slot);
        self.serve_and_wake(state, wakers);
    }
}

impl Held {
    /// Gives the permits back, which the call has not used, because it lacked those of another limit. The call does not
    /// count as admitted.
    pub(crate) fn give_back_unused(self) {
        let permits = self.into_permits();
        // Without permits, the semaphore may be another limiter's by now.
        if permits.weight() > 0 && permits.raw_slot() != NOTHING {
            permits.semaphore().take_back_unused(permits.weight(), permits.raw_slot());
        }
    }

    /// Leaves the call out of what a limit that adapts learns: it waits for another limit while it holds these permits.
    pub(crate) fn ignore(&self) {
        self.permits().mark_ignored();
    }
}
