//! Grants that are taken back, because their waiters are not polled.
//!
//! A waiter whose grant was taken back is *away*: it is in a list of its own, counts as one that waits, and is not
//! served. Once it is polled it stands at the head of its wait list again.

use super::super::modes::Modes;
use super::super::queue::Queue;
use super::super::slots::NO_KEY;
use super::super::status::AWAY;
use super::super::wait_list::WaitList;
use super::super::wake_list::WakeList;
use super::{Look, State};
use crate::events::EventKind;
use crate::rejected::RejectedKind;
use crate::sync::AtomicU64;
use std::task::Waker;
use std::time::Duration;

impl State {
    /// Takes the grant of a slot back, if it has not been claimed and another call may want the permits. The caller
    /// serves before it unlocks.
    pub(in super::super) fn take_back(
        &mut self,
        word: &AtomicU64,
        slot: u32,
        grant: u64,
        wakers: &mut WakeList,
    ) -> TakenBack {
        // Read before the exchange: until then the slot may be another waiter's, and the key gone.
        if self.queue.value(slot) != grant {
            return TakenBack::Claimed;
        }
        let key = self.queue.key(slot);
        if !self.is_wanted(key) {
            return TakenBack::NotWanted;
        }
        let Some(weight) = self.queue.take_back(&mut self.away, slot, grant) else {
            return TakenBack::Claimed;
        };
        // First, so that the key is not forgotten while its waiter is away.
        self.count_waiting(key, 1);
        if let Some(keys) = self.keys_mut().filter(|_| key != NO_KEY) {
            let state = keys.state_mut(key);
            state.admitted = state.admitted.wrapping_sub(1);
        } else if let Some(shares) = self.shares_mut() {
            shares.uncount_admitted(key);
        }
        self.tell_of_release(weight, slot, wakers);
        self.give_back_of_key(key, weight);
        self.give_back(word, weight);
        self.counters.taken_back += 1;
        self.notify(word, EventKind::TakenBack);
        TakenBack::Now
    }

    /// Returns whether a call waits that permits of a key may help.
    fn is_wanted(&self, key: u32) -> bool {
        match self.keys() {
            Some(keys) if key != NO_KEY => {
                let is_to_grow = self.whole_is_awaited() || self.waiting_to_grow(key).1 > 0;
                is_to_grow || keys.has_turns() || keys.waited_for().contains(&key)
            }
            _ => self.has_waiters(),
        }
    }

    /// Returns whether a call waits that is not away.
    pub(in super::super) fn has_waiters(&self) -> bool {
        match self.modes.as_deref() {
            Some(modes) if !modes.growers.is_empty() => true,
            Some(Modes { keys: Some(keys), .. }) => keys.has_waiters(),
            Some(Modes { shares: Some(shares), .. }) => shares.has_waiters(),
            _ => !self.list.is_empty(),
        }
    }

    /// Puts a waiter that is away back at the head of its wait list, or refuses it as a call that comes now would be.
    /// Does nothing if it is not away any more. The caller serves before it unlocks. Returns a waker that is not
    /// needed, to be dropped after unlocking.
    pub(in super::super) fn come_back(
        &mut self,
        word: &AtomicU64,
        slot: u32,
        waker: Waker,
        wakers: &mut WakeList,
    ) -> Option<Waker> {
        if self.queue.status(slot) != AWAY {
            return Some(waker);
        }
        self.set_slow(word);
        let key = self.queue.key(slot);
        let refused_as = if self.queue.weight(slot) > self.heaviest_of(key) {
            // The limit has been lowered. At the head it would keep all others waiting.
            Some(RejectedKind::TooHeavy)
        } else if self.is_unavailable(key) {
            Some(RejectedKind::Unavailable)
        } else {
            None
        };
        if refused_as.is_some() {
            self.dismiss(word, key, slot, refused_as, wakers);
            self.forget_if_idle(key);
            return Some(waker);
        }
        let Self { list, queue, away, modes, .. } = self;
        match modes.as_deref_mut() {
            Some(Modes { keys: Some(keys), .. }) if key != NO_KEY => {
                queue.come_back(away, &mut keys.state_mut(key).list, slot, waker);
                // The key has its turn before all others.
                keys.end_turn(key);
            }
            Some(Modes { shares: Some(shares), .. }) => {
                queue.come_back(away, shares.list_mut(key), slot, waker);
            }
            _ => queue.come_back(away, list, slot, waker),
        }
        self.refresh_turn(key);
        self.tell_of_waiter(key, wakers);
        self.tell(NO_KEY, wakers);
        None
    }

    /// Returns the list in which a waiter of a key is, and the queue. `None` if the key is not there.
    pub(super) fn list_of_waiter(
        &mut self,
        key: u32,
        slot: u32,
    ) -> Option<(&mut WaitList, &mut Queue)> {
        if self.queue.status(slot) == AWAY {
            return Some((&mut self.away, &mut self.queue));
        }
        if self.growers().is_some_and(|growers| growers.iter().any(|grower| grower.slot == slot)) {
            let Self { queue, modes, .. } = self;
            return modes.as_deref_mut()?.growers.list_of(slot).map(|list| (list, queue));
        }
        self.list_and_queue(key)
    }

    /// Returns the waiters that are away: slot, weight and key.
    pub(super) fn those_away(&mut self) -> Vec<(u32, u32, u32)> {
        let away = self.queue.waiters(&self.away).into_iter();
        away.map(|(slot, _)| (slot, self.queue.weight(slot), self.queue.key(slot))).collect()
    }

    /// Asks for a look of the watcher if a call may wait behind a grant that nobody has claimed, and of which the
    /// watcher does not know. Returns whether a look is asked for: the semaphore is to ask after unlocking.
    ///
    /// It is called while calls wait, whenever permits were handed out or a call has joined.
    #[cold]
    pub(super) fn asks_for_look(&mut self) -> bool {
        if self.look == Look::Off && self.queue.has_fresh_grants() {
            self.look = Look::Asked;
        }
        self.look == Look::Asked
    }

    /// Returns whether the semaphore is to ask for a look, now that it is unlocked.
    pub(in super::super) fn take_asked(&mut self) -> bool {
        let is_asked = self.look == Look::Asked;
        if is_asked {
            self.begin_look();
        }
        is_asked
    }

    /// Sets the time after which a grant that nobody claims goes to another waiter. Says whether the watcher knows all
    /// grants that it is to look at from now on.
    pub(in super::super) fn set_claim_within(&mut self, claim_within: Duration, knows_all: bool) {
        self.claim_within = claim_within;
        self.end_look(knows_all);
    }

    /// Notes that the watcher looks now or a moment later, at all grants.
    pub(in super::super) fn begin_look(&mut self) {
        self.look = Look::Due;
        self.queue.note_no_grants();
    }

    /// Notes that the watcher has looked, and whether it looks again at all unclaimed grants when they are due.
    pub(in super::super) fn end_look(&mut self, knows_all: bool) {
        if self.claim_within == Duration::MAX {
            self.look = Look::Never;
            self.queue.note_no_grants();
        } else {
            self.look = Look::Off;
            self.queue.note_grants(knows_all);
        }
    }
}

/// The result of taking a grant back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum TakenBack {
    Now,
    Claimed,
    NotWanted,
}
