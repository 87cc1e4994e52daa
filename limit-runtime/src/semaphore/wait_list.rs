//! Waiters in the order in which they are to be served.
//!
//! A wait list is one [`Chain`] until a waiter in it has a priority. From then on it is *ranked*: the waiters
//! stand in [`Levels`]. A waiter whose grant was taken back is before all others when it is back.

use super::chain::Chain;
use super::levels::Levels;
use super::rank::Rank;
use super::slots::{NO_SLOT, Slots};
use super::status::is_back;
use crate::policy::Order;
use crate::sync::Ordering;

/// The position at which a call joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// At the end. The list must not be ranked.
    Last,
    /// Before all others. The list must not be ranked.
    First,
    /// By rank.
    Ranked(Rank),
}

#[derive(Debug)]
pub(super) struct WaitList {
    /// The waiters of a list that is not ranked. In one that is, the head is the waiter that is next, and the tail is
    /// stale.
    chain: Chain,
    ranked: Option<Box<Levels>>,
}

impl WaitList {
    pub(super) const fn new() -> Self {
        Self { chain: Chain::EMPTY, ranked: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chain.head == NO_SLOT
    }

    /// Returns whether the list is ranked.
    #[inline]
    pub(super) fn is_ranked(&self) -> bool {
        self.ranked.is_some()
    }

    /// Returns the slot of the waiter that is next, [`NO_SLOT`] if there is none.
    #[inline]
    pub(super) fn head(&self) -> u32 {
        self.chain.head
    }

    /// Returns the slot of the last waiter: the `previous` of a call that joins at the end.
    #[inline]
    pub(super) fn tail(&self) -> u32 {
        self.chain.tail
    }

    /// Adds a slot. The slot's `previous` is the tail, and its `next` is none.
    #[expect(
        clippy::inline_always,
        reason = "measured: see `semaphore`, *What a queued call costs*"
    )]
    #[inline(always)]
    pub(super) fn push(&mut self, slots: &mut Slots, slot: u32, position: Position) {
        debug_assert!(
            self.ranked.is_none() || matches!(position, Position::Ranked(_)),
            "a call joins a ranked list by its rank"
        );
        match position {
            Position::Last => self.chain.push_last(slots, slot),
            Position::First => self.chain.push_first(slots, slot),
            Position::Ranked(rank) => self.push_ranked(slots, slot, rank),
        }
    }

    #[cold]
    fn push_ranked(&mut self, slots: &mut Slots, slot: u32, rank: Rank) {
        let chain = self.chain;
        let levels = self.ranked.get_or_insert_with(|| {
            // Calls that wait already are taken to have come now, in their order.
            let mut levels = Levels::new();
            for waiter in chain.slots(slots) {
                match slots.cell(waiter).load(Ordering::Relaxed) {
                    grant if is_back(grant) => levels.insert_back(slots, waiter, grant),
                    _ => levels.push(slots, waiter, rank.without_priority()),
                }
            }
            Box::new(levels)
        });
        levels.push(slots, slot, rank);
        self.chain.head = levels.head();
    }

    /// Puts a waiter back that was granted permits before. It stands before all others but those that are back too
    /// and were granted theirs earlier. The slot's cell has the `grant` already.
    pub(super) fn push_back_in_front(&mut self, slots: &mut Slots, slot: u32, grant: u64) {
        match &mut self.ranked {
            None => self.chain.insert_back(slots, slot, grant),
            Some(levels) => {
                levels.insert_back(slots, slot, grant);
                self.chain.head = levels.head();
            }
        }
    }

    /// Takes the head out, given the head's `next`.
    #[inline]
    pub(super) fn pop(&mut self, slots: &Slots, next: u32) {
        match &mut self.ranked {
            None => self.chain.pop(next),
            Some(levels) => {
                levels.pop(slots, next);
                self.chain.head = levels.head();
            }
        }
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, slots: &mut Slots, slot: u32) {
        match &mut self.ranked {
            None => self.chain.remove(slots, slot),
            Some(levels) => {
                levels.remove(slots, slot);
                self.chain.head = levels.head();
            }
        }
    }

    /// Returns the position at which a call joins. `None` if it needs a rank first: a ranked list stays ranked, and in
    /// one a call joins without a priority.
    #[inline]
    pub(super) fn position(&self, order: Order, rank: Option<Rank>) -> Option<Position> {
        match (order, rank) {
            (Order::Lifo, _) => Some(Position::First),
            (Order::Fifo, Some(rank)) => Some(Position::Ranked(rank)),
            (Order::Fifo, None) if self.is_ranked() => None,
            (Order::Fifo, None) => Some(Position::Last),
        }
    }

    /// Returns the slot of the waiter that would be served last. The list must not be ranked.
    pub(super) fn last(&self) -> Option<u32> {
        (self.chain.tail != NO_SLOT).then_some(self.chain.tail)
    }

    /// Returns all slots, in the order in which they are to be served.
    pub(super) fn slots(&self, slots: &Slots) -> Vec<u32> {
        match &self.ranked {
            None => self.chain.slots(slots),
            Some(levels) => levels.slots(slots),
        }
    }
}
