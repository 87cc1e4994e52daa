//! A semaphore whose limit is a shadow.

use super::super::moment::Moment;
use super::super::slots::{NO_KEY, NO_SLOT};
use super::{Arrival, Decision, State};
use crate::events::EventKind;
use crate::policy::Request;
use crate::rejected::RejectedKind;
use crate::sync::AtomicU64;

impl State {
    pub(super) fn is_shadow(&self) -> bool {
        self.modes.as_deref().is_some_and(|modes| modes.shadow.is_some())
    }

    /// Lets a call in that has no room under the limit, and counts that it would have waited or would
    /// have been refused.
    pub(super) fn enter_shadow(
        &mut self,
        word: &AtomicU64,
        request: Request,
        key: u32,
        now: Option<Moment>,
        arrival: &Arrival,
    ) -> Decision {
        let weight = request.permits();
        let (max_waiting, debt) = (self.max_waiting as usize, self.debt);
        let over = weight.saturating_sub(self.bank);
        let Some(modes) = self.modes.as_deref_mut() else {
            return self.admit(word, weight, key, now);
        };
        let (queue, excess) = match (modes.keys.as_mut(), modes.shadow.as_mut()) {
            (Some(keys), _) if key != NO_KEY => {
                let limit = keys.limit_of(key);
                let state = keys.state_mut(key);
                let excess = state.in_use.saturating_sub(limit).max(debt);
                (state.shadow_queue(), excess)
            }
            (_, Some(queue)) => (queue, debt),
            (_, None) => return self.admit(word, weight, key, now),
        };
        queue.settle(excess);
        // A call that would overflow the debt takes no permits. (The permits of one key are a part of the
        // limit over all of them and of the debt, which are 31 bits each.)
        if debt.checked_add(over).is_none_or(|debt| debt > u32::MAX / 2) {
            return self.turn_away(word, RejectedKind::QueueFull, key, weight);
        }
        if queue.len() >= max_waiting || !arrival.may_wait() {
            return self.turn_away(word, arrival.refusal_kind(), key, weight);
        }
        queue.join(weight);
        self.counters.shadowed.waited += 1;
        self.admit(word, weight, key, now)
    }

    /// Lets a call in without permits that would have been refused, and counts that.
    pub(super) fn pass_shadow(&mut self, word: &AtomicU64, kind: RejectedKind) -> Decision {
        self.counters.shadowed.rejected.count(kind);
        self.counters.admitted_at_once += 1;
        self.notify(word, EventKind::Admitted);
        Decision::Admitted { weight: 0, slot: NO_SLOT }
    }

    /// Removes the calls that would have been admitted by now, when permits have come back.
    pub(super) fn settle_shadow(&mut self) {
        let debt = self.debt;
        if let Some(queue) = self.modes.as_deref_mut().and_then(|modes| modes.shadow.as_mut()) {
            queue.settle(debt);
        }
    }
}
