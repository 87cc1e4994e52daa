//! The waiters of one semaphore: who they are, in a slab. In which order they are served is the
//! business of a [`WaitList`]: the semaphore's own, or with keys, one for each.
//!
//! # Implementation details
//!
//! Every waiter has a *slot*: a node under the semaphore's lock, and a [`StatusCell`] beside it that can
//! be read without the lock. Slots are linked by number, which gives O(1) to join, to leave from
//! anywhere and to serve, without unsafe code. A served call keeps its slot for as long as it holds
//! its permit and gives both back under one lock; only then is its wait counted, when nothing can
//! undo it any more. A snapshot finds those who have been let in and not been counted yet by their
//! cells. The cell of a free slot is `WAITING`. Where a permit must be known by more than its
//! weight (it has a key, or a window since its start), a call that never waited has a slot as well.
//!
//! Slots come in chunks that are never moved. The first few stay; what more is needed is made when it
//! is needed and given back when it is empty, a chunk at a time (see [`super::slots`]). The cells are
//! leaked on purpose, which is what makes `&'static` references to them possible: those of a chunk that
//! is given back are used for another.
//!
//! What costs here is not instructions but cache lines that another core wrote last. So weights stand
//! apart and are not touched while all are 1; serving the head does not touch the one behind it,
//! whose `previous` may therefore be out of date while it is the head; and waits are counted seven at
//! a time. Whoever waits looks at the clock itself, under no lock, and leaves its wait in its cell.
//!
//! # Memory ordering
//!
//! All nodes are under the semaphore's lock. A cell is stored with `Release` under the lock and
//! loaded with `Acquire` by the waiter: who sees `GRANTED` sees all that the holder did who gave its
//! permit back. All changes of a cell but one are made under the lock; the exception is the
//! waiter's own `GRANTED` to `ADMITTED`, and nobody else writes between those two.

use super::slots::{KEPT, NO_SLOT, Node, Slots};
use super::status::{ADMITTED, AT_ONCE, GRANTED, StatusCell, WAITING, figure, status};
use super::wait_list::{WaitList, WaitOrder};
use super::wake_list::WakeList;
use crate::sync::Ordering;
use std::task::Waker;

/// The reason why a call is in the wait list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitsFor {
    /// Permits, which their holders give back.
    Permits,
    /// Permits, some of which come back with time. Each poll must make sure that a ticker watches on
    /// its runtime.
    Time,
    /// The limit, which another caller resolves. The call does not count as one that waits.
    Limit,
}

/// Who joins.
#[derive(Debug)]
pub(super) struct Joining {
    pub(super) weight: u32,
    pub(super) priority: u8,
    pub(super) key: u32,
    pub(super) fallible: bool,
    pub(super) waker: Waker,
}

/// So many waits are counted at a time: with the two numbers before them, a cache line full. One more
/// would lie beside `slots`, which all cores read.
const RECENT: usize = 7;

/// In this order, because what is before `recent_length` shares the cache line of the semaphore's
/// word, and `slots` one that is seldom written.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Queue {
    /// The first of the free slots of those that are kept, linked by `next`.
    free: u32,
    length: u32,
    /// Waiters that want more than one permit.
    heavy: u32,
    longest: u32,
    recent_length: u32,
    /// How many have been served, wrapping.
    served: u32,
    /// The waits of those who have handed their slots back and have not been counted yet.
    recent: [u64; RECENT],
    slots: Slots,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self {
            free: NO_SLOT,
            length: 0,
            heavy: 0,
            longest: 0,
            recent_length: 0,
            served: 0,
            recent: [0; RECENT],
            slots: Slots::new(),
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.length as usize
    }

    /// The most that ever waited, since this was asked to start again.
    pub(super) fn longest(&self) -> usize {
        self.longest as usize
    }

    /// Starts again to look for the most that ever waited.
    pub(super) fn restart_longest(&mut self) {
        self.longest = self.length;
    }

    /// How many have been handed their permits, wrapping.
    pub(super) fn served(&self) -> u32 {
        self.served
    }

    /// Whether anybody waits for more than one permit.
    pub(super) fn has_heavy(&self) -> bool {
        self.heavy > 0
    }

    /// The weight of the one who is next.
    #[inline]
    pub(super) fn head_weight(&mut self, list: &WaitList) -> Option<u32> {
        match list.head() {
            NO_SLOT => None,
            _ if self.heavy == 0 => Some(1),
            head => Some(*self.slots.weight(head)),
        }
    }

    /// Joins a line, where the order says.
    #[inline]
    pub(super) fn join(
        &mut self,
        list: &mut WaitList,
        order: WaitOrder,
        joining: Joining,
    ) -> (u32, StatusCell) {
        let Joining { weight, priority, key, fallible, waker } = joining;
        if self.free == NO_SLOT {
            self.free = self.slots.grow();
        }
        let slot = self.free;
        let (node, cell) = self.slots.node_and_status(slot);
        self.free = node.next;
        *node = Node { previous: list.tail(), next: NO_SLOT, waker: Some(waker), key, fallible };
        list.push(&mut self.slots, slot, order, priority);
        self.length += 1;
        self.longest = self.longest.max(self.length);
        if weight > 1 {
            *self.slots.weight(slot) = weight;
            self.heavy += 1;
        }
        (slot, cell)
    }

    /// A slot for a call that is let in without waiting.
    #[inline]
    pub(super) fn hold(&mut self, key: u32) -> u32 {
        if self.free == NO_SLOT {
            self.free = self.slots.grow();
        }
        let slot = self.free;
        let (node, cell) = self.slots.node_and_status(slot);
        self.free = node.next;
        node.key = key;
        cell.store(AT_ONCE, Ordering::Relaxed);
        slot
    }

    /// Hands its permits to the one who is next, who must be there, and returns the waker to wake
    /// after unlocking.
    // Not `inline(always)`: measured, every call that queues is a tenth slower then.
    #[inline]
    pub(super) fn serve(&mut self, list: &mut WaitList) -> Option<Waker> {
        let slot = list.head();
        self.lighten(slot);
        self.length -= 1;
        self.served = self.served.wrapping_add(1);
        let (node, cell) = self.slots.node_and_status(slot);
        let waker = node.waker.take();
        list.pop(node.next);
        cell.store(GRANTED, Ordering::Release);
        if slot >= KEPT {
            self.slots.count_served(slot);
        }
        waker
    }

    /// Takes a waiter out of the line without permits; its slot stays its own until it leaves.
    pub(super) fn dismiss(&mut self, list: &mut WaitList, slot: u32, cell: u64) -> Option<Waker> {
        self.unlink(list, slot);
        self.slots.cell(slot).store(cell, Ordering::Release);
        self.slots.node_mut(slot).waker.take()
    }

    /// Everybody in a line, in order, with their weights and whether they can be refused.
    pub(super) fn waiters(&mut self, list: &WaitList) -> Vec<(u32, u32, bool)> {
        let mut waiters = Vec::new();
        for slot in list.slots(&self.slots) {
            waiters.push((slot, *self.slots.weight(slot), self.slots.node(slot).fallible));
        }
        waiters
    }

    /// How the call with that slot stands.
    #[inline]
    pub(super) fn status(&self, slot: u32) -> u64 {
        status(self.slots.cell(slot).load(Ordering::Relaxed))
    }

    /// How many permits a waiter wants.
    pub(super) fn weight(&mut self, slot: u32) -> u32 {
        *self.slots.weight(slot)
    }

    /// Takes the wakers of those who wait in some of the slots from that one on. Says from which on
    /// there may be more.
    pub(super) fn take_wakers(&mut self, from: u32, wakers: &mut WakeList) -> Option<u32> {
        let slots = self.slots.chunk_from(from)?;
        let end = slots.end;
        slots.for_each(|slot| wakers.push(self.slots.node_mut(slot).waker.take()));
        Some(end)
    }

    /// The number of its key.
    pub(super) fn key(&self, slot: u32) -> u32 {
        self.slots.node(slot).key
    }

    /// A waiter gives its slot back without having been admitted; its waker is to be dropped after
    /// unlocking. If it is in a line, it must be that one.
    pub(super) fn leave(&mut self, list: &mut WaitList, slot: u32) -> Option<Waker> {
        if self.status(slot) == WAITING {
            self.unlink(list, slot);
        }
        let waker = self.slots.node_mut(slot).waker.take();
        self.free(slot);
        waker
    }

    /// A holder gives its slot back. Says whether it is time to count the recent waits.
    #[inline]
    pub(super) fn finish(&mut self, slot: u32) -> bool {
        let before = self.free(slot);
        if status(before) != ADMITTED {
            return false;
        }
        self.recent[self.recent_length as usize] = figure(before);
        self.recent_length += 1;
        self.recent_length as usize == RECENT
    }

    /// The waits, in nanoseconds, that have not been counted; they have now.
    pub(super) fn take_recent(&mut self) -> &[u64] {
        let length = std::mem::take(&mut self.recent_length);
        &self.recent[..length as usize]
    }

    /// The waits, in nanoseconds, of the calls that were admitted and have not been counted: all
    /// that still hold their permits, and the recent ones.
    pub(super) fn uncounted(&self) -> impl Iterator<Item = u64> {
        let holding = self.slots.admitted();
        self.recent[..self.recent_length as usize].iter().copied().chain(holding)
    }

    /// Whether the waiter's waker is not the one that would be woken.
    pub(super) fn needs_waker(&self, slot: u32, waker: &Waker) -> bool {
        self.slots.cell(slot).load(Ordering::Relaxed) == WAITING
            && !self.slots.node(slot).waker.as_ref().is_some_and(|known| known.will_wake(waker))
    }

    /// Whether there is memory that is not needed any more.
    #[inline]
    pub(super) fn has_emptied(&self) -> bool {
        self.slots.have_emptied()
    }

    /// That memory, to be dropped after unlocking.
    pub(super) fn take_emptied(&mut self) -> Option<impl Sized + use<>> {
        self.slots.take_emptied()
    }

    /// Exchanges the waker. Whichever is not needed comes back, to be dropped after unlocking.
    pub(super) fn set_waker(&mut self, slot: u32, waker: Waker) -> Option<Waker> {
        if self.slots.cell(slot).load(Ordering::Relaxed) == WAITING {
            self.slots.node_mut(slot).waker.replace(waker)
        } else {
            Some(waker)
        }
    }

    /// A waiter leaves its line: if it was a heavy one, its slot is a light one's again.
    #[inline]
    fn lighten(&mut self, slot: u32) {
        if self.heavy > 0 {
            let weight = self.slots.weight(slot);
            self.heavy -= u32::from(*weight > 1);
            *weight = 1;
        }
    }

    /// Takes a waiter out of its line.
    fn unlink(&mut self, list: &mut WaitList, slot: u32) {
        self.lighten(slot);
        list.remove(&mut self.slots, slot);
        self.length -= 1;
    }

    /// Returns what its cell was.
    #[inline]
    fn free(&mut self, slot: u32) -> u64 {
        let is_kept = slot < KEPT;
        let free = if is_kept { self.free } else { NO_SLOT };
        let (node, cell) = self.slots.node_and_status(slot);
        node.next = free;
        let before = cell.load(Ordering::Relaxed);
        cell.store(WAITING, Ordering::Relaxed);
        if is_kept {
            self.free = slot;
        } else {
            self.slots.give_back(slot, before);
        }
        before
    }
}
