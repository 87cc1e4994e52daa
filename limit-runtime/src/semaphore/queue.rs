//! The waiters of one semaphore: a doubly linked list in a slab.
//!
//! # Implementation details
//!
//! Every waiter has a *slot*: a node under the semaphore's lock, and a [`Grant`] beside it that can
//! be read without the lock. Slots are linked by number, which gives O(1) to join, to leave from
//! anywhere and to serve, without unsafe code. A served call keeps its slot for as long as it holds
//! its permit and gives both back under one lock; only then is its wait counted, when nothing can
//! undo it any more. A snapshot finds those who have been let in and not been counted yet by their
//! grants. The grant of a free slot is `WAITING`.
//!
//! Slots come in chunks that are never freed or moved; the slab is as large as the most that ever
//! waited at once. The grants are leaked on purpose (semaphores live for ever, see
//! [`crate::registry`]), which is what makes `&'static` references to them possible.
//!
//! What costs here is not instructions but cache lines that another core wrote last. So weights stand
//! apart and are not touched while all are 1; serving the head does not touch the one behind it,
//! whose `previous` may therefore be out of date while it is the head; and waits are counted eight at
//! a time. Time is none of the queue's business: whoever waits looks at the clock, under no lock, and
//! leaves its wait in its grant.
//!
//! # Memory ordering
//!
//! All nodes are under the semaphore's lock. A grant is stored with `Release` under the lock and
//! loaded with `Acquire` by the waiter: who sees `GRANTED` sees all that the holder did who gave its
//! permit back. All changes of a grant but one are made under the lock; the exception is the
//! waiter's own `GRANTED` to `ADMITTED`, and nobody else writes between those two.

use super::slots::{
    GRANTED, Grant, NO_SLOT, Node, RETRY, Slots, TOO_HEAVY, WAITING, figure, standing, with_figure,
};
use crate::sync::Ordering;
use std::task::Waker;

/// A place in the queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) slot: u32,
    pub(crate) grant: Grant,
}

/// So many waits are counted at a time: a cache line full.
const RECENT: usize = 8;

/// In this order, because what is before `recent` shares the cache line of the semaphore's word, and
/// `slots` one that is seldom written.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Queue {
    /// The first of the free slots, linked by `next`.
    free: u32,
    head: u32,
    tail: u32,
    length: u32,
    /// Waiters that want more than one permit.
    heavy: u32,
    longest: u32,
    recent_length: u32,
    /// The waits of those who have handed their slots back and have not been counted yet.
    recent: [u64; RECENT],
    slots: Slots,
}

impl Queue {
    pub(crate) const fn new() -> Self {
        Self {
            free: NO_SLOT,
            head: NO_SLOT,
            tail: NO_SLOT,
            length: 0,
            heavy: 0,
            longest: 0,
            recent_length: 0,
            recent: [0; RECENT],
            slots: Slots::new(),
        }
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.length as usize
    }

    /// The most that ever waited, since this was asked to start again.
    pub(crate) fn longest(&self) -> usize {
        self.longest as usize
    }

    /// Starts again to look for the most that ever waited.
    pub(crate) fn restart_longest(&mut self) {
        self.longest = self.length;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.head == NO_SLOT
    }

    /// Whether anybody waits for more than one permit.
    pub(crate) fn has_heavy(&self) -> bool {
        self.heavy > 0
    }

    /// The weight of the one who is next.
    pub(crate) fn head_weight(&mut self) -> Option<u32> {
        match self.head {
            NO_SLOT => None,
            _ if self.heavy == 0 => Some(1),
            head => Some(*self.slots.weight(head)),
        }
    }

    /// Joins at the end.
    #[inline]
    pub(crate) fn join(&mut self, weight: u32, waker: Waker) -> Place {
        if self.free == NO_SLOT {
            self.free = self.slots.grow();
        }
        let (slot, tail) = (self.free, self.tail);
        let (node, grant) = self.slots.node_and_grant(slot);
        self.free = node.next;
        *node = Node { previous: tail, next: NO_SLOT, waker: Some(waker) };
        self.tail = slot;
        if tail == NO_SLOT {
            self.head = slot;
        } else {
            self.slots.node_mut(tail).next = slot;
        }
        self.length += 1;
        self.longest = self.longest.max(self.length);
        if weight > 1 {
            *self.slots.weight(slot) = weight;
            self.heavy += 1;
        }
        Place { slot, grant }
    }

    /// Hands its permits to the one who is next, who must be there, and returns the waker to wake
    /// after unlocking.
    #[inline]
    pub(crate) fn serve(&mut self) -> Option<Waker> {
        let slot = self.head;
        self.lighten(slot);
        let (node, grant) = self.slots.node_and_grant(slot);
        let waker = node.waker.take();
        self.head = node.next;
        self.length -= 1;
        if self.head == NO_SLOT {
            self.tail = NO_SLOT;
        }
        grant.store(GRANTED, Ordering::Release);
        waker
    }

    /// Takes the one who is next out of the queue without permits, to ask again; its slot stays its
    /// own until it leaves.
    pub(crate) fn dismiss_head(&mut self) -> Option<Waker> {
        (!self.is_empty()).then(|| self.dismiss_slot(self.head, RETRY)).flatten()
    }

    /// Dismisses every waiter that wants more than `limit`; says how many.
    pub(crate) fn dismiss_heavier_than(&mut self, limit: u32, wakers: &mut Vec<Waker>) -> u64 {
        let mut dismissed = 0;
        let mut slot = self.head;
        while slot != NO_SLOT && self.heavy > 0 {
            let next = self.slots.node(slot).next;
            if *self.slots.weight(slot) > limit {
                let refused = with_figure(TOO_HEAVY, u64::from(limit));
                wakers.extend(self.dismiss_slot(slot, refused));
                dismissed += 1;
            }
            slot = next;
        }
        dismissed
    }

    fn dismiss_slot(&mut self, slot: u32, grant: u64) -> Option<Waker> {
        self.unlink(slot);
        self.slots.grant(slot).store(grant, Ordering::Release);
        self.slots.node_mut(slot).waker.take()
    }

    /// The limit for which a waiter was too heavy that was dismissed because of that.
    pub(crate) fn refused_at(&self, slot: u32) -> u32 {
        u32::try_from(figure(self.slots.grant(slot).load(Ordering::Relaxed))).unwrap_or(0)
    }

    /// A waiter gives its slot back without having been admitted; how it stood, and its waker, to be
    /// dropped after unlocking.
    pub(crate) fn leave(&mut self, slot: u32) -> (u64, Option<Waker>) {
        let standing = standing(self.slots.grant(slot).load(Ordering::Relaxed));
        if standing == WAITING {
            self.unlink(slot);
        }
        let waker = self.slots.node_mut(slot).waker.take();
        self.free(slot);
        (standing, waker)
    }

    /// A holder gives its slot back. Says whether it is time to count the recent waits.
    #[inline]
    pub(crate) fn finish(&mut self, slot: u32) -> bool {
        let waited = figure(self.slots.grant(slot).load(Ordering::Relaxed));
        self.recent[self.recent_length as usize] = waited;
        self.recent_length += 1;
        self.free(slot);
        self.recent_length as usize == RECENT
    }

    /// The waits, in nanoseconds, that have not been counted; they have now.
    pub(crate) fn take_recent(&mut self) -> &[u64] {
        let length = std::mem::take(&mut self.recent_length);
        &self.recent[..length as usize]
    }

    /// The waits, in nanoseconds, of the calls that were admitted and have not been counted: all
    /// that still hold their permits, and the recent ones.
    pub(crate) fn uncounted(&self) -> impl Iterator<Item = u64> {
        let holding = self.slots.admitted();
        self.recent[..self.recent_length as usize].iter().copied().chain(holding)
    }

    /// Whether the waiter's waker is not the one that would be woken.
    pub(crate) fn needs_waker(&self, slot: u32, waker: &Waker) -> bool {
        self.slots.grant(slot).load(Ordering::Relaxed) == WAITING
            && !self.slots.node(slot).waker.as_ref().is_some_and(|known| known.will_wake(waker))
    }

    /// Exchanges the waker. Whichever is not needed comes back, to be dropped after unlocking.
    pub(crate) fn set_waker(&mut self, slot: u32, waker: Waker) -> Option<Waker> {
        if self.slots.grant(slot).load(Ordering::Relaxed) == WAITING {
            self.slots.node_mut(slot).waker.replace(waker)
        } else {
            Some(waker)
        }
    }

    /// A waiter leaves the list: if it was a heavy one, its slot is a light one's again.
    fn lighten(&mut self, slot: u32) {
        if self.heavy > 0 {
            let weight = self.slots.weight(slot);
            self.heavy -= u32::from(*weight > 1);
            *weight = 1;
        }
    }

    /// Takes a waiter out of the list.
    fn unlink(&mut self, slot: u32) {
        self.lighten(slot);
        let Node { previous, next, .. } = *self.slots.node(slot);
        if slot == self.head {
            self.head = next;
        } else {
            self.slots.node_mut(previous).next = next;
        }
        if next != NO_SLOT {
            self.slots.node_mut(next).previous = previous;
        }
        if slot == self.tail {
            self.tail = if self.head == NO_SLOT { NO_SLOT } else { previous };
        }
        self.length -= 1;
    }

    #[inline]
    fn free(&mut self, slot: u32) {
        let free = self.free;
        let (node, grant) = self.slots.node_and_grant(slot);
        node.next = free;
        grant.store(WAITING, Ordering::Relaxed);
        self.free = slot;
    }
}
