//! Calls that are refused at once, because they would wait for longer than they may.

use super::super::modes::Modes;
use super::super::pace::{Mark, ToJoin};
use super::super::slots::NO_KEY;
use super::arrival::Patience;
use super::{Arrival, Rare, State};
use crate::policy::Request;

impl State {
    /// Returns whether a call that is to join the wait list would wait for longer than it may, at the pace of the
    /// queue. Notes how far the queue has moved.
    #[cold]
    pub(super) fn would_time_out(&mut self, key: u32, request: Request, arrival: &Arrival) -> bool {
        let Some(Patience { now, most }) = arrival.patience else { return false };
        let is_paused = self.limit == 0
            || self.limit_of_key(key) == 0
            || self.growers().is_some()
            // The pace gets quicker with each permit that is let in.
            || self.withholds();
        // A call that is away may come back late, or never.
        let has_away = !self.away.is_empty();
        let out = (self.limit - self.bank).saturating_add(self.debt);
        let Self { list, queue, modes, rare, .. } = self;
        let ToJoin { list, waiting, out, served, pace } = match modes.as_deref_mut() {
            Some(Modes { keys: Some(keys), .. }) if key != NO_KEY => {
                keys.state_mut(key).queue_to_join()
            }
            Some(Modes { shares: Some(shares), .. }) if key != NO_KEY => shares.queue_to_join(key),
            _ => ToJoin {
                list,
                waiting: queue.len(),
                out,
                served: queue.served(),
                pace: rare.get_or_insert_default().pace.get_or_insert_default(),
            },
        };
        let mark = Mark { at: now, served };
        if list.is_empty() {
            pace.begin(mark);
            return false;
        }
        if is_paused {
            pace.forget();
            return false;
        }
        let ahead = list.ahead_of(waiting, request.priority, arrival.rank());
        let time = pace.time_for(ahead.saturating_add(1), out, mark);
        !has_away && time.is_some_and(|time| time > most)
    }

    /// Forgets the pace of the queue without a key.
    pub(super) fn forget_own_pace(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.pace = None;
            self.drop_rare_if_unused();
        }
    }

    /// Gives the memory of what is rare back, if there is nothing.
    pub(super) fn drop_rare_if_unused(&mut self) {
        let is_unused = |rare: &Rare| rare.refusals.is_empty() && rare.pace.is_none();
        if self.rare.as_deref().is_some_and(is_unused) {
            self.rare = None;
        }
    }

    /// Forgets the pace of all queues, because the limit was 0 and nothing could move.
    pub(super) fn forget_pace(&mut self) {
        self.forget_own_pace();
        for key in self.keys_with_waiters() {
            match self.modes.as_deref_mut() {
                Some(Modes { keys: Some(keys), .. }) => {
                    keys.state_mut(key).forget_pace();
                }
                Some(Modes { shares: Some(shares), .. }) => shares.queue_to_join(key).pace.forget(),
                _ => {}
            }
        }
    }
}
