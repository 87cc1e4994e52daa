//! Readings for the detector of deadlocks, and the refusal of a waiter in one.

use super::super::queue_reading::{KeyQueue, QueueReading};
use super::super::slots::NO_KEY;
use super::super::status::WAITING;
use super::super::wake_list::WakeList;
use super::State;
use crate::rejected::RejectedKind;
use crate::sync::AtomicU64;
use std::collections::BTreeSet;

impl State {
    /// Returns who waits in which order, and the keys of the calls with some slots. Returns `None` if it does not
    /// depend on the calls alone when waiters are served.
    pub(in super::super) fn read_queues(&mut self, holders: &[u32]) -> Option<QueueReading> {
        // A fleet may lease more permits to this process. Of shares the detector knows nothing.
        if !self.is_bound() || self.is_leased() || self.shares().is_some() {
            return None;
        }
        let is_keyed = self.keys().is_some();
        let mut queues = Vec::new();
        let growing = self.those_growing();
        let mut keys: BTreeSet<_> = self.keys_with_waiters().into_iter().collect();
        keys.extend(growing.iter().map(|&(.., key)| key));
        for key in keys {
            // Holders that want more permits are before all others. Those of other keys keep no holder waiting.
            let (of_key, others): (Vec<_>, Vec<_>) =
                growing.iter().copied().partition(|&(.., of)| of == key);
            let mut waiters: Vec<_> =
                of_key.into_iter().map(|(slot, weight, _)| (slot, weight, false)).collect();
            let keeps_all =
                others.into_iter().filter(|&(_, wants, of)| self.has_room_of_key(wants, of));
            waiters.extend(keeps_all.map(|(slot, wants, _)| (slot, wants, true)));
            let calls = self.waiters(key).into_iter();
            waiters.extend(calls.map(|(slot, weight)| (slot, weight, false)));
            // Those that are not let in yet come with time.
            let limit = self.keys().map_or_else(|| self.whole_limit(), |keys| keys.limit_of(key));
            let name = self.keys().and_then(|keys| keys.text(key));
            queues.push(KeyQueue { key, name, limit, waiters });
        }
        let key_of = |&slot: &u32| {
            if self.queue.has_slot(slot) { self.queue.key(slot) } else { NO_KEY }
        };
        let holders = holders.iter().map(key_of).collect();
        Some(QueueReading { total: is_keyed.then_some(self.whole_limit()), queues, holders })
    }

    /// Refuses the waiter in a slot, if it is still the call that the caller means: `still` says so. It may look
    /// at nothing but the record of that call. Returns whether it did.
    pub(in super::super) fn refuse_waiter(
        &mut self,
        word: &AtomicU64,
        slot: u32,
        still: impl FnOnce() -> bool,
        wakers: &mut WakeList,
    ) -> bool {
        // A free slot has this status too. If the call is still there, the slot is not free.
        if !self.queue.has_slot(slot) || self.queue.status(slot) != WAITING || !still() {
            return false;
        }
        self.bank_available(word);
        let key = self.queue.key(slot);
        self.dismiss(word, key, slot, Some(RejectedKind::Deadlock), wakers);
        self.forget_if_idle(key);
        true
    }
}
