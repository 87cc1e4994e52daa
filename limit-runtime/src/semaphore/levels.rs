//! Waiters by rank: a chain for each level that has waiters.
//!
//! Within a level the first is first, so the next waiter of all is the head with the lowest rank. To join, to
//! leave and to serve takes time in the number of levels that have waiters, and not in the number of
//! waiters.

use super::chain::Chain;
use super::rank::Rank;
use super::slots::{NO_SLOT, Slots};

/// Levels for which the memory stays while nobody waits.
const KEPT: usize = 8;

#[derive(Debug)]
pub(super) struct Levels {
    /// The levels that have waiters.
    levels: Vec<Level>,
    /// The index of the level whose head is next.
    next: usize,
}

#[derive(Debug)]
struct Level {
    /// The rank of the head. Each waiter's rank also stands beside its slot.
    rank: Rank,
    length: usize,
    chain: Chain,
}

impl Levels {
    pub(super) const fn new() -> Self {
        Self { levels: Vec::new(), next: 0 }
    }

    /// Adds a slot after those of its level.
    #[inline]
    pub(super) fn push(&mut self, slots: &mut Slots, slot: u32, rank: Rank) {
        slots.set_rank(slot, rank);
        let chain = self.chain_with_another(rank);
        let node = slots.node_mut(slot);
        (node.previous, node.next) = (chain.tail, NO_SLOT);
        chain.push_last(slots, slot);
    }

    /// Adds a waiter that is back: see [`Chain::insert_back`].
    pub(super) fn insert_back(&mut self, slots: &mut Slots, slot: u32, grant: u64) {
        slots.set_rank(slot, Rank::FRONT);
        self.chain_with_another(Rank::FRONT).insert_back(slots, slot, grant);
    }

    /// Takes the next slot out, given the `next` of its node.
    #[inline]
    pub(super) fn pop(&mut self, slots: &Slots, next: u32) {
        let index = self.next;
        self.levels[index].chain.pop(next);
        self.refresh(slots, index);
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, slots: &mut Slots, slot: u32) {
        let level = slots.rank(slot).level();
        let index = self.index(level).expect("the level of a waiter is there");
        self.levels[index].chain.remove(slots, slot);
        self.refresh(slots, index);
    }

    /// Returns the slot of the next waiter, [`NO_SLOT`] if there is none.
    #[inline]
    pub(super) fn head(&self) -> u32 {
        self.levels.get(self.next).map_or(NO_SLOT, |level| level.chain.head)
    }

    /// Returns the youngest slot of the lowest level. Waiters that are back have no level.
    pub(super) fn youngest_of_lowest(&self) -> Option<(u64, u32)> {
        let levels = self.levels.iter().map(|level| (level.rank.level(), level.chain.tail));
        levels.filter(|&(level, _)| level > Rank::FRONT.level()).min()
    }

    /// Returns all slots, in the order in which they are to be served.
    pub(super) fn slots(&self, slots: &Slots) -> Vec<u32> {
        let mut all = Vec::new();
        for level in &self.levels {
            // A clock may have gone back. A waiter is not next before the one in front of it has been.
            let mut rank = level.rank;
            for slot in level.chain.slots(slots) {
                rank = rank.max(slots.rank(slot));
                all.push((rank, slot));
            }
        }
        // Stable: those of one level stay in order.
        all.sort_by_key(|&(rank, _)| rank);
        all.into_iter().map(|(_, slot)| slot).collect()
    }

    /// Returns how many waiters are before a call of this level that comes now, whatever the time: those of its own
    /// level and above, and those that are back. Lower ones that have waited for long may be before it too.
    pub(super) fn ahead_of(&self, level: u64) -> usize {
        let is_ahead = |other: u64| other >= level || other == Rank::FRONT.level();
        let levels = self.levels.iter().filter(|other| is_ahead(other.rank.level()));
        levels.map(|other| other.length).sum()
    }

    /// Returns the chain of a rank's level, to which a waiter is added. Adds the level if it is not there.
    #[inline]
    fn chain_with_another(&mut self, rank: Rank) -> &mut Chain {
        let index = self.index(rank.level()).unwrap_or_else(|| self.add(rank));
        let level = &mut self.levels[index];
        level.length += 1;
        &mut level.chain
    }

    /// Adds a level whose head will have this rank. Returns its index.
    fn add(&mut self, rank: Rank) -> usize {
        let index = self.levels.len();
        self.levels.push(Level { rank, length: 0, chain: Chain::EMPTY });
        if index == 0 || rank < self.levels[self.next].rank {
            self.next = index;
        }
        index
    }

    /// Returns the index of a level, if it is there.
    #[inline]
    fn index(&self, level: u64) -> Option<usize> {
        self.levels.iter().position(|known| known.rank.level() == level)
    }

    /// Notes that a slot has left a level.
    #[inline]
    fn refresh(&mut self, slots: &Slots, index: usize) {
        let level = &mut self.levels[index];
        level.length -= 1;
        if level.chain.head == NO_SLOT {
            self.levels.swap_remove(index);
            if self.levels.is_empty() && self.levels.capacity() > KEPT {
                self.levels = Vec::new();
            }
        } else {
            level.rank = slots.rank(level.chain.head);
        }
        let ranks = self.levels.iter().enumerate();
        self.next = ranks.min_by_key(|(_, level)| level.rank).map_or(0, |(index, _)| index);
    }
}
