//! Waiters in the order in which they are to be served.
//!
//! A wait list is a linked list of slots until a waiter in it has a priority. From then on it is
//! *ranked*: sorted by rank.
//!
//! # Priorities
//!
//! A waiter is served as though it had come one second earlier for each level of its priority. Its
//! *rank* is the time at which it came, less its priority in seconds, and the lowest rank is served
//! next. So of calls that come at about the same time the one with the higher priority is first, and
//! within one priority the first is first. A call that has waited for as many seconds as a newcomer
//! is levels above it goes before the newcomer. So no call waits for ever under a steady stream of
//! higher priorities. Ranks never change: all waiters age alike. A waiter whose grant was taken back is
//! before all others when it is back.

use super::moment;
use super::slots::{NO_SLOT, Rank, Slots};
use super::status::{grant_number, is_back, is_earlier};
use crate::policy::{Order, Policy, Request};
use crate::sync::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// The time that one level of priority is worth.
const LEVEL: Duration = Duration::from_secs(1);

/// The position at which a call joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitOrder {
    /// At the end.
    Fifo,
    /// Before all others.
    Lifo,
    /// By its priority.
    Rank,
}

impl WaitOrder {
    pub(super) fn from_policy(policy: &Policy) -> Self {
        match policy.order {
            Order::Lifo => Self::Lifo,
            Order::Fifo if policy.ranked => Self::Rank,
            Order::Fifo => Self::Fifo,
        }
    }

    /// Returns the order for one call, which may have a priority.
    #[inline]
    pub(super) fn for_request(self, request: Request) -> Self {
        if self == Self::Fifo && request.priority > 0 { Self::Rank } else { self }
    }
}

#[derive(Debug)]
pub(super) struct WaitList {
    /// The slot of the waiter that is next.
    head: u32,
    /// The slot of the last waiter. It is stale in a ranked list.
    tail: u32,
    ranked: Option<Box<Ranked>>,
}

impl WaitList {
    pub(super) const fn new() -> Self {
        Self { head: NO_SLOT, tail: NO_SLOT, ranked: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.head == NO_SLOT
    }

    /// Returns whether the list is ranked.
    pub(super) fn is_ranked(&self) -> bool {
        self.ranked.is_some()
    }

    /// Returns the slot of the waiter that is next, [`NO_SLOT`] if there is none.
    pub(super) fn head(&self) -> u32 {
        self.head
    }

    /// Returns the slot of the last waiter: the `previous` of a call that joins at the end.
    #[inline]
    pub(super) fn tail(&self) -> u32 {
        self.tail
    }

    /// Adds a slot where the order says. The slot's `previous` is the tail, and its `next` is none.
    #[expect(
        clippy::inline_always,
        reason = "measured: see `semaphore`, *What a queued call costs*"
    )]
    #[inline(always)]
    pub(super) fn push(&mut self, slots: &mut Slots, slot: u32, order: WaitOrder, priority: u8) {
        match order {
            // A ranked list stays ranked: in one, the call joins without a priority.
            WaitOrder::Fifo if self.ranked.is_none() => self.push_last(slots, slot),
            WaitOrder::Lifo => self.push_first(slots, slot),
            WaitOrder::Fifo | WaitOrder::Rank => self.push_ranked(slots, slot, priority),
        }
    }

    #[inline]
    fn push_last(&mut self, slots: &mut Slots, slot: u32) {
        let tail = std::mem::replace(&mut self.tail, slot);
        if tail == NO_SLOT {
            self.head = slot;
        } else {
            slots.node_mut(tail).next = slot;
        }
    }

    /// Adds a slot before all others. The list must not be ranked.
    fn push_first(&mut self, slots: &mut Slots, slot: u32) {
        let head = std::mem::replace(&mut self.head, slot);
        slots.node_mut(slot).next = head;
        if head == NO_SLOT {
            self.tail = slot;
        } else {
            slots.node_mut(head).previous = slot;
        }
    }

    /// Adds a slot by its priority.
    #[cold]
    fn push_ranked(&mut self, slots: &mut Slots, slot: u32, priority: u8) {
        let now = moment::now();
        if self.ranked.is_none() {
            // Calls that wait already are taken to have come now, in their order.
            let mut ranked = Ranked::new(now);
            for waiter in self.slots(slots) {
                match slots.cell(waiter).load(Ordering::Relaxed) {
                    grant if is_back(grant) => ranked.insert_in_front(slots, waiter, grant),
                    _ => ranked.insert(slots, waiter, 0, now),
                }
            }
            self.ranked = Some(Box::new(ranked));
        }
        if let Some(ranked) = &mut self.ranked {
            ranked.insert(slots, slot, priority, now);
            self.head = ranked.first();
        }
    }

    /// Puts a waiter back that was granted permits before. It stands before all others but those that are back too
    /// and were granted theirs earlier. The slot's cell has the `grant` already.
    pub(super) fn push_back_in_front(&mut self, slots: &mut Slots, slot: u32, grant: u64) {
        if let Some(ranked) = &mut self.ranked {
            ranked.insert_in_front(slots, slot, grant);
            self.head = ranked.first();
            return;
        }
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
        if let Some(ranked) = &mut self.ranked {
            ranked.slots.pop_first();
            self.head = ranked.first();
            return;
        }
        self.head = next;
        if next == NO_SLOT {
            self.tail = NO_SLOT;
        }
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, slots: &mut Slots, slot: u32) {
        if let Some(ranked) = &mut self.ranked {
            ranked.slots.remove(slots.rank(slot));
            self.head = ranked.first();
            return;
        }
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

    /// Returns the slot of the waiter that would be served last. The list must not be ranked.
    pub(super) fn last(&self) -> Option<u32> {
        (self.tail != NO_SLOT).then_some(self.tail)
    }

    /// Returns all slots, in the order in which they are to be served.
    pub(super) fn slots(&self, slots: &Slots) -> Vec<u32> {
        if let Some(ranked) = &self.ranked {
            return ranked.slots.values().copied().collect();
        }
        let mut all = Vec::new();
        let mut slot = self.head;
        while slot != NO_SLOT {
            all.push(slot);
            slot = slots.node(slot).next;
        }
        all
    }
}

#[derive(Debug)]
struct Ranked {
    /// Slots by rank. Each slot's rank also stands beside the slot.
    slots: BTreeMap<Rank, u32>,
    start: Instant,
    came: u64,
}

impl Ranked {
    fn new(start: Instant) -> Self {
        Self { slots: BTreeMap::new(), start, came: 0 }
    }

    #[inline]
    fn insert(&mut self, slots: &mut Slots, slot: u32, priority: u8, now: Instant) {
        // Counted from the highest priority up, so that the sum is not negative.
        let late =
            now.saturating_duration_since(self.start) + LEVEL * u32::from(u8::MAX - priority);
        // From 1: a rank of 0 is that of a waiter whose grant was taken back.
        let late = u64::try_from(late.as_nanos()).unwrap_or(u64::MAX).max(1);
        let rank = (late, self.came);
        self.came += 1;
        self.slots.insert(rank, slot);
        *slots.rank(slot) = rank;
    }

    /// Adds a waiter whose grant was taken back, before all others.
    fn insert_in_front(&mut self, slots: &mut Slots, slot: u32, grant: u64) {
        let rank = (0, u64::from(grant_number(grant)));
        self.slots.insert(rank, slot);
        *slots.rank(slot) = rank;
    }

    fn first(&self) -> u32 {
        self.slots.first_key_value().map_or(NO_SLOT, |(_, &slot)| slot)
    }
}
