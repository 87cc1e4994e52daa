//! The holders that wait for more permits.
//!
//! All of it is under the semaphore's lock. A holder that grows stands in no wait list of other calls. It waits for the
//! permits of other holders, and the calls in the wait list may wait for its own: behind one of them it would wait for
//! ever.
//!
//! # Rules
//!
//! 1. *Before all others.* No other call is admitted while a holder waits for permits that the call could take from it.
//!    With keys, a holder that lacks permits of its own key keeps the calls of that key waiting, and no others. With
//!    shares, calls that take only what is reserved for their own share go on.
//! 2. *The least first.* Of those that wait, the one that wants the fewest more permits is next, and of equals the one
//!    that came first.
//! 3. *Only if it can be.* A holder may wait only as long as all that wait can be served one after the other, given that
//!    all other holders come to an end. Otherwise it is refused as one in a deadlock.
//!
//! # Why no holder waits for ever
//!
//! Rule 3 is the safety check of the banker's algorithm (Dijkstra, "Een algorithme ter voorkoming van de dodelijke
//! omarming", EWD 108, 1965): there is an order in which each has what it wants when those before it have ended. The
//! check is exact, because a holder that ends never takes room from another: if any one fits, it may go next.
//!
//! Suppose that all holders that do not wait have ended. By rule 3 one of the others fits then, and by rule 2 it is served:
//! among those with one key the one that wants least fits if any does. From then on it does not wait, and the rest
//! are as safe as before: each of them has the permits of one more holder to hope for. By rule 1 no new holder comes
//! in between, so the number of holders only falls, and each that waits is served.
//!
//! When the limit is lowered, the last that came of those that cannot be served any more is refused, until the others
//! can be. A limit of 0 is a pause, and says nothing of the limit after it: all wait.

use super::slots::NO_KEY;
use super::wait_list::WaitList;
use std::collections::BTreeMap;

/// A holder that waits for more permits.
#[derive(Debug)]
pub(super) struct Grower {
    pub(super) slot: u32,
    /// The number of its key, or of its share; [`NO_KEY`] without both.
    pub(super) key: u32,
    /// The permits that it holds.
    pub(super) held: u32,
    /// The permits that it wants beside them.
    pub(super) wants: u32,
    /// It alone. A waiter is always in a list.
    pub(super) list: WaitList,
}

/// The permits that a grower holds and wants, for the check that all can be served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) key: u32,
    pub(super) held: u32,
    pub(super) wants: u32,
}

/// The holders that wait for more permits. They are few: each holds a permit.
#[derive(Debug, Default)]
pub(super) struct Growers {
    /// In the order in which they came.
    all: Vec<Grower>,
    /// A limit has changed since it was found out that all can be served.
    pub(super) is_in_doubt: bool,
}

impl Growers {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn push(&mut self, grower: Grower) {
        self.all.push(grower);
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Grower> {
        self.all.iter()
    }

    pub(super) fn claims(&self) -> Vec<Claim> {
        let claim = |&Grower { key, held, wants, .. }: &Grower| Claim { key, held, wants };
        self.all.iter().map(claim).collect()
    }

    /// Returns how many of them have a key.
    pub(super) fn of_key(&self, key: u32) -> usize {
        self.all.iter().filter(|grower| grower.key == key).count()
    }

    /// Returns their indices in the order in which they are served.
    pub(super) fn in_order(&self) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.all.len()).collect();
        // It is stable: of equals the first stays the first.
        order.sort_by_key(|&index| self.all[index].wants);
        order
    }

    pub(super) fn get(&self, index: usize) -> &Grower {
        &self.all[index]
    }

    pub(super) fn remove(&mut self, index: usize) -> Grower {
        self.all.remove(index)
    }

    /// Returns the list in which a waiter is, if it is one of them.
    pub(super) fn list_of(&mut self, slot: u32) -> Option<&mut WaitList> {
        let grower = self.all.iter_mut().find(|grower| grower.slot == slot)?;
        Some(&mut grower.list)
    }

    /// Forgets those that have left their list.
    pub(super) fn forget_those_gone(&mut self) {
        self.all.retain(|grower| !grower.list.is_empty());
    }
}

/// The permits that some claims hold.
#[derive(Debug, Default)]
pub(super) struct Holds {
    all: u64,
    of_keys: BTreeMap<u32, u64>,
}

impl Holds {
    fn of(claims: &[Claim]) -> Self {
        let mut holds = Self::default();
        for &Claim { key, held, .. } in claims {
            holds.all += u64::from(held);
            *holds.of_keys.entry(key).or_default() += u64::from(held);
        }
        holds
    }

    fn give_back(&mut self, Claim { key, held, .. }: Claim) {
        self.all -= u64::from(held);
        if let Some(of_key) = self.of_keys.get_mut(&key) {
            *of_key -= u64::from(held);
        }
    }

    /// Returns what those with a key hold. With [`NO_KEY`], what all hold.
    pub(super) fn of_key(&self, key: u32) -> u64 {
        if key == NO_KEY { self.all } else { self.of_keys.get(&key).copied().unwrap_or(0) }
    }
}

/// Returns the indices of the claims that can never be met, if all holders but these come to an end. `fits` says whether
/// a claim fits beside what those hold that are not met.
pub(super) fn stuck(claims: &[Claim], fits: impl Fn(&Holds, Claim) -> bool) -> Vec<usize> {
    let mut holds = Holds::of(claims);
    let mut left: Vec<_> = (0..claims.len()).collect();
    // Of those with one key, one that wants more fits only after one that wants less: so without keys one turn is enough.
    left.sort_by_key(|&index| claims[index].wants);
    loop {
        let before = left.len();
        left.retain(|&index| {
            let is_met = fits(&holds, claims[index]);
            if is_met {
                holds.give_back(claims[index]);
            }
            !is_met
        });
        if left.len() == before {
            left.sort_unstable();
            return left;
        }
    }
}

/// Returns whether a claim fits under a limit, beside the permits that the others of the same key hold. With
/// [`NO_KEY`], beside those that all hold.
pub(super) fn fits_limit(limit: u32, holds: &Holds, key: u32, wants: u32) -> bool {
    holds.of_key(key) + u64::from(wants) <= u64::from(limit)
}
