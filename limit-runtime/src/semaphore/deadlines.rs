//! Waiters by deadline: a chain for each deadline that a waiter has.
//!
//! Within a chain the first is first. To join, to leave and to serve takes time in the logarithm of the number of
//! deadlines.

use super::chain::Chain;
use super::rank::Rank;
use super::slots::{NO_SLOT, Slots};
use std::collections::BTreeMap;

#[derive(Debug)]
pub(super) struct Deadlines {
    /// None of them is empty. Each waiter's rank also stands beside its slot.
    chains: BTreeMap<Rank, Chain>,
}

impl Deadlines {
    pub(super) const fn new() -> Self {
        Self { chains: BTreeMap::new() }
    }

    /// Adds a slot after those of its deadline.
    pub(super) fn push(&mut self, slots: &mut Slots, slot: u32, rank: Rank) {
        slots.set_rank(slot, rank);
        let chain = self.chains.entry(rank).or_insert(Chain::EMPTY);
        let node = slots.node_mut(slot);
        (node.previous, node.next) = (chain.tail, NO_SLOT);
        chain.push_last(slots, slot);
    }

    /// Adds a waiter that is back: see [`Chain::insert_back`].
    pub(super) fn insert_back(&mut self, slots: &mut Slots, slot: u32, grant: u64) {
        slots.set_rank(slot, Rank::FRONT);
        let chain = self.chains.entry(Rank::FRONT).or_insert(Chain::EMPTY);
        chain.insert_back(slots, slot, grant);
    }

    /// Takes the next slot out, given the `next` of its node.
    pub(super) fn pop(&mut self, next: u32) {
        if let Some(mut first) = self.chains.first_entry() {
            first.get_mut().pop(next);
            if next == NO_SLOT {
                first.remove();
            }
        }
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, slots: &mut Slots, slot: u32) {
        let rank = slots.rank(slot);
        let chain = self.chains.get_mut(&rank).expect("the deadline of a waiter is there");
        chain.remove(slots, slot);
        if chain.head == NO_SLOT {
            self.chains.remove(&rank);
        }
    }

    /// Returns the slot of the next waiter, [`NO_SLOT`] if there is none.
    pub(super) fn head(&self) -> u32 {
        self.chains.first_key_value().map_or(NO_SLOT, |(_, chain)| chain.head)
    }

    /// Returns whether a call of this rank that comes now is behind all that wait.
    pub(super) fn is_last(&self, rank: Rank) -> bool {
        self.chains.last_key_value().is_none_or(|(&last, _)| last <= rank)
    }

    /// Returns all slots, in the order in which they are to be served.
    pub(super) fn slots(&self, slots: &Slots) -> Vec<u32> {
        self.chains.values().flat_map(|chain| chain.slots(slots)).collect()
    }
}
