//! The order of the keys that have a turn, by their weights.
//!
//! A key's *part* of the total is its weight to the weights of all keys that have a turn. Next is
//!
//! 1. a key whose first call has come back: its grant was taken back;
//! 2. of the keys that are *due* the one that became so first: see below;
//! 3. of the others the one with the least `(in_use + 1) / weight`, so that the keys hold permits in proportion to their
//!    weights, however long their calls take. (This is weighted max-min fairness for permits that are held: see D. Bertsekas
//!    and R. Gallager, *Data Networks*, section 6.5.2.)
//!
//! Of equals it is the one that has its turn for the longest time.
//!
//! A key whose part is less than a permit would wait for ever by the third rule alone. Its part is one in time. A key that
//! has a turn earns its part of each permit that is handed out, and a key that holds no permit is due once it has earned
//! one, with its part of the permit that is free now. It pays for what it gets then, and keeps the rest for its next turn,
//! at most a permit.
//! (The account is that of a deficit round robin: Shreedhar and Varghese, "Efficient fair queueing using deficit
//! round-robin", 1995. One sum for all keys is enough, as the virtual time of weighted fair queueing: Demers, Keshav and
//! Shenker, "Analysis and simulation of a fair queueing algorithm", 1989.)
//!
//! A key whose first call keeps free permits from others, because it wants more, stays next until it has them, or its turn
//! ends. Otherwise permits could be idle for ever.
//!
//! There is such an order only once a call has given its key another weight than 1. Until then the turns are enough,
//! and no call pays for weights. It goes when all keys that are there have the weight 1 and none has a turn.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A permit in the account of a key of weight 1. So fine that what is rounded does not matter.
const PERMIT: i128 = 1 << 64;

/// The place of a key among those that have a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    ratio: Ratio,
    turn: i64,
}

/// Permits in use, and one more, to weight. `more` is 0 for a key that was put before all others.
#[derive(Clone, Copy, Debug)]
struct Ratio {
    more: u64,
    weight: u32,
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        let [one, other] = [(self, other), (other, self)]
            .map(|(one, other)| u128::from(one.more) * u128::from(other.weight));
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

/// The turn of a key.
#[derive(Clone, Copy, Debug)]
struct Turn {
    place: Place,
    /// The sum of [`Weights::handed_out`] at which the key has earned a permit.
    due_at: i128,
    holds_nothing: bool,
}

/// The weights of keys, and the order of those that have a turn.
#[derive(Debug, Default)]
pub(super) struct Weights {
    /// The weights other than 1, by the numbers of the keys. Trees, because they shrink, and are never copied whole.
    given: BTreeMap<u32, u32>,
    turns: BTreeMap<u32, Turn>,
    /// The keys by the third rule.
    order: BTreeMap<Place, u32>,
    /// The keys that hold nothing, by the moment at which they are due.
    due: BTreeMap<(i128, i64), u32>,
    /// The earnings of keys that are not spent, for their next turns. A key that has spent more owes it.
    balances: BTreeMap<u32, i128>,
    /// The key that stays next, because its first call keeps free permits from others.
    reserving: Option<u32>,
    /// The sum of the weights of the keys that have a turn.
    sum: u64,
    /// The permits that were handed out, each divided by the sum of the weights at that moment: what a key of weight 1 has
    /// earned if it had a turn all the time.
    handed_out: i128,
    /// The number of the first turn that was given before all others: it counts down from 0.
    first: i64,
    /// The number of the last turn: it counts up.
    last: i64,
}

impl Weights {
    /// Sets the weight of a key, which has so many permits in use.
    pub(super) fn set(&mut self, number: u32, weight: u32, in_use: u32) {
        let turn = self.take(number);
        if weight == 1 {
            self.given.remove(&number);
        } else {
            self.given.insert(number, weight);
        }
        if let Some(turn) = turn {
            // What it has earned stays. With more weight it earns the rest sooner.
            let due_at = turn.due_at.min(self.handed_out + PERMIT / i128::from(weight));
            self.put(number, turn.place.turn, due_at, in_use);
        }
    }

    /// Returns the key that is next.
    pub(super) fn first(&self) -> Option<u32> {
        let (place, &first) = self.order.first_key_value()?;
        if place.turn < 0 {
            return Some(first);
        }
        if self.reserving.is_some() {
            return self.reserving;
        }
        let due = self.due.first_key_value().filter(|(key, _)| self.is_due(key.0));
        Some(due.map_or(first, |(_, &number)| number))
    }

    /// Notes that the key that is next wants more permits than are free, and keeps these from others.
    pub(super) fn reserve(&mut self, number: u32) {
        self.reserving = Some(number);
    }

    /// Notes that the key that is next gets so many permits. To be called before its turn ends.
    pub(super) fn serve(&mut self, number: u32, weight: u32) {
        let Some(&Turn { due_at, holds_nothing, .. }) = self.turns.get(&number) else { return };
        let is_due = holds_nothing && self.is_due(due_at);
        self.handed_out += i128::from(weight) * self.share_of_permit();
        if is_due {
            let permit = PERMIT / i128::from(self.weight(number));
            let earned = self.handed_out - due_at - permit * i128::from(weight.saturating_sub(1));
            self.balances.insert(number, earned.min(permit));
        }
    }

    /// Gives a key a turn after all others.
    pub(super) fn push(&mut self, number: u32, in_use: u32) {
        self.last += 1;
        let earned = self.balances.remove(&number).unwrap_or(0);
        let due_at = self.handed_out - earned + PERMIT / i128::from(self.weight(number));
        self.put(number, self.last, due_at, in_use);
    }

    /// Gives a key a turn before all others, whatever it has in use.
    pub(super) fn push_first(&mut self, number: u32) {
        self.first -= 1;
        self.put(number, self.first, i128::MAX, 0);
    }

    /// Ends a key's turn, if it has one.
    pub(super) fn remove(&mut self, number: u32) {
        self.take(number);
        self.reserving.take_if(|reserving| *reserving == number);
    }

    /// Follows the permits in use of a key, if it has a turn.
    pub(super) fn follow(&mut self, number: u32, in_use: u32) {
        let Some(&Turn { place, due_at, .. }) = self.turns.get(&number) else { return };
        // A key that was put before all others stays there.
        if place.turn > 0 && place.ratio.more != u64::from(in_use) + 1 {
            self.take(number);
            // A key earns nothing while it holds permits, but for the first one that it waits for.
            let due_at = if in_use == 0 { due_at.max(self.handed_out) } else { due_at };
            self.put(number, place.turn, due_at, in_use);
        }
    }

    /// Forgets the weight of a key that has no turn.
    pub(super) fn forget(&mut self, number: u32) {
        self.given.remove(&number);
        self.balances.remove(&number);
    }

    /// Returns whether all weights are 1, and no key has a turn.
    pub(super) fn are_unused(&self) -> bool {
        self.given.is_empty() && self.order.is_empty()
    }

    fn weight(&self, number: u32) -> u32 {
        self.given.get(&number).copied().unwrap_or(1)
    }

    /// Returns what a key of weight 1 earns of each permit. Rounded up, so that all parts together are not less than a permit.
    fn share_of_permit(&self) -> i128 {
        let sum = i128::from(self.sum.max(1));
        (PERMIT + sum - 1) / sum
    }

    /// Returns whether a key is due that has earned a permit at a sum of [`handed_out`](Self::handed_out).
    fn is_due(&self, at: i128) -> bool {
        at <= self.handed_out + self.share_of_permit()
    }

    fn put(&mut self, number: u32, turn: i64, due_at: i128, in_use: u32) {
        let weight = self.weight(number);
        let is_first = turn < 0;
        let more = if is_first { 0 } else { u64::from(in_use) + 1 };
        let place = Place { ratio: Ratio { more, weight }, turn };
        let holds_nothing = in_use == 0 && !is_first;
        self.order.insert(place, number);
        if holds_nothing {
            self.due.insert((due_at, turn), number);
        }
        self.sum += u64::from(weight);
        self.turns.insert(number, Turn { place, due_at, holds_nothing });
    }

    fn take(&mut self, number: u32) -> Option<Turn> {
        let turn = self.turns.remove(&number)?;
        self.order.remove(&turn.place);
        if turn.holds_nothing {
            self.due.remove(&(turn.due_at, turn.place.turn));
        }
        self.sum -= u64::from(turn.place.ratio.weight);
        Some(turn)
    }
}
