//! A holder that asks for more permits.

use super::enter::Entered;
use super::held::{Held, Permits};
use super::permits::Semaphore;
use super::slots::{NO_SLOT, NOTHING};
use super::state::{Arrival, Came, Decision, Growth};
use super::waiter::Waiter;
use super::wake_list::WakeList;
use crate::policy::Request;
use crate::rejected::RejectedKind;
use std::mem;
use std::task::Waker;

impl Permits {
    /// Takes more permits for the same holder, if the word has them. They are to be [added](Self::add).
    ///
    /// There must be permits already. As long as they are out, the semaphore is bound, and stays its limiter's.
    #[inline]
    pub(crate) fn grow_by_word(&self, wants: u32) -> Option<Held> {
        let semaphore = self.semaphore();
        // While the hint says so, the word alone decides about each call: all permits are alike, and the limit does not
        // adapt.
        let decides = semaphore.hint.load().refuses(wants);
        (decides && semaphore.take(wants, || true)).then(|| Held::new(semaphore, wants, NO_SLOT))
    }

    /// Asks for more permits, as [`grow_by_word`](Self::grow_by_word). `waker` is the kind of refusal of a holder that
    /// may not wait.
    pub(crate) fn grow(&self, wants: u32, waker: Result<&Waker, RejectedKind>) -> Entered {
        debug_assert!(self.weight() > 0, "a permit of nothing belongs to nobody");
        let growth = Growth { slot: self.bare_slot(), held: self.weight(), wants };
        self.semaphore().grow(growth, waker)
    }

    /// Adds the permits that this holder has asked for.
    pub(crate) fn add(&mut self, more: Held) {
        // Nothing is to be learnt from the time of a call that is a different one from now on.
        more.ignore();
        if let Err(more) = self.merge(more) {
            // Not reached: they are of the same semaphore and key. They would go back.
            debug_assert!(false, "a holder grows where it holds");
            drop(more);
        }
    }

    fn bare_slot(&self) -> u32 {
        self.place().unwrap_or(NO_SLOT)
    }
}

impl Semaphore {
    #[inline(never)]
    fn grow(&'static self, growth: Growth, waker: Result<&Waker, RejectedKind>) -> Entered {
        debug_assert!(growth.slot != NOTHING, "it holds permits");
        let mut arrival = Arrival::new(waker.err());
        let mut has_looked = false;
        loop {
            // Declared before the lock is taken: what is in it is dropped after unlocking.
            let wakers = WakeList::default();
            let mut state = self.lock();
            if state.awaits_time() && !mem::replace(&mut has_looked, true) {
                // As in `enter`: that time may be over.
                drop(state);
                self.adapt_now();
                continue;
            }
            let decision = state.grow(&self.word, growth, &mut arrival);
            // The mode may have been turned on just now, or another one may have gone.
            self.update_hint(&mut state);
            // Permits or position are owned from here on. They are not lost if a waker panics.
            let entered = match decision {
                Decision::Admitted { weight, slot } => {
                    Entered::Admitted(Held::new(self, weight, slot))
                }
                Decision::Queued { joined, weight, waits_for } => {
                    Entered::Queued(Waiter::new(self, joined, weight, waits_for))
                }
                Decision::Refused(refusal) => Entered::Refused(refusal.with_source(self)),
                Decision::Unprepared => {
                    // A waker is foreign code: it is cloned under no lock.
                    self.serve_and_wake(state, wakers);
                    let waker = waker.expect("a call that may not wait is not to join");
                    arrival.prepare(waker, Request::ONE, &mut Came::default());
                    continue;
                }
            };
            // Permits that have cooled may be there for others.
            self.serve_and_wake(state, wakers);
            return entered;
        }
    }
}
