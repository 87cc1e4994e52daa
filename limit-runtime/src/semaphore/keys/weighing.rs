//! Turns of keys that may have weights.

use super::super::queue::Queue;
use super::Keys;
use super::weights::Weights;

impl Keys {
    /// Notes the weight that a call gives its key, if it gives one: 0 is none.
    #[inline]
    pub(super) fn weigh(&mut self, number: u32, weight: u32) {
        if weight > 1 || (weight == 1 && self.weights.is_some()) {
            self.set_weight(number, weight);
        }
    }

    #[cold]
    fn set_weight(&mut self, number: u32, weight: u32) {
        // A new order begins: the earnings of keys in the one before have no meaning any more.
        self.drop_weights_if_unused();
        let Self { turns, states, weights, .. } = self;
        let weights = weights.get_or_insert_with(|| {
            // All keys have had the weight 1.
            let mut weights = Box::<Weights>::default();
            let is_first = |&number: &u32| states.get(number).is_first();
            // Those before all others come first. The last of them goes in first, to stand behind the others.
            let (first, rest): (Vec<_>, Vec<_>) = turns.iter(states).partition(is_first);
            first.into_iter().rev().for_each(|number| weights.push_first(number));
            for number in rest {
                weights.push(number, states.get(number).in_use);
            }
            weights
        });
        weights.set(number, weight, states.get(number).in_use);
    }

    /// Gives a key a turn: before all others if its first waiter has come back, and otherwise after them.
    pub(super) fn give_turn(&mut self, queue: &mut Queue, number: u32) {
        self.drop_weights_if_unused();
        let state = self.states.get_mut(number);
        let in_use = state.in_use;
        // A call whose grant was taken back has had its turn before all others.
        if queue.is_head_back(&state.list) {
            self.turns.push_first(&mut self.states, number);
            if let Some(weights) = &mut self.weights {
                weights.push_first(number);
            }
        } else {
            self.turns.push(&mut self.states, number);
            if let Some(weights) = &mut self.weights {
                weights.push(number, in_use);
            }
        }
    }

    /// Ends a key's turn, if it has one.
    #[inline]
    pub(in super::super) fn end_turn(&mut self, number: u32) {
        self.turns.remove(&mut self.states, number);
        if let Some(weights) = &mut self.weights {
            weights.remove(number);
        }
    }

    /// Returns whether weights decide whose turn it is.
    pub(in super::super) fn has_weights(&self) -> bool {
        self.weights.is_some()
    }

    /// Returns the key whose turn it is.
    #[inline]
    pub(in super::super) fn next(&self) -> Option<u32> {
        match &self.weights {
            Some(weights) => weights.first(),
            None => self.turns.first(),
        }
    }

    #[inline]
    pub(super) fn drop_weights_if_unused(&mut self) {
        if self.weights.as_ref().is_some_and(|weights| weights.are_unused()) {
            self.weights = None;
        }
    }
}
