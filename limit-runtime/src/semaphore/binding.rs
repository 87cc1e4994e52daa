//! Binding a semaphore to a limit, and unbinding it.

use super::deferred::Deferred;
use super::permits::Semaphore;
use super::queue::WaitsFor;
use super::slots::NO_KEY;
use super::waiter::Waiter;
use super::wake_list::WakeList;
use crate::events::Event;
use crate::policy::Policy;
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

    /// Binds the semaphore to a limit, or with keys to the limit of each key and a total over all. The
    /// policy holds from then on. `owner` is the index of the limiter.
    ///
    /// The caller then wakes the result, and calls [`serve_all`](Self::serve_all), both under no lock.
    /// The result is `None` if another caller has been quicker.
    pub(crate) fn bind(
        &self,
        policy: &Policy,
        limit: u32,
        claim_within: Duration,
        closed: bool,
        subscribers: Option<Sender<Event>>,
        owner: u32,
    ) -> Option<WakeList> {
        let mut is_bound = false;
        let wakers = self.change(|state, wakers| {
            is_bound = state.is_bound();
            if is_bound {
                return;
            }
            state.bind(&self.word, &self.lease, policy, limit, owner, wakers);
            state.set_policy(&self.word, policy, wakers);
            // There are no grants yet.
            state.set_claim_within(claim_within, true);
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
