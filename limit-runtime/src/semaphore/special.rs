//! What only some semaphores have. While there is any of it, SLOW is set and every call comes by the
//! lock.

use super::keys::Keys;
use super::moment::Moment;
use super::rate::Rate;
use super::shadow::Shadows;
use super::slots::NO_KEY;
use super::wakers::Wakers;
use crate::events::Event;
use crate::policy::{Force, Policy};
use crate::unwind::serve_each;
use std::any::Any;
use std::task::Waker;
use tokio::sync::broadcast::Sender;

#[derive(Debug, Default)]
pub(super) struct Special {
    /// Calls that can be refused are.
    pub(super) closed: bool,
    /// Calls are let in, and only counted.
    pub(super) disabled: bool,
    /// Nobody waits and nobody is refused; what would have happened is counted.
    pub(super) shadow: bool,
    pub(super) keys: Option<Keys>,
    pub(super) rate: Option<Rate>,
    /// Who would wait. With keys, each has its own.
    pub(super) shadows: Shadows,
    /// Where to tell what happens.
    pub(super) listeners: Option<Sender<Event>>,
    /// To be told when no lock is held.
    untold: Vec<Event>,
    /// Who wait until no permit is out and nobody waits.
    pub(super) drainers: Vec<(u64, Waker)>,
    /// Keys that were forgotten, to be dropped when no lock is held.
    pub(super) forgotten: Vec<Box<dyn Any + Send>>,
}

impl Special {
    /// A limiter's policy holds from now on.
    pub(super) fn begin(&mut self, policy: &Policy) {
        self.shadow = policy.force == Force::Shadow;
        self.keys = policy.keyed.then(Keys::new);
        self.rate = policy.per.map(Rate::new);
    }

    /// Whether there is nothing special any more. Events that nobody is left to hear of are nothing, and
    /// there are no keys to be dropped but with [`keys`](Self::keys).
    pub(super) fn is_nothing(&self) -> bool {
        !self.closed
            && !self.disabled
            && !self.shadow
            && self.keys.is_none()
            && self.rate.is_none()
            && self.listeners.is_none()
            && self.drainers.is_empty()
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

    /// A holder is done: whether its permits cool.
    pub(super) fn cool(&mut self, slot: u32, weight: u32, key: u32) -> bool {
        let Some(rate) = &mut self.rate else { return false };
        let Some(over) = rate.end(slot, weight, key, Moment::now()) else { return false };
        if let Some(keys) = self.keys.as_mut().filter(|_| key != NO_KEY) {
            keys.entry(key).cool(over, weight);
        }
        true
    }

    /// Permits may cool earlier than whoever watches the clock knows.
    pub(super) fn tell_the_time(&mut self, wakers: &mut Wakers) {
        if let Some(rate) = &mut self.rate {
            rate.tell_the_time(wakers);
        }
    }

    /// Takes out what is to be done when no lock is held.
    #[cold]
    pub(super) fn aside(&mut self) -> Option<Box<Aside>> {
        if self.untold.is_empty() && self.forgotten.is_empty() {
            return None;
        }
        let untold = std::mem::take(&mut self.untold);
        let listeners = if untold.is_empty() { None } else { self.listeners.clone() };
        let forgotten = std::mem::take(&mut self.forgotten);
        Some(Box::new(Aside { untold, listeners, wakers: Wakers::default(), forgotten }))
    }

    /// Takes out who listens and who waits until it is drained, with what is to be done when no lock is
    /// held.
    pub(super) fn let_go(&mut self) -> Aside {
        let mut wakers = Wakers::default();
        self.drainers.drain(..).for_each(|(_, drainer)| wakers.push(Some(drainer)));
        Aside {
            untold: std::mem::take(&mut self.untold),
            listeners: self.listeners.take(),
            wakers,
            forgotten: std::mem::take(&mut self.forgotten),
        }
    }

    /// What is left when the limit has been given up.
    pub(super) fn into_aside(mut self) -> Aside {
        let keys = self.keys.take().map(|keys| Box::new(keys) as Box<dyn Any + Send>);
        self.forgotten.extend(keys);
        let mut aside = self.let_go();
        if let Some(rate) = &mut self.rate {
            rate.end_tickers(&mut aside.wakers);
        }
        aside
    }
}

/// What is to be done when no lock is held: it is done by dropping it, so that a waker that panics
/// does not keep it from being done. Each part of it is, also if another panics.
#[derive(Debug)]
pub(crate) struct Aside {
    untold: Vec<Event>,
    listeners: Option<Sender<Event>>,
    wakers: Wakers,
    forgotten: Vec<Box<dyn Any + Send>>,
}

impl Aside {
    pub(super) fn of_keys(forgotten: Vec<Box<dyn Any + Send>>) -> Self {
        Self { untold: Vec::new(), listeners: None, wakers: Wakers::default(), forgotten }
    }
}

/// One thing of it, each of which is foreign code.
enum One {
    Tell(Event),
    Wake(Wakers),
    Forget(Box<dyn Any + Send>),
}

impl Drop for Aside {
    fn drop(&mut self) {
        let listeners = self.listeners.take();
        let events = self.untold.drain(..).map(One::Tell);
        let wakers = [One::Wake(std::mem::take(&mut self.wakers))];
        let keys = self.forgotten.drain(..).map(One::Forget);
        serve_each(events.chain(wakers).chain(keys), |one| match (one, &listeners) {
            // An error is that nobody listens any more.
            (One::Tell(event), Some(listeners)) => drop(listeners.send(event)),
            (One::Tell(_), None) => {}
            (One::Wake(wakers), _) => wakers.wake(),
            (One::Forget(key), _) => drop(key),
        });
    }
}
