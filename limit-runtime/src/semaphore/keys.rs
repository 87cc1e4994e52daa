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
//! many of them wait. If calls give their keys [weights], these decide.

mod buckets;
#[cfg(feature = "inspect")]
mod figures;
#[cfg(feature = "fleet")]
mod leases;
#[cfg(not(feature = "fleet"))]
#[path = "keys/leases/off.rs"]
mod leases;
mod name;
mod own;
mod own_limits;
mod states;
mod turns;
mod weighing;
mod weights;

use super::deferred::Garbage;
use super::queue::{Joined, Joining, Queue};
use super::slots::NO_KEY;
use super::wait_list::Position;
use buckets::Buckets;
pub(crate) use name::{can_be_key, name as text_of_key};
use own::{COMMON, KeyValue};
pub(crate) use own::{KeyName, OwnLimits};
use states::{KeyState, KeyStates};
use std::any::{Any, type_name};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Waker;
use turns::Turns;
use weights::Weights;

/// A caller's key, of any type, or the number of its share.
pub(crate) trait KeySource {
    /// Returns the number of the call's share, if it is not a key.
    fn share(&self) -> Option<u32> {
        None
    }
    /// Returns whether the call gives its key a weight.
    fn gives_weight(&self) -> bool {
        false
    }
    /// Returns the key's number, if it has one.
    fn find(&self, keys: &Keys) -> Option<u32>;
    /// Returns the key's number. Gives it one if it has none.
    fn intern(&self, keys: &mut Keys) -> u32;
    /// Returns the limit of a key that has no number.
    fn limit_if_new(&self, keys: &Keys) -> u32;
    /// Takes permits of the key: see [`Keys::admit`].
    fn admit(&self, keys: &mut Keys, weight: u32, lifo: bool) -> Option<u32>;
}

/// A key and its hash.
#[derive(Clone, Debug)]
pub(crate) struct Hashed<K> {
    pub(crate) hash: u64,
    /// The weight that the call gives its key; 0 if it gives none.
    pub(crate) weight: u32,
    pub(crate) key: K,
}

impl<K: Eq + Clone + Send + 'static> KeySource for Hashed<K> {
    fn gives_weight(&self) -> bool {
        self.weight > 0
    }

    fn find(&self, keys: &Keys) -> Option<u32> {
        keys.find(half(self.hash), &self.key)
    }

    fn intern(&self, keys: &mut Keys) -> u32 {
        let number = keys.intern(half(self.hash), &self.key);
        keys.weigh(number, self.weight);
        number
    }

    fn limit_if_new(&self, keys: &Keys) -> u32 {
        keys.limit_if_new(half(self.hash), &self.key)
    }

    #[expect(clippy::inline_always, reason = "measured: it is not inlined otherwise")]
    #[inline(always)]
    fn admit(&self, keys: &mut Keys, weight: u32, lifo: bool) -> Option<u32> {
        let number = keys.admit(half(self.hash), &self.key, weight, lifo)?;
        keys.weigh(number, self.weight);
        Some(number)
    }
}

impl<K: Eq + Send + Sync + 'static> KeyValue for Hashed<K> {
    fn half_of_hash(&self) -> u32 {
        half(self.hash)
    }

    fn key(&self) -> &dyn Any {
        &self.key
    }

    fn is(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<K>() == Some(&self.key)
    }

    fn shown(&self) -> String {
        format!("{} #{:08x}", type_name::<K>(), half(self.hash))
    }
}

/// The number of a call's share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShareNumber(pub(crate) u32);

/// A limiter has either keys or shares, so keys are never asked for the number of a share.
impl KeySource for ShareNumber {
    fn share(&self) -> Option<u32> {
        Some(self.0)
    }

    fn find(&self, _: &Keys) -> Option<u32> {
        None
    }

    fn intern(&self, _: &mut Keys) -> u32 {
        unreachable!("a share is no key")
    }

    fn limit_if_new(&self, _: &Keys) -> u32 {
        0
    }

    fn admit(&self, _: &mut Keys, _: u32, _: bool) -> Option<u32> {
        None
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
    /// The most calls of all keys together that may wait.
    pub(super) max_waiting: u32,
    /// The limits that single keys have in its place.
    own: Option<Arc<OwnLimits>>,
    /// `true` if each key has a share of its own, in place of the limit.
    #[cfg(feature = "fleet")]
    pub(super) are_leased: bool,
    states: KeyStates,
    buckets: Buckets,
    turns: Turns,
    /// The order of the keys that have a turn, if a call has given another weight than 1.
    weights: Option<Box<Weights>>,
    /// The keys that have waiters in their lists.
    waited_for: BTreeSet<u32>,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            limit: 0,
            max_waiting: u32::MAX,
            own: None,
            #[cfg(feature = "fleet")]
            are_leased: false,
            states: KeyStates::new(),
            buckets: Buckets::new(),
            turns: Turns::new(),
            weights: None,
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
        is_next && !state.grows && self.limit_of(number).saturating_sub(state.in_use) >= weight
    }

    /// Returns whether enough permits are free for a holder of a key that grows, as far as the key's own limit is
    /// concerned.
    pub(super) fn has_room_to_grow(&self, number: u32, wants: u32) -> bool {
        self.limit_of(number).saturating_sub(self.states.get(number).in_use) >= wants
    }

    /// Takes permits of a key back, while there is `debt` to the total. Forgets the key if it is idle
    /// now.
    #[inline]
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

    /// Adds a call to the wait list of its key.
    pub(super) fn join(
        &mut self,
        queue: &mut Queue,
        position: Position,
        joining: Joining,
    ) -> Joined {
        let number = joining.key;
        let state = self.states.get_mut(number);
        let joined = queue.join(&mut state.list, position, joining);
        state.waiting = state.waiting.saturating_add(1);
        self.refresh(queue, number);
        joined
    }

    /// Hands permits to the first waiter of the key whose turn it is, if no more are wanted than are free of the
    /// total. Returns their number, and the waker. The key goes to the end if it still is to have a turn.
    pub(super) fn serve_next(
        &mut self,
        queue: &mut Queue,
        free: u32,
    ) -> Option<(u32, Option<Waker>)> {
        let number = self.next()?;
        let state = self.states.get_mut(number);
        let weight = queue.head_weight(&state.list)?;
        if weight > free {
            // Others are not to overtake it while it keeps permits from them.
            if let Some(weights) = self.weights.as_mut().filter(|_| free > 0) {
                weights.reserve(number);
            }
            return None;
        }
        state.take(weight);
        state.waiting = state.waiting.saturating_sub(1);
        let waker = queue.serve(&mut state.list);
        if let Some(weights) = &mut self.weights {
            weights.serve(number, weight);
        }
        self.end_turn(number);
        self.refresh(queue, number);
        Some((weight, waker))
    }

    /// Gives a key a turn, or takes its turn away, after something about it has changed.
    pub(super) fn refresh(&mut self, queue: &mut Queue, number: u32) {
        let limit = self.limit_of(number);
        let state = self.states.get_mut(number);
        let is_waited_for = !state.list.is_empty();
        if state.is_waited_for != is_waited_for {
            state.is_waited_for = is_waited_for;
            if is_waited_for {
                self.waited_for.insert(number);
            } else {
                self.waited_for.remove(&number);
            }
        }
        let weight = queue.head_weight(&state.list);
        // A holder of the key that waits for more permits is before its calls.
        let ready = !state.grows
            && weight.is_some_and(|weight| limit.saturating_sub(state.in_use) >= weight);
        match (ready, state.turn.is_some()) {
            // The call that had come back has given up, and the next one of the key has had no turn yet.
            (true, true) if state.is_first() && !queue.is_head_back(&state.list) => {
                self.end_turn(number);
                self.give_turn(queue, number);
            }
            (true, true) => {
                if let Some(weights) = &mut self.weights {
                    weights.follow(number, state.in_use);
                }
            }
            (true, false) => self.give_turn(queue, number),
            (false, true) => self.end_turn(number),
            (false, false) => {}
        }
    }

    /// Returns a key as text, if that takes no code of the user's.
    #[cfg(feature = "diagnostics")]
    pub(super) fn text(&self, number: u32) -> Option<String> {
        self.states.text(number)
    }

    /// Returns whether a call waits for any key.
    pub(super) fn has_waiters(&self) -> bool {
        !self.waited_for.is_empty()
    }

    /// Returns the keys that have waiters.
    pub(super) fn waited_for(&self) -> &BTreeSet<u32> {
        &self.waited_for
    }

    #[inline]
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

    /// Takes permits of a key that is not leased, for a call that comes now. Returns the key's number, which a key that
    /// is not in use gets. If too few are free, changes nothing.
    #[expect(clippy::inline_always, reason = "measured: it is not inlined otherwise")]
    #[inline(always)]
    fn admit<K: Eq + Clone + Send + 'static>(
        &mut self,
        hash: u32,
        key: &K,
        weight: u32,
        lifo: bool,
    ) -> Option<u32> {
        let mut number = self.buckets.first(hash);
        while number != NO_KEY {
            match self.states.check_mut(number, hash, key) {
                Ok(state) => {
                    let is_next = lifo || state.list.is_empty();
                    let has_room =
                        is_next && state.limit(self.limit).saturating_sub(state.in_use) >= weight;
                    if has_room {
                        state.take(weight);
                    }
                    return has_room.then_some(number);
                }
                Err(next) => number = next,
            }
        }
        // All permits of a key that is not in use are free.
        if self.limit_if_new(hash, key) < weight {
            return None;
        }
        let number = self.add(hash, key);
        self.states.get_mut(number).take(weight);
        Some(number)
    }

    fn intern<K: Eq + Clone + Send + 'static>(&mut self, hash: u32, key: &K) -> u32 {
        self.find(hash, key).unwrap_or_else(|| self.add(hash, key))
    }

    #[inline(never)]
    fn add<K: Eq + Clone + Send + 'static>(&mut self, hash: u32, key: &K) -> u32 {
        // Foreign code that may panic, so it runs before anything is changed.
        let own_limit = self.own.as_ref().map_or(COMMON, |own| own.find(hash, key));
        let key = key.clone();
        let number = self.states.add(hash, key, own_limit);
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
        if let Some(weights) = &mut self.weights {
            weights.forget(number);
            self.drop_weights_if_unused();
        }
    }
}
