//! The calls from whose times a limit that adapts learns: how they begin, end, and are judged.
//!
//! All of this is off the ways of other calls. A semaphore whose limit does not adapt costs its calls one look at the
//! [`Hint`](super::hint::Hint), and only those whose wait was measured.

use super::held::{Held, Permits};
use super::moment::{self, Moment};
use super::permits::Semaphore;
use super::sampled::{is_marked, mark, without_mark};
use super::state::{LONGEST_HOLD_OFF, State};
use super::wake_list::WakeList;
use crate::adaptive::controller::Outcome;
use crate::sync::MutexGuard;
use std::thread;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;

impl Semaphore {
    /// Returns whether the limit adapts, or did a moment ago. The lock's holder looks again.
    #[inline]
    pub(super) fn may_adapt(&self) -> bool {
        self.hint.load().adapts()
    }

    /// Makes a call that begins a member of the cohort, if the controller wants one.
    #[cold]
    pub(super) fn sample(&'static self, mut held: Held) -> Held {
        // Under no lock.
        let now = moment::now();
        let mut state = self.lock();
        if let Some(slot) = state.begin_member(&self.word, now, held.weight(), held.raw_slot()) {
            held.set_slot(mark(slot));
        }
        let used = state.use_of_permits(&self.word);
        state = self.adapt(state, now, used);
        // If a waker panics, `held` gives its permits back.
        self.serve(state);
        held
    }

    /// Gives the permits of a member back.
    #[cold]
    pub(super) fn release_member(&'static self, weight: u32, slot: u32) {
        let now = moment::now();
        let slot = without_mark(slot);
        let mut wakers = WakeList::default();
        let mut state = self.lock();
        let used = state.use_of_permits(&self.word);
        state.end_member(now, slot, thread::panicking());
        state.tell_of_release(weight, slot, &mut wakers);
        state.release(&self.word, weight, slot);
        state = self.adapt(state, now, used);
        self.serve_and_wake(state, wakers);
    }

    /// Lets the controller decide. If a question has begun, the watcher is to see it to its end: it is told under no lock.
    /// Returns the lock, held anew then.
    fn adapt(
        &'static self,
        mut state: MutexGuard<'static, State>,
        now: Instant,
        used: (u32, bool),
    ) -> MutexGuard<'static, State> {
        let asked = state.is_asking();
        if state.adapt(&self.word, now, used) {
            self.update_hint(&mut state);
        }
        if asked || !state.is_asking() {
            return state;
        }
        drop(state);
        self.watch_until_due();
        self.lock()
    }

    /// Lets the controller decide, before a call is refused: a question may be over.
    #[cold]
    pub(crate) fn adapt_now(&'static self) {
        let now = moment::now();
        let mut state = self.lock();
        let used = state.use_of_permits(&self.word);
        state = self.adapt(state, now, used);
        self.serve(state);
    }

    fn mark_member(&'static self, slot: u32, outcome: Outcome) {
        let mut state = self.lock();
        state.mark_member(&self.word, without_mark(slot), outcome);
        self.update_hint(&mut state);
        self.serve(state);
    }

    /// Holds new calls off. The watcher lets them in again, or the next call that comes later.
    fn hold_off(&'static self, time: Duration) {
        let now = Moment::now();
        let mut state = self.lock();
        let is_held_off = state.hold_off(&self.word, now.at, time);
        drop(state);
        if !is_held_off {
            return;
        }
        self.watch_until_due();
        // The watcher has the real time. A runtime with a paused clock has a timer, and must not wait for that.
        if let (false, Ok(runtime)) = (now.clock.is_real(), Handle::try_current()) {
            drop(runtime.spawn(async move {
                tokio::time::sleep(time).await;
                self.adapt_now();
            }));
        }
        let mut state = self.lock();
        self.update_hint(&mut state);
        self.serve(state);
    }
}

impl Permits {
    /// Notes that the call found its backend overloaded, and holds new calls off for some time.
    pub(crate) fn mark_overloaded(&self, hold_off: Duration) {
        let semaphore = self.semaphore();
        if self.weight() == 0 || !semaphore.may_adapt() {
            return;
        }
        semaphore.mark_member(self.raw_slot(), Outcome::Overloaded);
        if hold_off > Duration::ZERO {
            semaphore.hold_off(hold_off.min(LONGEST_HOLD_OFF));
        }
    }

    /// Notes that the call was cancelled.
    pub(crate) fn mark_cancelled(&self) {
        if is_marked(self.raw_slot()) {
            self.semaphore().mark_member(self.raw_slot(), Outcome::Cancelled);
        }
    }

    /// Notes that nothing is to be learnt from the call.
    pub(crate) fn mark_ignored(&self) {
        if is_marked(self.raw_slot()) {
            self.semaphore().mark_member(self.raw_slot(), Outcome::Ignored);
        }
    }
}
