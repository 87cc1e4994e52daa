//! The keys of a semaphore whose limit holds for each key.
//!
//! Everything about them is under the semaphore's lock: one queue with a line for each key. A key is
//! known by a number for as long as it has holders or waiters (or permits whose window is not over),
//! and then forgotten; its number is another's next.
//!
//! What a caller's key is, only [`KeySource`] and a table for its type know. Its hash is reckoned
//! before locking; its `Eq` and `Clone` run under the lock, where they must not use the limiter.
//! Keys that are forgotten are dropped after unlocking.
//!
//! Memory is as much as the keys need that there are: no call pays for what many of them did, neither
//! when they come nor when they go (see [`states`] and [`buckets`]).
//!
//! # Turns
//!
//! A key whose first waiter could run, if only its own limit mattered, *has a turn*. Turns are served
//! in order as far as the total allows, one call each: a key that has been served goes to the end.
//! So while the total is reached, each waiting key gets as many calls as any other, however many of
//! them wait.

mod buckets;
mod figures;
mod name;
mod states;

use super::queue::Queue;
use super::slots::NO_KEY;
use buckets::Buckets;
use states::{KeyState, KeyStates, NO_TURN};
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};

/// A caller's key, of whatever type.
pub(crate) trait KeySource {
    /// Its number, if it has one.
    fn find(&self, keys: &Keys) -> Option<u32>;
    /// Its number, a new one if it has none.
    fn intern(&self, keys: &mut Keys) -> u32;
}

/// A key and its hash.
#[derive(Clone, Debug)]
pub(crate) struct Hashed<K> {
    pub(crate) hash: u64,
    pub(crate) key: K,
}

impl<K: Eq + Clone + Send + 'static> KeySource for Hashed<K> {
    fn find(&self, keys: &Keys) -> Option<u32> {
        keys.find(half(self.hash), &self.key)
    }

    fn intern(&self, keys: &mut Keys) -> u32 {
        keys.intern(half(self.hash), &self.key)
    }
}

/// The half of a hash that is kept.
#[expect(clippy::cast_possible_truncation, reason = "one half is as good as the other")]
fn half(hash: u64) -> u32 {
    hash as u32
}

#[derive(Debug)]
pub(crate) struct Keys {
    /// The limit of each.
    pub(super) limit: u32,
    states: KeyStates,
    buckets: Buckets,
    /// The keys that have a turn, by its number.
    turns: BTreeMap<u64, u32>,
    turns_given: u64,
    /// The keys that somebody waits for.
    waited_for: BTreeSet<u32>,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            limit: 0,
            states: KeyStates::new(),
            buckets: Buckets::new(),
            turns: BTreeMap::new(),
            turns_given: 0,
            waited_for: BTreeSet::new(),
        }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    pub(super) fn state_mut(&mut self, number: u32) -> &mut KeyState {
        self.states.get_mut(number)
    }

    /// Whether permits are free for one of a key who comes now. (If the total lets it.)
    #[inline]
    pub(super) fn has_room(&self, number: u32, weight: u32, lifo: bool) -> bool {
        let state = self.states.get(number);
        let is_next = state.list.is_empty() || lifo;
        is_next && self.limit.saturating_sub(state.in_use) >= weight
    }

    /// A call of a key is let in.
    pub(super) fn take(&mut self, number: u32, weight: u32) {
        let state = self.state_mut(number);
        state.in_use += weight;
        state.admitted = state.admitted.wrapping_add(1);
    }

    /// Whether permits are free for one of a key that has no number yet. (If the total lets it.)
    pub(super) fn has_room_for_new(&self, weight: u32) -> bool {
        self.limit >= weight
    }

    /// Permits of a key come back, while there is so much debt to the total. If the key is idle now, it is
    /// forgotten, as by [`forget_if_idle`](Self::forget_if_idle).
    pub(super) fn give_back(
        &mut self,
        queue: &mut Queue,
        number: u32,
        weight: u32,
        debt: u32,
        forgotten: &mut Vec<Box<dyn Any + Send>>,
    ) {
        let limit = self.limit;
        let state = self.states.get_mut(number);
        state.in_use -= weight;
        state.settle(state.in_use.saturating_sub(limit).max(debt));
        if !state.list.is_empty() {
            self.refresh(queue, number);
        } else if state.in_use == 0 {
            self.forget(number, forgotten);
        }
    }

    /// Whether keys wait for nothing but the total.
    pub(super) fn has_turns(&self) -> bool {
        !self.turns.is_empty()
    }

    /// Whose turn it is.
    pub(super) fn next(&self) -> Option<u32> {
        self.turns.first_key_value().map(|(_, &number)| number)
    }

    /// A key's turn is over.
    pub(super) fn end_turn(&mut self, number: u32) {
        let turn = std::mem::replace(&mut self.state_mut(number).turn, NO_TURN);
        if turn != NO_TURN {
            self.turns.remove(&turn);
        }
    }

    /// Something about a key has changed: gives it a turn, or takes it away.
    pub(super) fn refresh(&mut self, queue: &mut Queue, number: u32) {
        let limit = self.limit;
        let state = self.states.get_mut(number);
        if state.list.is_empty() {
            self.waited_for.remove(&number);
        } else {
            self.waited_for.insert(number);
        }
        let weight = queue.head_weight(&state.list);
        let ready = weight.is_some_and(|weight| limit.saturating_sub(state.in_use) >= weight);
        let has_turn = state.turn != NO_TURN;
        if ready && !has_turn {
            state.turn = self.turns_given;
            self.turns.insert(self.turns_given, number);
            self.turns_given += 1;
        } else if has_turn && !ready {
            self.end_turn(number);
        }
    }

    /// The keys that somebody waits for.
    pub(super) fn waited_for(&self) -> &BTreeSet<u32> {
        &self.waited_for
    }

    fn find<K: Eq + 'static>(&self, hash: u32, key: &K) -> Option<u32> {
        let mut number = self.buckets.first(hash);
        while number != NO_KEY {
            match self.states.check(number, hash, key) {
                Ok(()) => return Some(number),
                Err(next) => number = next,
            }
        }
        None
    }

    fn intern<K: Eq + Clone + Send + 'static>(&mut self, hash: u32, key: &K) -> u32 {
        if let Some(number) = self.find(hash, key) {
            return number;
        }
        // Foreign code, which may panic: before anything is changed.
        let key = key.clone();
        let number = self.states.add(hash, key);
        self.buckets.add(&mut self.states, number);
        number
    }

    /// Forgets a key if it has neither holders nor waiters. What is to be dropped after unlocking is
    /// added to the rest of it.
    pub(super) fn forget_if_idle(&mut self, number: u32, forgotten: &mut Vec<Box<dyn Any + Send>>) {
        let state = self.states.get(number);
        if state.in_use > 0 || !state.list.is_empty() {
            return;
        }
        self.forget(number, forgotten);
    }

    fn forget(&mut self, number: u32, forgotten: &mut Vec<Box<dyn Any + Send>>) {
        let emptied = self.buckets.remove(&mut self.states, number);
        forgotten.extend(emptied.map(|emptied| Box::new(emptied) as Box<dyn Any + Send>));
        self.states.remove(number, forgotten);
    }
}
