//! A call's place in the queue, and the permits that it is handed.
//!
//! Each is owned from the moment at which it is there, before anybody is woken: a panic in foreign code
//! drops it, which gives back what it stands for. It is given back once, because whatever gives it up
//! otherwise takes the owner.

use super::Semaphore;
use super::slots::{ADMITTED, GRANTED, Grant, REFUSED, WAITING, standing, with_figure};
use crate::rejected::Refusal;
use crate::sync::Ordering;
use std::mem;
use std::task::Waker;
use std::time::Duration;

/// Permits that a call has been handed. Dropping it gives them back.
#[derive(Debug)]
#[must_use = "dropping it gives the permits back"]
pub(crate) struct Held {
    pub(crate) semaphore: &'static Semaphore,
    pub(crate) weight: u32,
    /// The slot that goes back with them, [`NO_SLOT`](super::NO_SLOT) of most calls that never waited.
    pub(crate) slot: u32,
}

impl Held {
    /// The semaphore, how many permits, and the slot: for the caller to [release](Semaphore::release).
    #[inline]
    pub(crate) fn into_parts(self) -> (&'static Semaphore, u32, u32) {
        let parts = (self.semaphore, self.weight, self.slot);
        mem::forget(self);
        parts
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.semaphore.release(self.weight, self.slot);
    }
}

/// A place in the queue. Dropping it leaves the queue as one that was cancelled, and gives back the
/// permits if it has been handed any.
#[derive(Debug)]
#[must_use = "dropping it leaves the queue"]
pub(crate) struct Waiter {
    pub(super) semaphore: &'static Semaphore,
    pub(super) grant: Grant,
    pub(super) slot: u32,
    pub(super) weight: u32,
    pub(super) waits_for: WaitsFor,
}

/// What a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitsFor {
    Permits,
    /// Some of which come back with time: it is for the waiters to see that somebody looks.
    Time,
    /// The limit, which somebody is finding out. It is not counted as one that waits.
    Limit,
}

/// How a waiter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Waits,
    /// It has been handed its permits: [`Waiter::accept`].
    Granted,
    /// [`Waiter::into_refusal`].
    Refused,
    /// It is to ask again, here or at the runtime that polls now: [`Waiter::leave`].
    Retry,
}

impl Waiter {
    pub(crate) fn semaphore(&self) -> &'static Semaphore {
        self.semaphore
    }

    pub(crate) fn waits_for(&self) -> WaitsFor {
        self.waits_for
    }

    /// How it stands; while it waits, `waker` is the one that will be woken.
    #[inline]
    pub(crate) fn poll(&self, waker: &Waker) -> Standing {
        match self.standing() {
            Standing::Waits => {
                self.semaphore.update_waker(self.slot, waker);
                // Again, because it may have been served before the waker was exchanged.
                self.standing()
            }
            other => other,
        }
    }

    #[inline]
    fn standing(&self) -> Standing {
        // Pairs with the `Release` store by whoever served it: what the former holder did is seen.
        match standing(self.grant.load(Ordering::Acquire)) {
            WAITING => Standing::Waits,
            GRANTED => Standing::Granted,
            REFUSED => Standing::Refused,
            _ => Standing::Retry,
        }
    }

    /// Takes the permits that it has been handed, after so long.
    #[inline]
    pub(crate) fn accept(self, waited: Duration) -> Held {
        debug_assert_eq!(self.standing(), Standing::Granted);
        let Self { semaphore, grant, slot, weight, waits_for } = self;
        if waits_for == WaitsFor::Time {
            // The waiter is its owner still, in case the clock panics.
            semaphore.start(slot);
        }
        let nanoseconds = u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
        // Relaxed, because it is read under the lock only. The wait is counted when the permit has come
        // back, and that takes the lock after this. A snapshot before that may miss it: then this call
        // is one that has not been admitted yet.
        grant.store(with_figure(ADMITTED, nanoseconds), Ordering::Relaxed);
        // The slot is the permit's from here on: it goes back with it.
        mem::forget(self);
        Held { semaphore, weight, slot }
    }

    /// Leaves with the reason why it was refused while it waited.
    pub(crate) fn into_refusal(self) -> Refusal {
        debug_assert_eq!(self.standing(), Standing::Refused);
        let (semaphore, slot, weight) = (self.semaphore, self.slot, self.weight);
        // Given up under the lock, before anybody is woken.
        mem::forget(self);
        semaphore.leave_refused(slot, weight)
    }

    /// Leaves, to ask again.
    pub(crate) fn leave(self) {
        let (semaphore, slot, weight) = (self.semaphore, self.slot, self.weight);
        mem::forget(self);
        semaphore.leave(slot, weight, false);
    }

    /// Its time is up: leaves with the refusal.
    ///
    /// # Errors
    ///
    /// Itself, if it does not wait any more: it was handed its permits, or dismissed, before.
    pub(crate) fn time_out(self) -> Result<Refusal, Self> {
        self.semaphore.time_out(self)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let cancelled = self.waits_for != WaitsFor::Limit;
        self.semaphore.leave(self.slot, self.weight, cancelled);
    }
}
