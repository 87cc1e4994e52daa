//! Changes of a semaphore while it is in use.
//!
//! Most of these methods return a [`WakeList`]. The caller wakes it and then calls
//! [`Semaphore::serve_all`], both under no lock.

use super::deferred::Deferred;
use super::keys::OwnLimits;
use super::modes::Modes;
use super::permits::Semaphore;
use super::state::State;
use super::wake_list::WakeList;
use crate::adaptive::Adaptation;
use crate::events::{Event, EventKind};
use crate::policy::Policy;
use crate::unwind::{Quiet, run_all_then_resume_panic};
use std::any::TypeId;
use std::iter;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;
use tokio::sync::broadcast::Sender;

impl Semaphore {
    /// Changes the limit, if the semaphore is bound. If it is leased, the share stays, and the agent is told. Holders above a lowered limit run on.
    pub(crate) fn set_limit(&self, limit: u32) -> WakeList {
        self.change_bound(|state, wakers| {
            if state.tell_of_limit(limit, wakers) {
                return;
            }
            state.set_limit(&self.word, limit, wakers);
            state.notify(&self.word, EventKind::LimitChanged);
        })
    }

    /// Lets the limit adapt within a range, from the present limit on, or holds it at a number; with `None` it does not
    /// adapt any more. Does nothing if the semaphore is not bound. Calls that weigh too much for the range are refused.
    pub(crate) fn set_adapting(&self, adapting: Option<(Adaptation, Option<u32>)>) -> WakeList {
        self.change_bound(|state, wakers| state.set_adapting(&self.word, adapting, wakers))
    }

    /// Returns the limit, or with keys the total, if it adapts.
    pub(crate) fn adapted_limit(&self) -> Option<u32> {
        self.lock().adapted_limit()
    }

    /// Changes the limit over all keys, if the semaphore is bound and has keys.
    pub(crate) fn set_total(&self, total: u32) -> WakeList {
        self.change_bound(|state, wakers| {
            if state.tell_of_total(&self.word, &self.lease, total, wakers) {
                return;
            }
            if state.set_total(&self.word, total, wakers) {
                state.notify(&self.word, EventKind::LimitChanged);
            }
        })
    }

    /// Replaces the limits of single keys, if the semaphore is bound and has keys. It holds the lock for some thousands
    /// of keys at a time.
    pub(crate) fn set_own_limits(&self, own: Option<Arc<OwnLimits>>) -> WakeList {
        let mut wakers = self.change_bound(|state, _| state.replace_own_limits(own));
        let mut next = Some(0);
        while let Some(from) = next.take() {
            wakers.append(self.change_bound(|state, wakers| {
                next = state.find_own_limits(&self.word, from, wakers);
                if next.is_none() {
                    state.notify(&self.word, EventKind::LimitChanged);
                }
            }));
        }
        wakers
    }

    /// Returns the types of the keys that there have been, with their names.
    pub(crate) fn key_types(&self) -> Vec<(TypeId, &'static str)> {
        self.lock().keys().map_or_else(Vec::new, |keys| keys.types().to_vec())
    }

    /// Changes the parts of a policy that can change: how many calls may wait, whether the limit holds,
    /// and whether it is a shadow.
    pub(crate) fn set_policy(&self, policy: &Policy) -> WakeList {
        self.change_bound(|state, wakers| state.set_policy(&self.word, policy, wakers))
    }

    /// Changes the time after which a grant that nobody claims goes to another waiter.
    pub(crate) fn set_claim_within(&self, claim_within: Duration) -> WakeList {
        self.change_bound(|state, _| {
            // Grants that were never to be taken back, or at another time, are to be looked at.
            state.set_claim_within(claim_within, false);
        })
    }

    /// Refuses all calls from now on, and those that wait.
    pub(crate) fn close(&self) -> WakeList {
        self.change_bound(|state, wakers| state.close(&self.word, wakers))
    }

    /// Lets calls in again.
    pub(crate) fn reopen(&self) -> WakeList {
        self.change_bound(|state, _| state.reopen())
    }

    /// Sends every event to the subscribers from now on.
    pub(crate) fn subscribe(&self, subscribers: Sender<Event>) -> WakeList {
        self.change_bound(|state, _| state.subscribe(&self.word, subscribers))
    }

    /// Changes a semaphore that is bound. One that is not is told all of it when it is bound.
    fn change_bound(&self, change: impl FnOnce(&mut State, &mut WakeList)) -> WakeList {
        self.change(|state, wakers| {
            if state.is_bound() {
                change(state, wakers);
            }
        })
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut State, &mut WakeList)) -> WakeList {
        let mut wakers = WakeList::default();
        let mut state = self.lock();
        change(&mut state, &mut wakers);
        self.update_hint(&mut state);
        drop(state);
        wakers
    }

    /// Returns whether no permit is out and no call waits. If not, the waker is kept and woken when that
    /// is so, unless the drainer of that number goes before, or brings another.
    ///
    /// The caller drops the second result under no lock, and calls [`serve_all`](Self::serve_all).
    pub(crate) fn poll_drained(&self, drainer: u64, waker: Waker) -> (bool, Option<Waker>) {
        let mut state = self.lock();
        let polled = state.poll_drained(&self.word, drainer, waker);
        self.update_hint(&mut state);
        polled
    }

    /// Forgets a drainer.
    pub(crate) fn forget_drainer(&'static self, drainer: u64) {
        let mut state = self.lock();
        // Dropped after unlocking: a waker is foreign code.
        let _unneeded = Quiet::new(state.forget_drainer(drainer));
        self.serve(state);
    }

    /// Gives up subscribers and drainers, because the limiter was dropped while permits are out. The
    /// drainers are woken when the result is dropped, which the caller does under no lock.
    pub(crate) fn release_listeners(&self) -> Option<Deferred> {
        self.lock().modes.as_deref_mut().map(Modes::release_listeners)
    }

    /// Takes as many waiters out of the wait list as there are at the start, the first first, and wakes
    /// them to enter again.
    pub(crate) fn dismiss_all(&'static self) {
        let mut left = self.lock().queue.len();
        let batches = iter::from_fn(|| {
            if left == 0 {
                return None;
            }
            let mut state = self.lock();
            let mut wakers = WakeList::default();
            let dismissed = state.dismiss_some(&self.word, left, &mut wakers);
            left = if dismissed == 0 { 0 } else { left.saturating_sub(dismissed) };
            Some((state, wakers))
        });
        // `None` is last: it serves the calls that can be served now.
        run_all_then_resume_panic(batches.map(Some).chain([None]), |batch| match batch {
            Some((state, wakers)) => self.unlock(state, wakers),
            None => self.serve_all(),
        });
    }
}
