//! The permits that a call has been handed.
//!
//! They are owned from the moment at which they are there, before anybody is woken. So a panic in foreign
//! code drops the owner, and that gives them back. They are given back once: whatever else gives them up marks
//! them as spent first.

use super::lease::Terms;
use super::permits::Semaphore;
use super::sampled::without_mark;
use super::slots::{NO_SLOT, NOTHING};
use std::mem;

/// Permits that a call has been handed. Nothing gives them back but [`give_back`](Self::give_back): they
/// are for an owner whose own `Drop` calls it, and does something before and after.
///
/// (Measured: were a guard inside the owner, a call on the fast path would take 30 instructions more than
/// its 191.)
#[derive(Debug)]
pub(crate) struct Permits {
    semaphore: &'static Semaphore,
    weight: u32,
    /// The slot that goes back with the permits: [`NO_SLOT`] for most calls that never waited, and
    /// [`NOTHING`] if all permits were split off.
    slot: u32,
    /// The terms of the leases under which the call was admitted.
    terms: Terms,
}

impl Permits {
    /// Returns the number of permits.
    #[inline]
    pub(crate) fn weight(&self) -> u32 {
        self.weight
    }

    /// Returns the slot of the permits, if they have one.
    #[inline]
    pub(crate) fn place(&self) -> Option<u32> {
        (self.slot < NOTHING).then(|| without_mark(self.slot))
    }

    /// Takes the permits out. The waiter has none then, and must not give any back.
    pub(crate) fn take(&mut self) -> Held {
        let (weight, slot) = (mem::take(&mut self.weight), mem::replace(&mut self.slot, NO_SLOT));
        self.part(weight, slot)
    }

    /// Returns the index of the limiter that the permits belong to. If there are none, the semaphore may
    /// be another limiter's by now: then it is `None`.
    pub(crate) fn owner(&self) -> Option<u32> {
        (self.weight > 0).then(|| self.semaphore.lock().owner)
    }

    /// Takes a part of the permits. Returns `None` if there are fewer.
    pub(crate) fn split(&mut self, weight: u32) -> Option<Held> {
        let rest = self.weight.checked_sub(weight)?;
        let slot = if weight == 0 {
            NOTHING
        } else if rest == 0 {
            mem::replace(&mut self.slot, NOTHING)
        } else if self.slot == NO_SLOT {
            NO_SLOT
        } else {
            self.semaphore.lock().split_slot(without_mark(self.slot))
        };
        self.weight = rest;
        Some(self.part(weight, slot))
    }

    /// Makes a part of the permits.
    fn part(&self, weight: u32, slot: u32) -> Held {
        Held::new(self.semaphore, weight, slot).under(self.terms)
    }

    /// Returns the semaphore that the permits belong to.
    pub(super) fn semaphore(&self) -> &'static Semaphore {
        self.semaphore
    }

    /// Returns the terms of the leases under which the call was admitted.
    #[cfg(feature = "fleet")]
    pub(super) fn terms(&self) -> Terms {
        self.terms
    }

    /// Returns the slot of the permits.
    #[cfg(feature = "fleet")]
    pub(super) fn slot(&self) -> u32 {
        without_mark(self.slot)
    }

    /// Returns the slot of the permits, with the mark of a [sampled](super::sampled) call.
    pub(super) fn raw_slot(&self) -> u32 {
        self.slot
    }

    /// Adds the permits of another call.
    ///
    /// # Errors
    ///
    /// The other permits, if they belong to another limiter, scope or key.
    pub(crate) fn merge(&mut self, other: Held) -> Result<(), Held> {
        let weight = self.weight.checked_add(other.0.weight);
        let is_same = std::ptr::eq(self.semaphore, other.0.semaphore);
        let Some(weight) = weight.filter(|_| is_same) else { return Err(other) };
        let (own, added) = (self.slot, other.0.slot);
        if own == NOTHING || own == NO_SLOT && added != NOTHING {
            self.slot = added;
        } else if added != NOTHING && added != NO_SLOT {
            let mut state = self.semaphore.lock();
            if !state.merge_slots(without_mark(own), without_mark(added)) {
                drop(state);
                return Err(other);
            }
            // Nothing is to be learnt from the time of a part.
            state.forget_member(without_mark(added));
        }
        self.weight = weight;
        // All permits are valid only as long as each is.
        self.terms = self.terms.oldest(other.0.terms);
        // Its permits and its slot are in this one.
        mem::forget(other);
        Ok(())
    }

    /// Gives the permits back. To be called once, from the owner's `Drop`.
    #[inline]
    pub(crate) fn give_back(&mut self) {
        self.semaphore.release(self.weight, self.slot);
    }
}

/// Permits that a call has been handed. Dropping them gives them back.
#[derive(Debug)]
#[must_use = "dropping it gives the permits back"]
pub(crate) struct Held(Permits);

impl Held {
    #[inline]
    pub(super) fn new(semaphore: &'static Semaphore, weight: u32, slot: u32) -> Self {
        Self(Permits { semaphore, weight, slot, terms: Terms::NONE })
    }

    /// Notes the terms of the leases under which the call is admitted.
    #[inline]
    pub(super) fn under(mut self, terms: Terms) -> Self {
        self.0.terms = terms;
        self
    }

    /// Returns the semaphore that the permits belong to.
    #[inline]
    pub(crate) fn semaphore(&self) -> &'static Semaphore {
        self.0.semaphore
    }

    /// Returns the permits, which stay the call's.
    pub(super) fn permits(&self) -> &Permits {
        &self.0
    }

    /// Returns the number of permits.
    #[inline]
    pub(crate) fn weight(&self) -> u32 {
        self.0.weight
    }

    /// Returns the slot, with the mark of a [sampled](super::sampled) call.
    pub(super) fn raw_slot(&self) -> u32 {
        self.0.slot
    }

    /// Sets the slot, which the permits have not had, or with another mark.
    pub(super) fn set_slot(&mut self, slot: u32) {
        self.0.slot = slot;
    }

    /// Returns the slot of the permits, if they have one.
    #[inline]
    pub(crate) fn place(&self) -> Option<u32> {
        self.0.place()
    }

    /// Hands the permits over to an owner that gives them back itself.
    #[inline]
    pub(crate) fn into_permits(self) -> Permits {
        let Permits { semaphore, weight, slot, terms } = self.0;
        mem::forget(self);
        Permits { semaphore, weight, slot, terms }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.give_back();
    }
}
