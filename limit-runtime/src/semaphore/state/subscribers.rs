//! A semaphore with subscribers.

use super::State;
use crate::events::{Event, EventKind};
use crate::sync::AtomicU64;
use tokio::sync::broadcast::Sender;

impl State {
    /// Sends every event to the subscribers from now on.
    pub(in super::super) fn subscribe(&mut self, word: &AtomicU64, subscribers: Sender<Event>) {
        self.set_slow(word);
        self.modes_mut().subscribers.sender = Some(subscribers);
    }

    /// Keeps an event for the subscribers, if there are any, until the lock is released.
    #[inline]
    pub(in super::super) fn notify(&mut self, word: &AtomicU64, kind: EventKind) {
        if self.modes.as_deref().is_some_and(|modes| modes.subscribers.sender.is_some()) {
            self.keep_event(word, kind);
        }
    }

    #[inline(never)]
    fn keep_event(&mut self, word: &AtomicU64, kind: EventKind) {
        if self.modes.as_deref_mut().is_none_or(|modes| !modes.subscribers.has_receivers()) {
            return;
        }
        let event = Event {
            kind,
            limit: self.limit_of_call() as usize,
            in_use: self.in_use(word) as usize,
            waiting: self.queue.len(),
        };
        self.modes_mut().subscribers.unsent.push(event);
    }
}
