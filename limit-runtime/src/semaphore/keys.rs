//! The mode in which the limit holds for each key.
//!
//! All of it is under the semaphore's lock: one queue, with a wait list for each key. A key has a
//! number for as long as it has holders, waiters, or permits whose window is not over. Then it is
//! forgotten, and another key may get its number.
//!
//! Only [`KeySource`] and a table for the type of a key know what a key is. Its hash is computed
//! before locking. Its `Eq` and `Clone` run under the lock, where they must not use the limiter.
//! Forgotten keys are dropped after unlocking.
//!
//! The memory is as much as the present keys need. No call pays for many keys, neither when they come
//! nor when they go (see [`states`] and [`buckets`]).
//!
//! # Turns
//!
//! A key *has a turn* if its first waiter could run as far as the key's own limit is concerned. Turns
//! are served in order as far as the total allows, one call each: a key that has been served goes to
//! the end. So while the total is reached, each waiting key gets as many calls as any other, however
//! many of them wait.

mod buckets;
#[cfg(feature = "inspect")]
mod figures;
#[cfg(feature = "fleet")]
mod leases;
#[cfg(not(feature = "fleet"))]
#[path = "keys/leases/off.rs"]
mod leases;
mod name;
mod states;

use super::deferred::Garbage;
use super::queue::Queue;
use super::slots::NO_KEY;
use buckets::Buckets;
pub(crate) use name::name as text_of_key;
use states::{KeyState, KeyStates, NO_TURN};
use std::collections::{BTreeMap, BTreeSet};

/// The number of the first turn. There is room for others before it.
const FIRST_TURN: u64 = 1 << 62;

/// A caller's key, of any type.
pub(crate) trait KeySource {
    /// Returns the key's number, if it has one.
    fn find(&self, keys: &Keys) -> Option<u32>;
    /// Returns the key's number. Gives it one if it has none.
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

/// Returns the half of a hash that is kept.
#[expect(clippy::cast_possible_truncation, reason = "one half is as good as the other")]
fn half(hash: u64) -> u32 {
    hash as u32
}

#[derive(Debug)]
pub(crate) struct Keys {
    /// The limit of each key.
    pub(super) limit: u32,
    /// `true` if each key has a share of its own, in place of the limit.
    #[cfg(feature = "fleet")]
    pub(super) are_leased: bool,
    states: KeyStates,
    buckets: Buckets,
    /// The keys that have a turn, by the turn's number.
    turns: BTreeMap<u64, u32>,
    turns_given: u64,
    /// The keys that have waiters.
    waited_for: BTreeSet<u32>,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            limit: 0,
            #[cfg(feature = "fleet")]
            are_leased: false,
            states: KeyStates::new(),
            buckets: Buckets::new(),
            turns: BTreeMap::new(),
            turns_given: FIRST_TURN,
            waited_for: BTreeSet::new(),
        }
    }

    /// Returns how many keys there are.
    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    pub(super) fn state_mut(&mut self, number: u32) -> &mut KeyState {
        self.states.get_mut(number)
    }

    /// Returns whether enough permits are free for a call of a key that comes now, as far as the
    /// key's own limit is concerned.
    #[inline]
    pub(super) fn has_room(&self, number: u32, weight: u32, lifo: bool) -> bool {
        let state = self.states.get(number);
        let is_next = state.list.is_empty() || lifo;
        is_next && self.limit_of(number).saturating_sub(state.in_use) >= weight
    }

    /// Takes permits of a key back, while there is `debt` to the total. Forgets the key if it is idle
    /// now.
    pub(super) fn give_back(
        &mut self,
        queue: &mut Queue,
        number: u32,
        weight: u32,
        debt: u32,
        garbage: &mut Garbage,
    ) {
        let limit = self.limit_of(number);
        let state = self.states.get_mut(number);
        state.in_use -= weight;
        state.settle(state.in_use.saturating_sub(limit).max(debt));
        if !state.list.is_empty() {
            self.refresh(queue, number);
        } else if state.is_unused() {
            self.forget(number, garbage);
        }
    }

    /// Returns whether there are keys that wait only for the total.
    pub(super) fn has_turns(&self) -> bool {
        !self.turns.is_empty()
    }

    /// Returns the key whose turn it is.
    pub(super) fn next(&self) -> Option<u32> {
        self.turns.first_key_value().map(|(_, &number)| number)
    }

    /// Ends a key's turn, if it has one.
    pub(super) fn end_turn(&mut self, number: u32) {
        let turn = std::mem::replace(&mut self.state_mut(number).turn, NO_TURN);
        if turn != NO_TURN {
            self.turns.remove(&turn);
        }
    }

    /// Gives a key a turn, or takes its turn away, after something about it has changed.
    pub(super) fn refresh(&mut self, queue: &mut Queue, number: u32) {
        let limit = self.limit_of(number);
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
            // A call whose grant was taken back has had its turn before all others.
            let turn = if queue.is_head_back(&state.list) {
                self.turns.first_key_value().map_or(FIRST_TURN, |(first, _)| first - 1)
            } else {
                self.turns_given
            };
            state.turn = turn;
            self.turns.insert(turn, number);
            self.turns_given = self.turns_given.max(turn + 1);
        } else if has_turn && !ready {
            self.end_turn(number);
        }
    }

    /// Returns a key as text, if that takes no code of the user's.
    #[cfg(feature = "diagnostics")]
    pub(super) fn text(&self, number: u32) -> Option<String> {
        self.states.text(number)
    }

    /// Returns the keys that have waiters.
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
        // Foreign code that may panic, so it runs before anything is changed.
        let key = key.clone();
        let number = self.states.add(hash, key);
        self.buckets.add(&mut self.states, number);
        number
    }

    /// Forgets a key if it has neither holders nor waiters, and no lease. Adds what is to be dropped after
    /// unlocking to the garbage.
    pub(super) fn forget_if_idle(&mut self, number: u32, garbage: &mut Garbage) {
        if self.states.get(number).is_unused() {
            self.forget(number, garbage);
        }
    }

    fn forget(&mut self, number: u32, garbage: &mut Garbage) {
        let emptied = self.buckets.remove(&mut self.states, number);
        garbage.extend(emptied.map(|emptied| Box::new(emptied) as _));
        self.states.remove(number, garbage);
    }
}
