//! The modes of a semaphore. While any of them is on, SLOW is set and every call takes the lock.

use super::deferred::{Deferred, Garbage};
use super::drainers::Drainers;
use super::growers::Growers;
use super::keys::Keys;
use super::ramp::Ramp;
use super::rate::Rate;
use super::shadow::ShadowQueue;
use super::shares::Shares;
use super::subscribers::Subscribers;
use super::tickers::Tickers;
use super::wake_list::WakeList;
use crate::policy::{Force, Policy};
use crate::share::Share;
use std::mem;
use std::time::Duration;

/// The modes that are on, each in its own module. A semaphore without any has no `Modes` at all.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a mode, and they go with each other")]
pub(super) struct Modes {
    /// Calls are refused.
    pub(super) closed: bool,
    /// Calls are admitted whatever the limit, and counted.
    pub(super) disabled: bool,
    /// The limit is a shadow: no call waits and none is refused. The calls that would wait are here,
    /// or with keys, in each key's own queue.
    pub(super) shadow: Option<ShadowQueue>,
    /// The limit holds for each key.
    pub(super) keys: Option<Keys>,
    /// Parts of the permits are guaranteed to shares of the calls. There are no keys then, and no rate.
    pub(super) shares: Option<Box<Shares>>,
    /// Keys are on and nothing else is, nor are the permits leased. Calls with a permit free then take a shorter
    /// way. See [`State::note_only_keys`](super::state::State::note_only_keys).
    pub(super) only_keys: bool,
    /// A permit does not come back before its window is over.
    pub(super) rate: Option<Rate>,
    /// The limit rises from one permit while what stands behind it warms up. There is no rate then.
    pub(super) ramp: Option<Box<Ramp>>,
    /// Who watches the clock for calls that wait, if permits come with time: by a rate or a ramp.
    pub(super) tickers: Tickers,
    /// Each call comes to the lock, because a limit that adapts learns from all of them.
    pub(super) sampling: bool,
    /// Holders that wait for more permits.
    pub(super) growers: Growers,
    pub(super) subscribers: Subscribers,
    pub(super) drainers: Drainers,
    /// Keys that were forgotten and what belonged to them, to be dropped after unlocking.
    pub(super) garbage: Garbage,
}

impl Modes {
    /// Turns on the modes of a policy, for a semaphore that is bound to a limit.
    pub(super) fn begin(
        &mut self,
        policy: &Policy,
        shares: &'static [Share],
        ramp: Option<Duration>,
    ) {
        self.keys = policy.keyed.then(Keys::new);
        self.shares = (!shares.is_empty()).then(|| Box::new(Shares::new(shares)));
        self.rate = policy.per.map(Rate::new);
        self.ramp = ramp.map(|takes| Box::new(Ramp::new(takes)));
        self.set_policy(policy);
    }

    /// Turns the modes on and off that can change while the semaphore is bound.
    pub(super) fn set_policy(&mut self, policy: &Policy) {
        self.disabled = policy.force == Force::Off;
        if let Some(keys) = &mut self.keys {
            keys.max_waiting = policy.max_waiting_total;
        }
        if policy.force == Force::Shadow {
            // A shadow that goes on keeps the calls that would wait.
            self.shadow.get_or_insert_default();
        } else {
            self.shadow = None;
        }
    }

    /// Returns whether no mode is on. Unsent events do not count, because nobody is left to receive
    /// them. Garbage does not, because it comes with [`keys`](Self::keys) only.
    pub(super) fn are_off(&self) -> bool {
        self.keys.is_none() && self.are_others_off()
    }

    /// Returns whether no mode is on but keys.
    pub(super) fn are_others_off(&self) -> bool {
        !self.closed
            && !self.disabled
            && !self.sampling
            && self.shadow.is_none()
            && self.shares.is_none()
            && self.rate.is_none()
            && self.ramp.is_none()
            && self.subscribers.sender.is_none()
            && self.growers.is_empty()
            && self.drainers.is_empty()
    }

    /// Returns whether a call that is admitted without waiting needs a slot, for its key, its share or its start.
    pub(super) fn need_slots(&self) -> bool {
        self.keys.is_some() || self.shares.is_some() || self.rate.is_some()
    }

    /// Returns whether there is work to be done after unlocking.
    #[inline]
    pub(super) fn has_deferred(&self) -> bool {
        !self.garbage.is_empty() || !self.subscribers.unsent.is_empty()
    }

    /// Takes out the work that is to be done after unlocking, if there is any.
    #[cold]
    pub(super) fn take_deferred(&mut self) -> Option<Box<Deferred>> {
        let (events, garbage) = (&mut self.subscribers.unsent, &mut self.garbage);
        if events.is_empty() && garbage.is_empty() {
            return None;
        }
        // A clone of the channel is an atomic operation: only for events that there are.
        let sender = if events.is_empty() { None } else { self.subscribers.sender.clone() };
        let (events, garbage) = (mem::take(events), mem::take(garbage));
        Some(Box::new(Deferred { events, sender, wakers: WakeList::default(), garbage }))
    }

    /// Gives up the subscribers and the drainers. The drainers are woken, and all that is deferred is
    /// done, when the result is dropped.
    pub(super) fn release_listeners(&mut self) -> Deferred {
        let mut wakers = WakeList::default();
        self.drainers.wake_all(&mut wakers);
        let Subscribers { sender, unsent: events } = mem::take(&mut self.subscribers);
        Deferred { events, sender, wakers, garbage: mem::take(&mut self.garbage) }
    }

    /// Gives everything up, when the semaphore is no longer bound.
    pub(super) fn into_deferred(mut self) -> Deferred {
        let mut deferred = self.release_listeners();
        if let Some(keys) = self.keys.take() {
            deferred.garbage.push(Box::new(keys));
        }
        self.tickers.end_all(&mut deferred.wakers);
        deferred
    }
}
