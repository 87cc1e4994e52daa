//! Waiters in the order in which they are to be served.
//!
//! A wait list is one [`Chain`] until a waiter in it has a rank. From then on it is *ranked*: the waiters stand in
//! [`Levels`] of priority, or by their [`Deadlines`]. A waiter whose grant was taken back is before all others when it
//! is back.

use super::chain::Chain;
use super::deadlines::Deadlines;
use super::levels::Levels;
use super::rank::Rank;
use super::slots::{NO_SLOT, Slots};
use super::status::is_back;
use crate::policy::Order;
use crate::sync::Ordering;
use tokio::time::Instant;

/// The position at which a call joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// At the end. The list must not be ranked.
    Last,
    /// Before all others. The list must not be ranked.
    First,
    /// By the rank of its priority.
    Ranked(Rank),
    /// By the rank of its deadline.
    Due(Rank),
}

/// The waiters of a list that is ranked.
#[derive(Debug)]
enum Ranked {
    ByPriority(Levels),
    ByDeadline(Deadlines),
}

#[derive(Debug)]
pub(super) struct WaitList {
    /// The waiters of a list that is not ranked. In one that is, the head is the waiter that is next, and the tail is
    /// stale.
    chain: Chain,
    ranked: Option<Box<Ranked>>,
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
            self.ranked.is_none() || !matches!(position, Position::Last | Position::First),
            "a call joins a ranked list by its rank"
        );
        match position {
            Position::Last => self.chain.push_last(slots, slot),
            Position::First => self.chain.push_first(slots, slot),
            Position::Ranked(rank) => self.push_ranked(slots, slot, rank),
            Position::Due(rank) => self.push_due(slots, slot, rank),
        }
    }

    #[cold]
    fn push_ranked(&mut self, slots: &mut Slots, slot: u32, rank: Rank) {
        let chain = self.chain;
        let ranked = self.ranked.get_or_insert_with(|| {
            // Calls that wait already are taken to have come now, in their order.
            let mut levels = Levels::new();
            for waiter in chain.slots(slots) {
                match slots.cell(waiter).load(Ordering::Relaxed) {
                    grant if is_back(grant) => levels.insert_back(slots, waiter, grant),
                    _ => levels.push(slots, waiter, rank.without_priority()),
                }
            }
            Box::new(Ranked::ByPriority(levels))
        });
        ranked.push(slots, slot, rank);
        self.chain.head = ranked.head();
    }

    #[cold]
    fn push_due(&mut self, slots: &mut Slots, slot: u32, rank: Rank) {
        // From the first call on, all of them have a rank.
        debug_assert!(self.is_ranked() || self.is_empty(), "a call without a rank waits");
        let new = || Box::new(Ranked::ByDeadline(Deadlines::new()));
        let ranked = self.ranked.get_or_insert_with(new);
        ranked.push(slots, slot, rank);
        self.chain.head = ranked.head();
    }

    /// Returns whether the deadline of the waiter that is next is over, if the list is in the order of deadlines.
    pub(super) fn is_head_over(&self, slots: &Slots, now: Instant) -> bool {
        matches!(self.ranked.as_deref(), Some(Ranked::ByDeadline(_)))
            && !self.is_empty()
            && slots.rank(self.head()).is_over(now)
    }

    /// Puts a waiter back that was granted permits before. It stands before all others but those that are back too
    /// and were granted theirs earlier. The slot's cell has the `grant` already.
    pub(super) fn push_back_in_front(&mut self, slots: &mut Slots, slot: u32, grant: u64) {
        match self.ranked.as_deref_mut() {
            None => return self.chain.insert_back(slots, slot, grant),
            Some(Ranked::ByPriority(levels)) => levels.insert_back(slots, slot, grant),
            Some(Ranked::ByDeadline(deadlines)) => deadlines.insert_back(slots, slot, grant),
        }
        self.refresh_head();
    }

    /// Takes the head out, given the head's `next`.
    #[inline]
    pub(super) fn pop(&mut self, slots: &Slots, next: u32) {
        match self.ranked.as_deref_mut() {
            None => return self.chain.pop(next),
            Some(Ranked::ByPriority(levels)) => levels.pop(slots, next),
            Some(Ranked::ByDeadline(deadlines)) => deadlines.pop(next),
        }
        self.refresh_head();
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, slots: &mut Slots, slot: u32) {
        match self.ranked.as_deref_mut() {
            None => return self.chain.remove(slots, slot),
            Some(Ranked::ByPriority(levels)) => levels.remove(slots, slot),
            Some(Ranked::ByDeadline(deadlines)) => deadlines.remove(slots, slot),
        }
        self.refresh_head();
    }

    /// Notes who is next in a list that is ranked.
    #[inline]
    fn refresh_head(&mut self) {
        if let Some(ranked) = &self.ranked {
            self.chain.head = ranked.head();
        }
    }

    /// Returns the position at which a call joins. `None` if it needs a rank first: a ranked list stays ranked, and in
    /// one a call joins without a priority.
    #[inline]
    pub(super) fn position(&self, order: Order, rank: Option<Rank>) -> Option<Position> {
        match (order, rank) {
            (Order::Lifo, _) => Some(Position::First),
            (Order::Deadline, rank) => rank.map(Position::Due),
            (Order::Fifo, Some(rank)) => Some(Position::Ranked(rank)),
            (Order::Fifo, None) if self.is_ranked() => None,
            (Order::Fifo, None) => Some(Position::Last),
        }
    }

    /// Returns the slot of the waiter that would be served last. The list must not be ranked.
    pub(super) fn last(&self) -> Option<u32> {
        (self.chain.tail != NO_SLOT).then_some(self.chain.tail)
    }

    /// Returns the slot of the youngest of the waiters with the lowest priority, if that is below this one. A waiter that
    /// is back counts as none of them: it has been handed permits before.
    pub(super) fn lowest_below(&self, slots: &Slots, priority: u8) -> Option<u32> {
        let is_back = |slot| is_back(slots.cell(slot).load(Ordering::Relaxed));
        let lowest = match self.ranked.as_deref() {
            Some(Ranked::ByPriority(levels)) => levels.youngest_of_lowest(),
            Some(Ranked::ByDeadline(_)) => None,
            // None of them has a priority. If the last is back, all are.
            None => {
                self.last().filter(|&last| !is_back(last)).map(|last| (Rank::level_of(0), last))
            }
        };
        lowest.filter(|&(level, _)| level < Rank::level_of(priority)).map(|(_, slot)| slot)
    }

    /// Returns how many of the calls that wait are before one that comes now, at least. `waiting` is how many wait.
    pub(super) fn ahead_of(&self, waiting: usize, priority: u8, rank: Option<Rank>) -> usize {
        match self.ranked.as_deref() {
            Some(Ranked::ByPriority(levels)) => levels.ahead_of(Rank::level_of(priority)),
            // To count those before it would take time in the number of deadlines.
            Some(Ranked::ByDeadline(deadlines)) => {
                if rank.is_some_and(|rank| deadlines.is_last(rank)) { waiting } else { 0 }
            }
            // The others count as having come just now, and have no priority.
            None if priority > 0 => 0,
            None => waiting,
        }
    }

    /// Returns all slots, in the order in which they are to be served.
    pub(super) fn slots(&self, slots: &Slots) -> Vec<u32> {
        match self.ranked.as_deref() {
            None => self.chain.slots(slots),
            Some(Ranked::ByPriority(levels)) => levels.slots(slots),
            Some(Ranked::ByDeadline(deadlines)) => deadlines.slots(slots),
        }
    }
}

impl Ranked {
    fn push(&mut self, slots: &mut Slots, slot: u32, rank: Rank) {
        match self {
            Self::ByPriority(levels) => levels.push(slots, slot, rank),
            Self::ByDeadline(deadlines) => deadlines.push(slots, slot, rank),
        }
    }

    #[inline]
    fn head(&self) -> u32 {
        match self {
            Self::ByPriority(levels) => levels.head(),
            Self::ByDeadline(deadlines) => deadlines.head(),
        }
    }
}
