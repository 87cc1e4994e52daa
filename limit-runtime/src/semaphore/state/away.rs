//! Grants that are taken back, because their waiters are not polled.
//!
//! A waiter whose grant was taken back is *away*: it is in a list of its own, counts as one that waits, and is not
//! served. Once it is polled it stands at the head of its wait list again.

use super::super::queue::Queue;
use super::super::slots::NO_KEY;
use super::super::status::{AWAY, GRANTED};
use super::super::wait_list::WaitList;
use super::State;
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
        self.watch_if_unclaimed();
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

    /// Asks for a watch if a call waits behind a grant that nobody has claimed, and nobody watches yet.
    ///
    /// It is called whenever that may have begun: when a call joins, and when permits were handed out and calls
    /// wait on. So while nobody watches, all grants were seen claimed at the last of these calls but for those
    /// made since: nearly always it is one, the last.
    #[cold]
    pub(super) fn watch_if_unclaimed(&mut self) {
        if self.watch != Watch::Off || self.claim_within == Duration::MAX {
            return;
        }
        let new = self.queue.served().wrapping_sub(self.queue.seen_claimed);
        let is_unclaimed = match new {
            0 => false,
            1 => self.queue.status(self.queue.last_served()) == GRANTED,
            _ => self.queue.unclaimed().next().is_some(),
        };
        if is_unclaimed {
            self.watch = Watch::Asked;
        } else {
            self.queue.seen_claimed = self.queue.served();
        }
    }

    /// Has the next [`watch_if_unclaimed`](Self::watch_if_unclaimed) look at all slots.
    pub(in super::super) fn look_at_all_next(&mut self) {
        self.queue.seen_claimed = self.queue.served().wrapping_sub(2);
    }

    /// Ends the watch if no call waits behind an unclaimed grant. Returns whether it did.
    pub(in super::super) fn end_watch_if_claimed(&mut self) -> bool {
        let has_unclaimed = self.queue.unclaimed().next().is_some();
        let is_over = !has_unclaimed || !self.has_waiters() || self.claim_within == Duration::MAX;
        if is_over {
            self.watch = Watch::Off;
            self.queue.seen_claimed = self.queue.served();
            if has_unclaimed {
                self.look_at_all_next();
            }
        }
        is_over
    }
}

/// Whether the watcher looks at a semaphore's grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Watch {
    Off,
    /// Somebody is to be told after unlocking.
    Asked,
    On,
}
