//! Grants that are taken back, because their waiters are not polled.
//!
//! A waiter whose grant was taken back is *away*: it is in a list of its own, counts as one that waits, and is not
//! served. Once it is polled it stands at the head of its wait list again.

use super::super::queue::Queue;
use super::super::slots::NO_KEY;
use super::super::status::{AWAY, GRANTED};
use super::super::wait_list::WaitList;
use super::{Look, State};
use crate::events::EventKind;
use crate::sync::AtomicU64;
use std::task::Waker;
use std::time::Duration;

impl State {
    /// Takes the grant of a slot back, if it has not been claimed and another call may want the permits. Returns
    /// whether it did. The caller serves before it unlocks.
    pub(in super::super) fn take_back(&mut self, word: &AtomicU64, slot: u32, grant: u64) -> bool {
        // Read before the exchange: until then the slot may be another waiter's, and the key gone.
        if self.queue.value(slot) != grant || !self.is_wanted(self.queue.key(slot)) {
            return false;
        }
        let key = self.queue.key(slot);
        let Some(weight) = self.queue.take_back(&mut self.away, slot, grant) else { return false };
        // First, so that the key is not forgotten while its waiter is away.
        self.count_waiting(key, 1);
        self.give_back_of_key(key, weight);
        self.give_back(word, weight);
        self.counters.taken_back += 1;
        self.notify(word, EventKind::TakenBack);
        true
    }

    /// Returns whether a call waits that permits of a key may help.
    fn is_wanted(&self, key: u32) -> bool {
        match self.keys() {
            Some(keys) if key != NO_KEY => keys.has_turns() || keys.waited_for().contains(&key),
            _ => !self.list.is_empty(),
        }
    }

    /// Returns whether a call waits that is not away.
    pub(in super::super) fn has_waiters(&self) -> bool {
        match self.keys() {
            Some(keys) => !keys.waited_for().is_empty(),
            None => !self.list.is_empty(),
        }
    }

    /// Puts a waiter that is away back at the head of its wait list. Does nothing if it is not away any more. The
    /// caller serves before it unlocks. Returns a waker that is not needed, to be dropped after unlocking.
    pub(in super::super) fn come_back(
        &mut self,
        word: &AtomicU64,
        slot: u32,
        waker: Waker,
    ) -> Option<Waker> {
        if self.queue.status(slot) != AWAY {
            return Some(waker);
        }
        self.set_slow(word);
        let key = self.queue.key(slot);
        let Self { list, queue, away, modes, .. } = self;
        let keys = modes.as_deref_mut().and_then(|modes| modes.keys.as_mut());
        let list = match keys.filter(|_| key != NO_KEY) {
            Some(keys) => &mut keys.state_mut(key).list,
            None => list,
        };
        queue.come_back(away, list, slot, waker);
        self.refresh_turn(key);
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
        self.list_and_queue(key)
    }

    /// Returns the waiters that are away: slot, weight and key.
    pub(super) fn those_away(&mut self) -> Vec<(u32, u32, u32)> {
        let away = self.queue.waiters(&self.away).into_iter();
        away.map(|(slot, _)| (slot, self.queue.weight(slot), self.queue.key(slot))).collect()
    }

    /// Asks for a look of the watcher if a call may wait behind a grant that nobody has claimed, of which the watcher
    /// does not know. Returns whether a look is asked for, and the semaphore is to ask after unlocking.
    ///
    /// It is called while calls wait, whenever permits were handed out or a call has joined. So at the last of these
    /// calls all grants were seen claimed or were known, but for those made since: nearly always it is one, the last.
    #[cold]
    pub(super) fn asks_for_look(&mut self) -> bool {
        if self.look != Look::Off || self.claim_within == Duration::MAX {
            return self.look == Look::Asked;
        }
        let is_unclaimed = match self.queue.new_grants() {
            0 => false,
            1 => self.queue.status(self.queue.last_served()) == GRANTED,
            _ => self.queue.unclaimed().next().is_some(),
        };
        if is_unclaimed {
            self.look = Look::Asked;
        } else {
            self.queue.note_all_grants();
        }
        is_unclaimed
    }

    /// Returns whether the semaphore is to ask for a look, now that it is unlocked.
    pub(in super::super) fn take_asked(&mut self) -> bool {
        let is_asked = self.look == Look::Asked;
        if is_asked {
            self.look = Look::Due;
        }
        is_asked
    }

    /// Notes that the watcher has looked, and knows all unclaimed grants or none of them.
    pub(in super::super) fn end_look(&mut self, knows_all: bool) {
        self.look = Look::Off;
        if knows_all {
            self.queue.note_all_grants();
        } else {
            // There may be some, although no call waits. The next that joins stands behind them.
            self.queue.look_at_all_next();
        }
    }
}
