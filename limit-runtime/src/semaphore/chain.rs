//! Waiters that are linked by the numbers of their slots.

use super::slots::{NO_SLOT, Slots};
use super::status::{is_back, is_earlier};
use crate::sync::Ordering;

/// A list of slots. Each method takes constant time but for [`insert_back`](Self::insert_back) and
/// [`slots`](Self::slots).
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    /// The first slot, [`NO_SLOT`] if there is none.
    pub(super) head: u32,
    /// The last slot.
    pub(super) tail: u32,
}

impl Chain {
    pub(super) const EMPTY: Self = Self { head: NO_SLOT, tail: NO_SLOT };

    /// Adds a slot after all others. The slot's `previous` is the tail, and its `next` is none.
    #[inline]
    pub(super) fn push_last(&mut self, slots: &mut Slots, slot: u32) {
        let tail = std::mem::replace(&mut self.tail, slot);
        if tail == NO_SLOT {
            self.head = slot;
        } else {
            slots.node_mut(tail).next = slot;
        }
    }

    /// Adds a slot before all others.
    pub(super) fn push_first(&mut self, slots: &mut Slots, slot: u32) {
        let head = std::mem::replace(&mut self.head, slot);
        slots.node_mut(slot).next = head;
        if head == NO_SLOT {
            self.tail = slot;
        } else {
            slots.node_mut(head).previous = slot;
        }
    }

    /// Adds a waiter that is back, before all others but those that are back too and were granted their permits
    /// earlier. The slot's cell has the `grant` already.
    pub(super) fn insert_back(&mut self, slots: &mut Slots, slot: u32, grant: u64) {
        let (mut previous, mut next) = (NO_SLOT, self.head);
        while next != NO_SLOT {
            let value = slots.cell(next).load(Ordering::Relaxed);
            if !(is_back(value) && is_earlier(value, grant)) {
                break;
            }
            previous = next;
            next = slots.node(next).next;
        }
        let node = slots.node_mut(slot);
        (node.previous, node.next) = (previous, next);
        if previous == NO_SLOT {
            self.head = slot;
        } else {
            slots.node_mut(previous).next = slot;
        }
        if next == NO_SLOT {
            self.tail = slot;
        } else {
            slots.node_mut(next).previous = slot;
        }
    }

    /// Takes the head out, given the head's `next`.
    #[inline]
    pub(super) fn pop(&mut self, next: u32) {
        self.head = next;
        if next == NO_SLOT {
            self.tail = NO_SLOT;
        }
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, slots: &mut Slots, slot: u32) {
        let (previous, next) = (slots.node(slot).previous, slots.node(slot).next);
        if slot == self.head {
            self.head = next;
        } else {
            slots.node_mut(previous).next = next;
        }
        if next != NO_SLOT {
            slots.node_mut(next).previous = previous;
        }
        if slot == self.tail {
            self.tail = if self.head == NO_SLOT { NO_SLOT } else { previous };
        }
    }

    /// Returns all slots in order.
    pub(super) fn slots(self, slots: &Slots) -> Vec<u32> {
        let mut all = Vec::new();
        let mut slot = self.head;
        while slot != NO_SLOT {
            all.push(slot);
            slot = slots.node(slot).next;
        }
        all
    }
}
