//! The keys that have a turn, in order.
//!
//! They are a list that is linked through the states of the keys. So a turn is given and ended in constant time,
//! however many keys have one.

use super::super::slots::NO_KEY;
use super::states::{KeyStates, Turn};

/// The keys that have a turn.
#[derive(Debug)]
pub(super) struct Turns {
    /// The key whose turn it is, [`NO_KEY`] if none has one.
    first: u32,
    /// The key with the last turn. It is stale if none has one.
    last: u32,
}

impl Turns {
    pub(super) const fn new() -> Self {
        Self { first: NO_KEY, last: NO_KEY }
    }

    /// Returns whether no key has a turn.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first == NO_KEY
    }

    /// Returns the key whose turn it is.
    #[inline]
    pub(super) fn first(&self) -> Option<u32> {
        (self.first != NO_KEY).then_some(self.first)
    }

    /// Returns the keys that have a turn, in order.
    pub(super) fn iter<'a>(&'a self, states: &'a KeyStates) -> impl Iterator<Item = u32> + 'a {
        std::iter::successors(self.first(), |&number| {
            let next = states.get(number).turn?.next;
            (next != NO_KEY).then_some(next)
        })
    }

    /// Gives a key that has no turn one after all others.
    #[inline]
    pub(super) fn push(&mut self, states: &mut KeyStates, number: u32) {
        let previous = if self.is_empty() { NO_KEY } else { self.last };
        self.last = number;
        states.get_mut(number).turn = Some(Turn { previous, next: NO_KEY, is_first: false });
        match link(states, previous) {
            Some(turn) => turn.next = number,
            None => self.first = number,
        }
    }

    /// Gives a key that has no turn one before all others.
    pub(super) fn push_first(&mut self, states: &mut KeyStates, number: u32) {
        let next = std::mem::replace(&mut self.first, number);
        states.get_mut(number).turn = Some(Turn { previous: NO_KEY, next, is_first: true });
        match link(states, next) {
            Some(turn) => turn.previous = number,
            None => self.last = number,
        }
    }

    /// Ends a key's turn, if it has one.
    #[inline]
    pub(super) fn remove(&mut self, states: &mut KeyStates, number: u32) {
        let Some(Turn { previous, next, .. }) = states.get_mut(number).turn.take() else { return };
        match link(states, previous) {
            Some(turn) => turn.next = next,
            None => self.first = next,
        }
        match link(states, next) {
            Some(turn) => turn.previous = previous,
            None => self.last = previous,
        }
    }
}

/// Returns the links of a key, which has a turn. `None` for [`NO_KEY`].
#[inline]
fn link(states: &mut KeyStates, number: u32) -> Option<&mut Turn> {
    if number == NO_KEY { None } else { states.get_mut(number).turn.as_mut() }
}
