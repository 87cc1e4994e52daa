//! The parts of a limiter that the module `diagnostics` needs.

use super::binding::NOT_RECORDING;
use super::{Engine, catalog};
use crate::events::{Event, EventKind};
use crate::metrics::Usage;
use crate::policy::OnDeadlock;
use std::time::Duration;

/// Forgets the warnings that calls are not recorded.
pub(crate) fn note_recording() {
    for engine in catalog::all() {
        engine.state().forget_warnings(|warning| warning.text == NOT_RECORDING);
    }
}

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

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use crate::{EventKind, Limiter, OnDeadlock};
    use tokio::sync::broadcast::error::TryRecvError;

    #[test]
    fn subscribers_are_told_of_a_deadlock_with_the_figures_of_all_runtimes() {
        let limiter = Limiter::new("records-deadlock", 3);
        limiter.engine().notify_deadlock(); // Nobody listens.
        let mut events = limiter.subscribe();
        let runtimes = [(); 2]
            .map(|()| tokio::runtime::Builder::new_current_thread().build().expect("a runtime"));
        let held = runtimes.each_ref().map(|runtime| {
            runtime.block_on(async { limiter.try_acquire_many(2).expect("three are free") })
        });
        while events.try_recv().is_ok() {}
        limiter.engine().notify_deadlock();
        let event = events.try_recv().expect("it is told");
        assert_eq!((event.kind, event.limit), (EventKind::Deadlock, 3));
        assert_eq!((event.in_use, event.waiting), (4, 0));
        assert_eq!(events.try_recv().expect_err("it is one event"), TryRecvError::Empty);
        drop((held, runtimes));
    }

    #[test]
    fn a_limiter_that_cannot_refuse_calls_leaves_them_in_a_deadlock() {
        let refuses =
            || Limiter::new("records-gives-way", 1).max_waiting(9).on_deadlock(OnDeadlock::Refuse);
        assert_eq!(refuses().engine().on_deadlock(), OnDeadlock::Refuse);
        assert_eq!(refuses().keyed().engine().on_deadlock(), OnDeadlock::Refuse);
        assert_eq!(refuses().shadow().engine().on_deadlock(), OnDeadlock::Warn);
        assert_eq!(Limiter::new("records-plain", 1).engine().on_deadlock(), OnDeadlock::Warn);
    }
}
