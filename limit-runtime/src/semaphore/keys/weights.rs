//! The order of the keys that have a turn, by their weights.
//!
//! Next is the key with the least `in_use / weight`, so that the keys that wait have permits of the total in proportion
//! to their weights. Of equals it is the one that has its turn for the longest time. (This is weighted max-min fairness
//! for permits that are held: see D. Bertsekas and R. Gallager, *Data Networks*, section 6.5.2.)
//!
//! There is such an order only once a call has given its key another weight than 1. Until then the turns are enough,
//! and no call pays for weights. It goes when all keys that are there have the weight 1 and none has a turn.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The place of a key among those that have a turn: permits in use to weight, and then the number of the turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    ratio: Ratio,
    turn: i64,
}

#[derive(Clone, Copy, Debug)]
struct Ratio {
    in_use: u32,
    weight: u32,
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        let [one, other] = [(self, other), (other, self)]
            .map(|(one, other)| u64::from(one.in_use) * u64::from(other.weight));
        one.cmp(&other)
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ratio {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ratio {}

/// The weights of keys, and the order of those that have a turn.
#[derive(Debug, Default)]
pub(super) struct Weights {
    /// The weights other than 1, by the numbers of the keys. Trees, because they shrink, and are never copied whole.
    given: BTreeMap<u32, u32>,
    order: BTreeMap<Place, u32>,
    places: BTreeMap<u32, Place>,
    /// The number of the first turn that was given before all others: it counts down from 0.
    first: i64,
    /// The number of the last turn: it counts up.
    last: i64,
}

impl Weights {
    /// Sets the weight of a key, which has so many permits in use.
    pub(super) fn set(&mut self, number: u32, weight: u32, in_use: u32) {
        if weight == 1 {
            self.given.remove(&number);
        } else {
            self.given.insert(number, weight);
        }
        self.follow(number, in_use);
    }

    /// Returns the key that is next.
    pub(super) fn first(&self) -> Option<u32> {
        self.order.first_key_value().map(|(_, &number)| number)
    }

    /// Gives a key a turn after all others.
    pub(super) fn push(&mut self, number: u32, in_use: u32) {
        self.last += 1;
        let ratio = self.ratio(number, in_use);
        self.put(number, Place { ratio, turn: self.last });
    }

    /// Gives a key a turn before all others, whatever it has in use.
    pub(super) fn push_first(&mut self, number: u32) {
        self.first -= 1;
        self.put(number, Place { ratio: Ratio { in_use: 0, weight: 1 }, turn: self.first });
    }

    /// Ends a key's turn, if it has one.
    pub(super) fn remove(&mut self, number: u32) {
        if let Some(place) = self.places.remove(&number) {
            self.order.remove(&place);
        }
    }

    /// Follows the permits in use of a key, or its weight, if it has a turn.
    pub(super) fn follow(&mut self, number: u32, in_use: u32) {
        let Some(&place) = self.places.get(&number) else { return };
        let ratio = self.ratio(number, in_use);
        // A key that was put before all others stays there.
        if place.turn > 0 && place.ratio != ratio {
            self.order.remove(&place);
            self.put(number, Place { ratio, ..place });
        }
    }

    /// Forgets the weight of a key that has no turn.
    pub(super) fn forget(&mut self, number: u32) {
        self.given.remove(&number);
    }

    /// Returns whether all weights are 1, and no key has a turn.
    pub(super) fn are_unused(&self) -> bool {
        self.given.is_empty() && self.order.is_empty()
    }

    fn put(&mut self, number: u32, place: Place) {
        self.order.insert(place, number);
        self.places.insert(number, place);
    }

    fn ratio(&self, number: u32, in_use: u32) -> Ratio {
        Ratio { in_use, weight: self.given.get(&number).copied().unwrap_or(1) }
    }
}
