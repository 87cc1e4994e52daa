//! The parts of a limiter that the module `diagnostics` needs.

use super::Engine;
use crate::events::{Event, EventKind};
use crate::metrics::Usage;
use crate::policy::OnDeadlock;
use std::time::Duration;

impl Engine {
    /// Counts a call's hold time.
    pub(crate) fn record_hold(&self, held: Duration) {
        self.history.record_hold(held);
    }

    /// Returns the fate of a call that waits in a deadlock.
    pub(crate) fn on_deadlock(&self) -> OnDeadlock {
        self.definition.on_deadlock
    }

    /// Tells the subscribers that the limiter is part of a deadlock. Subscribers' wakers run in this call, and
    /// the first panic of one goes on: the caller holds no lock.
    pub(crate) fn notify_deadlock(&self) {
        // Declared before the guard, so that it is dropped after unlocking.
        let mut deferred = Vec::new();
        let Some(state) = self.state_in_use() else { return };
        let Some(subscribers) = state.subscribers.clone() else { return };
        let limit = self.known_limit(&state).unwrap_or(0) as usize;
        let mut usage = Usage { limit, ..Usage::default() };
        for (_, reading) in self.readings(&mut deferred) {
            usage.add(reading.usage);
        }
        drop(state);
        let Usage { limit, in_use, waiting, .. } = usage;
        // It fails if all receivers have gone.
        let _ = subscribers.send(Event { kind: EventKind::Deadlock, limit, in_use, waiting });
    }
}
