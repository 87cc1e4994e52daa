//! Binding a semaphore to a limit, and unbinding it.

use super::deferred::Deferred;
use super::keys::OwnLimits;
use super::permits::Semaphore;
use super::queue::WaitsFor;
use super::slots::NO_KEY;
use super::waiter::Waiter;
use super::wake_list::WakeList;
use crate::adaptive::Adaptation;
use crate::events::Event;
use crate::policy::Policy;
use crate::share::Share;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;
use tokio::sync::broadcast::Sender;

/// The answer to a caller that asks to resolve the limit.
#[derive(Debug)]
pub(crate) enum Claim {
    /// The caller is to resolve it, and then to call [`Semaphore::bind`], or [`Semaphore::unclaim`] if
    /// it cannot.
    Ours,
    /// Another caller is resolving it. This one waits for that. If it had no waker to wait with, it
    /// resolves the limit as well.
    Theirs(Option<Waiter>),
    /// The limit is known by now.
    Bound,
}

/// The limit, the policy and the owner of a semaphore.
#[derive(Debug)]
pub(crate) struct NewBinding<'a> {
    pub(crate) policy: &'a Policy,
    /// The shares that have guarantees, if there are any.
    pub(crate) shares: &'static [Share],
    /// The time in which the limit rises from one permit, if it does.
    pub(crate) ramp: Option<Duration>,
    /// With keys, the limit of each. The policy has the total over all.
    pub(crate) limit: u32,
    /// The limits that single keys have in its place.
    pub(crate) own_limits: Option<Arc<OwnLimits>>,
    /// The range of a limit that adapts, and the limit at which it is held, if it is.
    pub(crate) adapting: Option<(Adaptation, Option<u32>)>,
    pub(crate) claim_within: Duration,
    pub(crate) closed: bool,
    pub(crate) subscribers: Option<Sender<Event>>,
    /// The index of the limiter.
    pub(crate) owner: u32,
}

#[cfg(test)]
impl<'a> NewBinding<'a> {
    /// Makes a binding of which nothing else matters.
    pub(crate) fn of(policy: &'a Policy, limit: u32) -> Self {
        let (claim_within, closed, subscribers, owner) = (Duration::MAX, false, None, 0);
        let shares = &[];
        let (ramp, own_limits, adapting) = (None, None, None);
        Self {
            policy,
            shares,
            ramp,
            limit,
            own_limits,
            adapting,
            claim_within,
            closed,
            subscribers,
            owner,
        }
    }
}

impl Semaphore {
    /// Asks to resolve the limit. A waiter in the answer takes no part in any figures. It is told to
    /// retry when the limit is known, or when the caller that was to resolve it has failed.
    pub(crate) fn claim(&'static self, weight: u32, waker: Option<&Waker>) -> Claim {
        let mut cloned = None;
        loop {
            // Locked after `cloned` was declared: a clone that is not needed is dropped after unlocking.
            let mut state = self.lock();
            if state.is_bound() {
                return Claim::Bound;
            }
            if state.claim() {
                return Claim::Ours;
            }
            match (waker, cloned.take()) {
                (None, _) => return Claim::Theirs(None),
                (Some(waker), None) => {
                    // A waker is foreign code: it is cloned under no lock.
                    drop(state);
                    cloned = Some(waker.clone());
                }
                (Some(_), Some(waker)) => {
                    let joined = state.wait_for_limit(weight, waker);
                    let waiter = Waiter::new(self, joined, weight, WaitsFor::Limit);
                    return Claim::Theirs(Some(waiter));
                }
            }
        }
    }

    /// Takes back [`Claim::Ours`]: the next caller is to bind. Does nothing if another has bound the
    /// semaphore meanwhile.
    pub(crate) fn unclaim(&self) {
        let mut wakers = WakeList::default();
        self.lock().unclaim(&mut wakers);
        wakers.wake();
    }

    /// Binds the semaphore to a limit. The policy holds from then on.
    ///
    /// The caller then wakes the result, and calls [`serve_all`](Self::serve_all), both under no lock.
    /// The result is `None` if another caller has been quicker.
    pub(crate) fn bind(&self, to: NewBinding<'_>) -> Option<WakeList> {
        let mut is_bound = false;
        let wakers = self.change(|state, wakers| {
            is_bound = state.is_bound();
            if is_bound {
                return;
            }
            let NewBinding { policy, shares, ramp, limit, adapting, .. } = to;
            let NewBinding { own_limits, claim_within, closed, subscribers, owner, .. } = to;
            state.bind(&self.word, &self.lease, (policy, shares, ramp), limit, owner, wakers);
            state.set_policy(&self.word, policy, wakers);
            state.replace_own_limits(own_limits);
            // There are no grants yet.
            state.set_claim_within(claim_within, true);
            state.set_adapting(&self.word, adapting, wakers);
            if let Some(subscribers) = subscribers {
                state.subscribe(&self.word, subscribers);
            }
            if closed {
                state.close(&self.word, wakers);
            }
            state.tell(NO_KEY, wakers);
        });
        (!is_bound).then_some(wakers)
    }

    /// Returns whether no permit is out, no call waits, and no caller is resolving the limit.
    pub(crate) fn is_idle(&self) -> bool {
        self.lock().is_idle(&self.word)
    }

    /// Unbinds the semaphore if it is idle. Returns whether it did.
    ///
    /// Before that the caller changes what `still_ours` looks at, or knows that no caller is left. The
    /// figures are added to those of the past, or dropped with `forget`. The caller drops what is added
    /// to `deferred` under no lock: users' keys may be in it.
    pub(crate) fn unbind(&self, forget: bool, deferred: &mut Vec<Deferred>) -> bool {
        let mut state = self.lock();
        self.change_word();
        if !state.unbind(&self.word) {
            return false;
        }
        self.update_hint(&mut state);
        let acquired = self.acquired(&mut state);
        state.archive_counters(acquired, &self.refused.take(), forget);
        deferred.extend(state.modes.take().map(|modes| modes.into_deferred()));
        self.end_leasing(&mut state, deferred);
        true
    }
}
