//! The mode in which parts of the permits are guaranteed to shares of the calls.
//!
//! All of it is under the semaphore's lock: one queue, with a wait list for each share. The calls that have no share
//! are one more, the *rest*, and stand last. A slot has the number of its call's share where one of a key has that of
//! the key.
//!
//! # Rules
//!
//! A call of share *i* with weight *w* may run if `in_use[i] + w ≤ at_most[i]`, and if `free − w` is at least what is
//! held back for the other shares: the sum of `max(0, reserved[j] − in_use[j])` over all *j* but *i*. So reserved permits
//! go to their share alone, and any other free permit goes to whoever wants it.
//!
//! The next share is, of those with a waiter that its own `at_most` allows:
//!
//! 1. one that is *due*: see below;
//! 2. of those below their guarantee the one with the least `in_use / guaranteed`;
//! 3. of the others the one with the least `(in_use + w) / percent`.
//!
//! Of equals it is the one that was served the longest time ago. If too few permits are free for it, others wait
//! behind it, as calls wait behind a heavy one, but for those that take only permits held back for themselves. (It
//! could not have had these.) So whenever a permit comes back while a share is below its guarantee and waits, that share or
//! another one below its guarantee gets it. A share that wants its guarantee has it after at most as many permits have come
//! back as all shares below theirs are short of.
//!
//! Calls that weigh more than one permit may go beyond their share's guarantee, so with them it may be as many permits
//! more.
//!
//! A share whose part is less than a permit is guaranteed none, and others below their guarantee would pass it
//! for ever. Its part is one in time. It has *credit* for the permits that go to others while it waits, its per cent of
//! each, and pays for those that it gets. It is *due* once the credit, with its part of the permits that it wants now,
//! pays for these. (A deficit round robin has the same account: Shreedhar and Varghese, "Efficient fair queueing using
//! deficit round-robin", 1995.)

mod growing;

use super::pace::{Pace, ToJoin};
use super::queue::Queue;
use super::wait_list::WaitList;
use crate::metrics::{ShareCounts, ShareFigures};
use crate::share::{Portion, REST, Share, percent_of_rest, portions};
use std::cmp::Ordering;
use std::task::Waker;

#[derive(Debug)]
pub(super) struct Shares {
    made: &'static [Share],
    /// The state of each share, and last that of the rest.
    states: Box<[ShareState]>,
    limit: u32,
    /// The sum of the permits that are held back for each share.
    held_back: u32,
    /// Counts the calls that were served, which orders the shares.
    served: u64,
}

#[derive(Debug)]
struct ShareState {
    list: WaitList,
    /// Waiters, also those that are away.
    waiting: u32,
    in_use: u32,
    percent: u32,
    portion: Portion,
    admitted: u64,
    rejected: u64,
    pace: Pace,
    /// The number of its call that was served last.
    last_served: u64,
    /// Its part of the permits that went to others while its calls waited, in hundredths of a permit, if it is guaranteed
    /// none.
    credit: u64,
    /// A holder of the share waits for more permits. Calls of the share wait behind it.
    grows: bool,
}

/// The permits that are free.
#[derive(Clone, Copy)]
pub(super) struct Free {
    pub(super) permits: u32,
    /// A holder waits for more permits, and lacks only free ones. So calls get none but those that are held back for
    /// their share.
    pub(super) is_awaited: bool,
}

/// A share that may be served next.
#[derive(Clone, Copy)]
struct Candidate {
    number: usize,
    weight: u32,
    /// Its turn is before all others.
    is_due: bool,
}

impl Shares {
    pub(super) fn new(shares: &'static [Share]) -> Self {
        let percents = shares.iter().map(|share| share.percent).chain([percent_of_rest(shares)]);
        let state = |percent| ShareState {
            list: WaitList::new(),
            waiting: 0,
            in_use: 0,
            percent,
            portion: Portion::default(),
            admitted: 0,
            rejected: 0,
            pace: Pace::default(),
            last_served: 0,
            credit: 0,
            grows: false,
        };
        Self {
            made: shares,
            states: percents.map(state).collect(),
            limit: 0,
            held_back: 0,
            served: 0,
        }
    }

    /// Returns the number of the rest.
    #[expect(clippy::cast_possible_truncation, reason = "there are at most 16 shares")]
    pub(super) fn rest(&self) -> u32 {
        self.made.len() as u32
    }

    /// Follows the limit.
    pub(super) fn set_limit(&mut self, limit: u32) {
        self.limit = limit;
        for (state, portion) in self.states.iter_mut().zip(portions(self.made, limit)) {
            state.portion = portion;
            if portion.guaranteed > 0 {
                state.credit = 0;
            }
        }
        self.held_back = self.states.iter().map(ShareState::held_back).sum();
    }

    /// Returns the most permits that a call of a share may want under a limit.
    pub(super) fn heaviest(&self, number: u32, limit: u32) -> u32 {
        let portions = portions(self.made, limit);
        let reserved: u32 = portions.iter().map(|portion| portion.reserved).sum();
        let own = portions[number as usize];
        // A call of one permit can always run: see `fits`.
        own.at_most.min(limit - (reserved - own.reserved)).max(limit.min(1))
    }

    /// Returns whether a call that comes now is served before all that wait, and can be. `free` is as in
    /// [`Free`].
    pub(super) fn has_room(
        &self,
        queue: &mut Queue,
        free: Free,
        number: u32,
        weight: u32,
        lifo: bool,
    ) -> bool {
        let is_first = self.states[number as usize].list.is_empty() || lifo;
        is_first && self.next(queue, free, Some((number as usize, weight))) == Some(number as usize)
    }

    /// Hands permits to the waiter that is next, if it can have them. Returns their number, and the waker.
    pub(super) fn serve_next(
        &mut self,
        queue: &mut Queue,
        free: Free,
    ) -> Option<(u32, Option<Waker>)> {
        let number = self.next(queue, free, None)?;
        let state = &mut self.states[number];
        let weight = queue.head_weight(&state.list)?;
        state.waiting = state.waiting.saturating_sub(1);
        let waker = queue.serve(&mut state.list);
        self.take_of(number, weight);
        Some((weight, waker))
    }

    /// Returns the share whose waiter [`serve_next`](Self::serve_next) serves.
    #[expect(clippy::cast_possible_truncation, reason = "there are at most 16 shares")]
    pub(super) fn next_share(&self, queue: &mut Queue, free: Free) -> Option<u32> {
        self.next(queue, free, None).map(|number| number as u32)
    }

    /// Takes permits for a call of a share that is admitted.
    pub(super) fn take(&mut self, number: u32, weight: u32) {
        self.take_of(number as usize, weight);
    }

    fn take_of(&mut self, number: usize, weight: u32) {
        self.served += 1;
        for (other, state) in self.states.iter_mut().enumerate() {
            if other != number && state.is_passed() {
                state.credit += u64::from(weight) * u64::from(state.percent);
            }
        }
        let state = &mut self.states[number];
        self.held_back -= state.held_back();
        state.in_use += weight;
        state.admitted += 1;
        state.last_served = self.served;
        let others = u64::from(100 - state.percent);
        state.credit = state.credit.saturating_sub(u64::from(weight) * others);
        self.held_back += state.held_back();
    }

    /// Takes permits of a share back.
    pub(super) fn give_back(&mut self, number: u32, weight: u32) {
        let state = &mut self.states[number as usize];
        self.held_back -= state.held_back();
        state.in_use -= weight;
        self.held_back += state.held_back();
    }

    /// Takes back that a call of a share was admitted.
    pub(super) fn uncount_admitted(&mut self, number: u32) {
        self.states[number as usize].admitted -= 1;
    }

    /// Counts a refusal.
    pub(super) fn count_rejected(&mut self, number: u32) {
        self.states[number as usize].rejected += 1;
    }

    /// Returns the wait list of a share.
    pub(super) fn list_mut(&mut self, number: u32) -> &mut WaitList {
        &mut self.states[number as usize].list
    }

    /// Returns how many calls of a share wait.
    pub(super) fn waiting(&self, number: u32) -> u32 {
        self.states[number as usize].waiting
    }

    /// Counts more, or fewer, waiters of a share.
    pub(super) fn count_waiting(&mut self, number: u32, more: i32) {
        let waiting = &mut self.states[number as usize].waiting;
        *waiting = waiting.saturating_add_signed(more);
    }

    /// Returns whether a call waits that is not away.
    pub(super) fn has_waiters(&self) -> bool {
        self.states.iter().any(|state| !state.list.is_empty())
    }

    /// Returns the shares that have waiters.
    pub(super) fn waited_for(&self) -> impl Iterator<Item = u32> {
        (0..)
            .zip(&self.states)
            .filter(|(_, state)| !state.list.is_empty())
            .map(|(number, _)| number)
    }

    /// Returns the queue of a share.
    #[expect(clippy::cast_possible_truncation, reason = "only differences count, modulo 2^32")]
    pub(super) fn queue_to_join(&mut self, number: u32) -> ToJoin<'_> {
        let state = &mut self.states[number as usize];
        ToJoin {
            list: &state.list,
            waiting: state.waiting as usize,
            out: state.in_use,
            served: state.admitted as u32,
            pace: &mut state.pace,
        }
    }

    /// Returns whether no call could have any of the free permits but those that are held back for its share.
    pub(super) fn is_full(&self, free: u32) -> bool {
        free <= self.held_back
    }

    /// Returns the figures of each share, and of the rest, without the counts. The guarantees are those under a limit.
    pub(super) fn figures(&self, limit: u32) -> Vec<ShareFigures> {
        let portions = portions(self.made, limit);
        let figures = |((name, state), portion): ((&str, &ShareState), Portion)| ShareFigures {
            name: name.to_owned(),
            guaranteed: portion.guaranteed as usize,
            at_most: portion.at_most as usize,
            in_use: state.in_use as usize,
            waiting: state.waiting as usize,
            ..ShareFigures::default()
        };
        self.named().zip(portions).map(figures).collect()
    }

    /// Returns the counts of each share, and of the rest.
    pub(super) fn counts(&self) -> impl Iterator<Item = ShareCounts> {
        self.named().map(|(name, state)| ShareCounts {
            name,
            admitted: state.admitted,
            rejected: state.rejected,
        })
    }

    fn named(&self) -> impl Iterator<Item = (&'static str, &ShareState)> {
        self.made.iter().map(|share| share.name).chain([REST]).zip(&self.states)
    }

    /// Returns the share whose call is to be served now. `newcomer` is the share and the weight of a call that comes, and
    /// that would be the first of its share.
    fn next(
        &self,
        queue: &mut Queue,
        Free { permits: free, is_awaited }: Free,
        newcomer: Option<(usize, u32)>,
    ) -> Option<usize> {
        // The best of all that wait for permits, and the best of those that need no permit which another could have.
        let (mut first, mut own): (Option<Candidate>, Option<Candidate>) = (None, None);
        for (number, state) in self.states.iter().enumerate() {
            let weight = match newcomer {
                Some((of, weight)) if of == number => Some(weight),
                _ => queue.head_weight(&state.list),
            };
            let Some(weight) = weight else { continue };
            if state.grows || weight > state.portion.at_most.saturating_sub(state.in_use) {
                continue;
            }
            let is_newcomer = newcomer.is_some_and(|(of, _)| of == number);
            let is_back = !is_newcomer && queue.is_head_back(&state.list);
            let is_due = is_back || state.is_due(weight);
            let candidate = Candidate { number, weight, is_due };
            let is_before = |known: &Option<Candidate>| {
                known.is_none_or(|known| self.is_before(candidate, known))
            };
            if is_before(&first) {
                first = Some(candidate);
            }
            if weight <= state.held_back() && self.fits(candidate, free) && is_before(&own) {
                own = Some(candidate);
            }
        }
        let first = first?;
        if !is_awaited && self.fits(first, free) {
            return Some(first.number);
        }
        own.map(|own| own.number)
    }

    /// Returns whether enough permits are free for a call.
    fn fits(&self, candidate: Candidate, free: u32) -> bool {
        let Candidate { number, weight, .. } = candidate;
        if weight <= self.states[number].held_back() {
            // They are its own, also while fewer are free than are held back: the limit may have been lowered.
            return weight <= free;
        }
        let for_others = self.held_back - self.states[number].held_back();
        // If all permits are reserved for others, a call still runs while nobody else does. It would wait for ever.
        let for_others = for_others.min(self.limit.saturating_sub(1));
        u64::from(weight) + u64::from(for_others) <= u64::from(free)
    }

    /// Returns whether a share is served before another.
    fn is_before(&self, one: Candidate, other: Candidate) -> bool {
        let (a, b) = (&self.states[one.number], &self.states[other.number]);
        let (below, other_below) = (a.is_below(), b.is_below());
        let order = match (one.is_due, other.is_due) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (true, true) => Ordering::Equal,
            (false, false) if below != other_below => other_below.cmp(&below),
            (false, false) if below => {
                compare(a.in_use, a.portion.guaranteed, b.in_use, b.portion.guaranteed)
            }
            (false, false) => compare(
                a.in_use.saturating_add(one.weight),
                a.percent,
                b.in_use.saturating_add(other.weight),
                b.percent,
            ),
        };
        order.then(a.last_served.cmp(&b.last_served)).is_lt()
    }
}

impl ShareState {
    /// Returns how many permits are held back for it.
    fn held_back(&self) -> u32 {
        self.portion.reserved.saturating_sub(self.in_use)
    }

    fn is_below(&self) -> bool {
        self.in_use < self.portion.guaranteed
    }

    /// Returns whether permits that others get count for it: it has a part, is guaranteed no permit, and waits for
    /// permits that others have.
    fn is_passed(&self) -> bool {
        self.portion.guaranteed == 0
            && self.percent > 0
            && self.in_use < self.portion.at_most
            && !self.list.is_empty()
    }

    fn is_due(&self, weight: u32) -> bool {
        let (weight, percent) = (u64::from(weight), u64::from(self.percent));
        let is_paid = self.credit + weight * percent >= weight * 100;
        self.portion.guaranteed == 0 && percent > 0 && is_paid
    }
}

/// Compares two fractions. One with the denominator 0 is larger than all others.
fn compare(one: u32, of: u32, other: u32, of_other: u32) -> Ordering {
    match (of, of_other) {
        (0, 0) => one.cmp(&other),
        (0, _) => Ordering::Greater,
        (_, 0) => Ordering::Less,
        _ => (u64::from(one) * u64::from(of_other)).cmp(&(u64::from(other) * u64::from(of))),
    }
}
