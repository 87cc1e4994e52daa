//! What only some semaphores have. While there is any of it, SLOW is set and every call comes by the
//! lock.

use super::keys::Keys;
use super::rate::Rate;
use crate::events::Event;
use crate::policy::Policy;
use std::any::Any;
use std::task::Waker;
use tokio::sync::broadcast::Sender;

#[derive(Debug, Default)]
pub(super) struct Special {
    /// Calls that can be refused are.
    pub(super) closed: bool,
    /// Nobody waits and nobody is refused; what would have happened is counted.
    pub(super) shadow: bool,
    pub(super) keys: Option<Keys>,
    pub(super) rate: Option<Rate>,
    /// Where to tell what happens.
    pub(super) listeners: Option<Sender<Event>>,
    /// To be told when no lock is held.
    untold: Vec<Event>,
    /// Who wait until no permit is out and nobody waits.
    pub(super) drainers: Vec<Waker>,
    /// Keys that were forgotten, to be dropped when no lock is held.
    pub(super) forgotten: Vec<Box<dyn Any + Send>>,
}

impl Special {
    pub(super) fn new(policy: &Policy) -> Self {
        Self {
            shadow: policy.shadow,
            keys: policy.keyed.then(Keys::new),
            rate: policy.per.map(Rate::new),
            ..Self::default()
        }
    }

    /// Whether there is nothing special any more.
    pub(super) fn is_nothing(&self) -> bool {
        !self.closed
            && !self.shadow
            && self.keys.is_none()
            && self.rate.is_none()
            && self.listeners.is_none()
            && self.drainers.is_empty()
            && self.untold.is_empty()
            && self.forgotten.is_empty()
    }

    /// Whether a call that is let in at once has a slot.
    pub(super) fn has_slots(&self) -> bool {
        self.keys.is_some() || self.rate.is_some()
    }

    /// Whether somebody listens. If all who did have gone, there is an end to it.
    pub(super) fn is_listened_to(&mut self) -> bool {
        if self.listeners.as_ref().is_some_and(|listeners| listeners.receiver_count() == 0) {
            self.listeners = None;
        }
        self.listeners.is_some()
    }

    pub(super) fn note(&mut self, event: Event) {
        self.untold.push(event);
    }

    /// Takes out what is to be done when no lock is held.
    pub(super) fn aside(&mut self) -> Option<Aside> {
        if self.untold.is_empty() && self.forgotten.is_empty() {
            return None;
        }
        let untold = std::mem::take(&mut self.untold);
        let listeners = if untold.is_empty() { None } else { self.listeners.clone() };
        Some(Aside { untold, listeners, forgotten: std::mem::take(&mut self.forgotten) })
    }
}

/// What is to be done when no lock is held.
#[derive(Debug)]
pub(super) struct Aside {
    untold: Vec<Event>,
    listeners: Option<Sender<Event>>,
    forgotten: Vec<Box<dyn Any + Send>>,
}

impl Aside {
    pub(super) fn run(self) {
        if let Some(listeners) = self.listeners {
            // An error is that nobody listens any more.
            self.untold.into_iter().for_each(|event| drop(listeners.send(event)));
        }
        drop(self.forgotten);
    }
}
