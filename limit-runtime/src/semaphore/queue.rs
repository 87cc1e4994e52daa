//! The waiters of one semaphore, in slots. A [`WaitList`] keeps their order: the semaphore has one,
//! or with keys, each key has one.
//!
//! # Implementation details
//!
//! Each waiter has a *slot*: a node under the semaphore's lock, and a [`StatusCell`] beside it that
//! can be read without the lock. Slots are linked by number. So to join, to leave from anywhere and
//! to serve each take constant time, without unsafe code. A call that was served keeps its slot for
//! as long as it holds its permits, and gives both back under one lock. Only then its wait is
//! counted, when nothing can undo it any more. A reading finds the calls that run and have not been
//! counted yet by their status cells. A call that never waited has a slot too if its permits must be
//! known by more than their number: by their key, or by the window since their start.
//!
//! Slots come in chunks that never move. The first few chunks stay. Others are made when they are
//! needed, and go when they are empty (see [`super::slots`]). The status cells are leaked on purpose,
//! which makes `&'static` references to them possible. The cells of a chunk that goes are used for
//! another.
//!
//! The cost here is not in instructions but in cache lines that another core wrote last. So weights
//! stand apart, and are not touched while all are 1. To serve the head does not touch the waiter
//! behind it, so the `previous` of a head may be stale. Waits are counted six at a time (see
//! [`super::recent_waits`]). A waiter looks at the clock itself, under no lock, and leaves its wait in its status cell.
//!
//! # Memory ordering
//!
//! All nodes are under the semaphore's lock. A status is stored with `Release` under the lock and
//! loaded with `Acquire` by the waiter: a waiter that sees `GRANTED` sees all that the former holder
//! of its permits wrote. All changes of a status are made under the lock but one: the waiter itself
//! changes `GRANTED` to `ADMITTED`. It does so by a compare-exchange, and so does the one that takes a
//! grant back (`GRANTED` to `AWAY`): of the two one succeeds. Each exchange may be `Relaxed`: the waiter
//! has loaded `GRANTED` with `Acquire`, and permits that are taken back pass on under the lock.
//! A reading notes in the cell of a waiter when it first saw it (see `ongoing`). It does so under the lock, and the status
//! stays `WAITING`.

#[cfg(feature = "inspect")]
mod ongoing;

use super::fresh_grants::FreshGrants;
use super::recent_waits::{Noted, RecentWaits, UNMEASURED};
use super::slots::{KEPT, NO_KEY, NO_SLOT, Node, Slots};
use super::status::{
    ADMITTED, AT_ONCE, AWAY, GRANTED, StatusCell, WAITING, figure, grant_weight, granted, is_back,
    status, with_figure, with_status,
};
use super::wait_list::{Position, WaitList};
use super::wake_list::WakeList;
use crate::sync::Ordering;
#[cfg(feature = "inspect")]
pub(crate) use ongoing::ReadingMoment;
use std::task::Waker;
use tokio::time::Instant;

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

/// A call that joins a wait list.
#[derive(Debug)]
pub(super) struct Joining {
    pub(super) weight: u32,
    pub(super) key: u32,
    pub(super) waker: Waker,
}

/// The position of a call that has joined a wait list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Joined {
    pub(super) slot: u32,
    pub(super) status: StatusCell,
    pub(super) noted: Noted,
}

/// The waiters of one semaphore. The order of the fields matters: those before `served` share
/// the cache line of the semaphore's word, and `slots` lies in one that is seldom written.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Queue {
    /// The first free slot in the chunks that stay. The others are linked by `next`.
    free: u32,
    length: u32,
    /// Waiters that want more than one permit.
    heavy: u32,
    longest: u32,
    /// Calls that have been served, which wrap at 2³². It is the number of the last grant.
    served: u32,
    /// Grants are noted: see [`FreshGrants`].
    notes_grants: bool,
    recent_waits: RecentWaits,
    slots: Slots,
    fresh: FreshGrants,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self {
            free: NO_SLOT,
            length: 0,
            heavy: 0,
            longest: 0,
            served: 0,
            notes_grants: true,
            recent_waits: RecentWaits::new(),
            slots: Slots::new(),
            fresh: FreshGrants::new(),
        }
    }

    /// Returns how many calls wait.
    pub(super) fn len(&self) -> usize {
        self.length as usize
    }

    /// Returns the most calls that have waited since the last
    /// [`restart_longest`](Self::restart_longest).
    pub(super) fn longest(&self) -> usize {
        self.longest as usize
    }

    /// Begins anew to look for the most calls that wait.
    pub(super) fn restart_longest(&mut self) {
        self.longest = self.length;
    }

    /// Returns how many calls have been handed their permits, which wraps at 2³².
    pub(super) fn served(&self) -> u32 {
        self.served
    }

    /// Returns whether there may be grants that nobody has claimed, and of which the watcher does not know.
    pub(super) fn has_fresh_grants(&mut self) -> bool {
        self.fresh.has_any()
    }

    /// Notes no grants from now on: the watcher is to look at all of them.
    pub(super) fn note_no_grants(&mut self) {
        self.notes_grants = false;
        self.fresh.forget();
    }

    /// Notes the grants from now on. Without `knows_all`, there may be others of which the watcher does not know.
    pub(super) fn note_grants(&mut self, knows_all: bool) {
        self.notes_grants = true;
        self.fresh.set_more(!knows_all);
    }

    /// Returns whether a call waits for more than one permit.
    pub(super) fn has_heavy(&self) -> bool {
        self.heavy > 0
    }

    /// Returns the weight of the waiter that is next.
    #[inline]
    pub(super) fn head_weight(&mut self, list: &WaitList) -> Option<u32> {
        match list.head() {
            NO_SLOT => None,
            _ if self.heavy == 0 => Some(1),
            head => Some(*self.slots.weight(head)),
        }
    }

    /// Returns whether the waiter that is next is back after its grant was taken back.
    pub(super) fn is_head_back(&self, list: &WaitList) -> bool {
        list.head() != NO_SLOT && is_back(self.value(list.head()))
    }

    /// Adds a call to a wait list, where the position says.
    #[expect(
        clippy::inline_always,
        reason = "measured: see `semaphore`, *What a queued call costs*"
    )]
    #[inline(always)]
    pub(super) fn join(
        &mut self,
        list: &mut WaitList,
        position: Position,
        joining: Joining,
    ) -> Joined {
        let Joining { weight, key, waker } = joining;
        if self.free == NO_SLOT {
            self.free = self.slots.grow();
        }
        let slot = self.free;
        let (node, cell) = self.slots.node_and_status(slot);
        self.free = node.next;
        *node = Node { previous: list.tail(), next: NO_SLOT, waker: Some(waker), key };
        list.push(&mut self.slots, slot, position);
        // In the order of arrival one wait is like those around it. In others a long one may stand among short ones, so
        // each is measured.
        let noted = if position == Position::Last && key == NO_KEY {
            self.recent_waits.begin(self.length)
        } else {
            self.recent_waits.begin_in_other_order()
        };
        self.length += 1;
        self.longest = self.longest.max(self.length);
        if weight > 1 {
            *self.slots.weight(slot) = weight;
            self.heavy += 1;
        }
        Joined { slot, status: cell, noted }
    }

    /// Takes a slot for a call that is admitted without waiting.
    #[expect(clippy::inline_always, reason = "measured: it is not inlined otherwise")]
    #[inline(always)]
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

    /// Hands its permits to the waiter that is next. There must be one. Returns its waker, to be
    /// woken after unlocking.
    #[expect(
        clippy::inline_always,
        reason = "measured: see `semaphore`, *What a queued call costs*"
    )]
    #[inline(always)]
    pub(super) fn serve(&mut self, list: &mut WaitList) -> Option<Waker> {
        let slot = list.head();
        let weight = self.lighten(slot);
        self.length -= 1;
        self.served = self.served.wrapping_add(1);
        let (node, cell) = self.slots.node_and_status(slot);
        let (waker, next) = (node.waker.take(), node.next);
        list.pop(&self.slots, next);
        let grant = granted(self.served, weight);
        // Pairs with the `Acquire` load of the waiter: it sees what the former holder wrote.
        cell.store(grant, Ordering::Release);
        if self.notes_grants {
            self.fresh.note(cell, grant);
        }
        if slot >= KEPT {
            self.slots.count_served(slot);
        }
        waker
    }

    /// Takes a waiter out of its wait list without permits, and sets its status. It keeps its slot
    /// until it leaves. Returns its waker.
    pub(super) fn dismiss(&mut self, list: &mut WaitList, slot: u32, status: u64) -> Option<Waker> {
        self.unlink(list, slot);
        // Pairs with the `Acquire` load of the waiter, as in `serve`.
        self.slots.cell(slot).store(status, Ordering::Release);
        self.slots.node_mut(slot).waker.take()
    }

    /// Takes the grant of a slot back, if its value is still that one, and adds the slot to those that are
    /// away. Returns the weight.
    pub(super) fn take_back(&mut self, away: &mut WaitList, slot: u32, grant: u64) -> Option<u32> {
        let cell = self.slots.cell(slot);
        // See *Memory ordering* for why it is `Relaxed`.
        cell.compare_exchange(
            grant,
            with_status(grant, AWAY),
            Ordering::Relaxed,
            Ordering::Relaxed,
        )
        .ok()?;
        self.slots.node_mut(slot).previous = away.tail();
        self.slots.node_mut(slot).next = NO_SLOT;
        away.push(&mut self.slots, slot, Position::Last);
        self.length += 1;
        self.longest = self.longest.max(self.length);
        if slot >= KEPT {
            self.slots.uncount_served(slot);
        }
        Some(grant_weight(grant))
    }

    /// Puts a waiter that is away back into its wait list, before all that have not been granted permits.
    pub(super) fn come_back(
        &mut self,
        away: &mut WaitList,
        list: &mut WaitList,
        slot: u32,
        waker: Waker,
    ) {
        away.remove(&mut self.slots, slot);
        let (node, cell) = self.slots.node_and_status(slot);
        node.waker = Some(waker);
        let value = with_status(cell.load(Ordering::Relaxed), WAITING);
        cell.store(value, Ordering::Relaxed);
        let weight = grant_weight(value);
        if weight > 1 {
            *self.slots.weight(slot) = weight;
            self.heavy += 1;
        }
        list.push_back_in_front(&mut self.slots, slot, value);
    }

    /// Returns the grants that nobody has claimed: slot and value. It looks at all slots.
    pub(super) fn unclaimed(&self) -> impl Iterator<Item = (u32, u64)> {
        self.slots.cells().filter(|&(_, value)| status(value) == GRANTED)
    }

    /// Returns the status of the call with a slot, and its figure.
    #[inline]
    pub(super) fn value(&self, slot: u32) -> u64 {
        self.slots.cell(slot).load(Ordering::Relaxed)
    }

    /// Sets the status of a waiter that claims its grant under the lock. Returns `false`, and does nothing, if
    /// the grant was taken back.
    pub(super) fn claim(&mut self, slot: u32, admitted: u64) -> bool {
        let is_granted = self.status(slot) == GRANTED;
        if is_granted {
            self.slots.cell(slot).store(admitted, Ordering::Relaxed);
        }
        is_granted
    }

    /// Returns all waiters of a wait list in order: slot and weight.
    pub(super) fn waiters(&mut self, list: &WaitList) -> Vec<(u32, u32)> {
        let slots = list.slots(&self.slots).into_iter();
        slots.map(|slot| (slot, *self.slots.weight(slot))).collect()
    }

    /// Returns whether the deadline of the waiter that is next is over: see [`WaitList::is_head_over`].
    pub(super) fn is_head_over(&self, list: &WaitList, now: Instant) -> bool {
        list.is_head_over(&self.slots, now)
    }

    /// Returns the waiter of a wait list that gives way to a call of a higher priority: see
    /// [`WaitList::lowest_below`].
    pub(super) fn lowest_below(&self, list: &WaitList, priority: u8) -> Option<u32> {
        list.lowest_below(&self.slots, priority)
    }

    /// Returns the status of the call with a slot.
    #[inline]
    pub(super) fn status(&self, slot: u32) -> u64 {
        status(self.value(slot))
    }

    /// Returns how many permits a waiter wants.
    pub(super) fn weight(&mut self, slot: u32) -> u32 {
        let value = self.value(slot);
        if status(value) == AWAY { grant_weight(value) } else { *self.slots.weight(slot) }
    }

    /// Takes the wakers of the waiters in some of the slots, from a slot on. Returns the slot after
    /// them; `None` if there are no more.
    pub(super) fn take_wakers(&mut self, from: u32, wakers: &mut WakeList) -> Option<u32> {
        let slots = self.slots.chunk_from(from)?;
        let end = slots.end;
        slots.for_each(|slot| wakers.push(self.slots.node_mut(slot).waker.take()));
        Some(end)
    }

    /// Returns whether there is memory for a slot.
    #[cfg(feature = "diagnostics")]
    pub(super) fn has_slot(&self, slot: u32) -> bool {
        self.slots.chunk_from(slot).is_some_and(|slots| slots.contains(&slot))
    }

    /// Returns the number of the key of a slot's call.
    pub(super) fn key(&self, slot: u32) -> u32 {
        self.slots.node(slot).key
    }

    /// Takes a slot back whose call was not admitted. If the call waits, `list` must be its wait
    /// list, or the list of those that are away. Returns its waker, to be dropped after unlocking.
    pub(super) fn leave(&mut self, list: &mut WaitList, slot: u32) -> Option<Waker> {
        if matches!(self.status(slot), WAITING | AWAY) {
            self.unlink(list, slot);
        }
        let waker = self.slots.node_mut(slot).waker.take();
        self.free(slot);
        waker
    }

    /// Takes a holder's slot back. Returns whether the recent waits are to be counted now.
    #[inline]
    pub(super) fn finish(&mut self, slot: u32) -> bool {
        self.finish_of_key(slot).1
    }

    /// Does the same, and returns the number of the call's key as well.
    #[expect(
        clippy::inline_always,
        reason = "measured: see `semaphore`, *What a queued call costs*"
    )]
    #[inline(always)]
    pub(super) fn finish_of_key(&mut self, slot: u32) -> (u32, bool) {
        let (key, before) = self.free(slot);
        let counts =
            status(before) == ADMITTED && self.recent_waits.add(figure(before), self.length);
        (key, counts)
    }

    /// Takes out the waits that have not been counted: each in nanoseconds, and for how many calls it counts. The
    /// caller counts them.
    pub(super) fn take_recent(&mut self) -> impl Iterator<Item = (u64, u64)> + use<> {
        self.recent_waits.take()
    }

    /// Returns the waits of all calls that hold their permits, in nanoseconds. They are counted when the permits come
    /// back. The recent ones must have been taken out.
    pub(super) fn admitted(&self) -> impl Iterator<Item = u64> {
        let latest = with_figure(ADMITTED, self.recent_waits.latest());
        let cells = self.slots.admitted();
        cells.map(move |cell| {
            let value = cell.load(Ordering::Relaxed);
            if figure(value) != UNMEASURED {
                return figure(value);
            }
            // From now on it counts like this, because a count in a histogram never goes back.
            cell.store(latest, Ordering::Relaxed);
            figure(latest)
        })
    }

    /// Returns whether a waiter is to be given this waker, because it would wake another task than
    /// the one that it has.
    pub(super) fn needs_waker(&self, slot: u32, waker: &Waker) -> bool {
        self.status(slot) == WAITING
            && !self.slots.node(slot).waker.as_ref().is_some_and(|known| known.will_wake(waker))
    }

    /// Returns whether there is memory that is no longer needed.
    #[inline]
    pub(super) fn has_emptied(&self) -> bool {
        self.slots.have_emptied()
    }

    /// Takes that memory out, to be dropped after unlocking.
    pub(super) fn take_emptied(&mut self) -> Option<impl Sized + use<>> {
        self.slots.take_emptied()
    }

    /// Sets a waiter's waker. Returns the one that is not needed, to be dropped after unlocking.
    pub(super) fn set_waker(&mut self, slot: u32, waker: Waker) -> Option<Waker> {
        if self.status(slot) == WAITING {
            self.slots.node_mut(slot).waker.replace(waker)
        } else {
            Some(waker)
        }
    }

    /// Makes the slot of a waiter that leaves its wait list a light one, if it was heavy. Returns the weight
    /// that it had.
    #[inline]
    fn lighten(&mut self, slot: u32) -> u32 {
        if self.heavy == 0 {
            return 1;
        }
        let weight = std::mem::replace(self.slots.weight(slot), 1);
        self.heavy -= u32::from(weight > 1);
        weight
    }

    /// Takes a waiter out of its wait list.
    fn unlink(&mut self, list: &mut WaitList, slot: u32) {
        self.lighten(slot);
        list.remove(&mut self.slots, slot);
        self.length -= 1;
    }

    /// Frees a slot. Returns the number of its key, and the value that its status cell had.
    #[expect(
        clippy::inline_always,
        reason = "measured: see `semaphore`, *What a queued call costs*"
    )]
    #[inline(always)]
    fn free(&mut self, slot: u32) -> (u32, u64) {
        let is_kept = slot < KEPT;
        let free = if is_kept { self.free } else { NO_SLOT };
        let (node, cell) = self.slots.node_and_status(slot);
        node.next = free;
        let key = node.key;
        let before = cell.load(Ordering::Relaxed);
        cell.store(WAITING, Ordering::Relaxed);
        if is_kept {
            self.free = slot;
        } else {
            self.slots.give_back(slot, before);
        }
        (key, before)
    }
}
