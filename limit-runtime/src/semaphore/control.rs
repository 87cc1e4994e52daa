//! What is done to a semaphore from outside while it is in use.

use super::state::State;
use super::waiter::{Waiter, WaitsFor};
use super::wakers::Wakers;
use super::{Aside, Listeners, Semaphore};
use crate::events::EventKind;
use crate::policy::Policy;
use crate::unwind::Quiet;
use std::task::Waker;

/// Who is to find the limit out.
#[derive(Debug)]
pub(crate) enum Claim {
    /// The caller, who is to call [`Semaphore::bind`], or [`Semaphore::unclaim`] if it cannot.
    Ours,
    /// Somebody else is doing so. The caller waits for that, or if it had no waker to wait with, finds
    /// the limit out as well.
    Theirs(Option<Waiter>),
    /// Nobody: it is known by now.
    Bound,
}

impl Semaphore {
    /// Asks to find the limit out. A waiter that comes back takes no part in any figures; it is told to
    /// ask again when the limit is known, or when whoever was to find it out has failed.
    pub(crate) fn claim(&'static self, weight: u32, waker: Option<&Waker>) -> Claim {
        let mut cloned = None;
        loop {
            // What was not needed is dropped after unlocking.
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
                    drop(state);
                    cloned = Some(waker.clone());
                }
                (Some(_), Some(waker)) => {
                    let (slot, grant) = state.wait_for_limit(weight, waker);
                    let waits_for = WaitsFor::Limit;
                    let waiter = Waiter { semaphore: self, grant, slot, weight, waits_for };
                    return Claim::Theirs(Some(waiter));
                }
            }
        }
    }

    /// Takes back [`Claim::Ours`], if nobody else has bound meanwhile: the next caller is to bind.
    pub(crate) fn unclaim(&self) {
        let mut wakers = Wakers::default();
        self.lock().unclaim(&mut wakers);
        wakers.wake();
    }

    /// Binds a semaphore to a limit, or with keys to that of each and one over all of them. The policy
    /// holds from then on. To be followed, under no lock, by waking the wakers and by
    /// [`serve_all`](Self::serve_all). `None` if somebody else has been quicker.
    pub(crate) fn bind(
        &self,
        policy: &Policy,
        limit: u32,
        total: Option<u32>,
        closed: bool,
        listeners: Option<Listeners>,
    ) -> Option<Wakers> {
        let mut is_bound = false;
        let wakers = self.change(|state, wakers| {
            is_bound = state.is_bound();
            if is_bound {
                return;
            }
            state.bind(&self.word, policy, limit, total, wakers);
            state.set_policy(&self.word, policy, wakers);
            if let Some(listeners) = listeners {
                state.listen(&self.word, listeners);
            }
            if closed {
                state.close(&self.word, wakers);
            }
        });
        (!is_bound).then_some(wakers)
    }

    /// Changes the limit, if there is one yet. Those above a lowered limit run on. To be followed,
    /// under no lock, by waking the wakers and by [`serve_all`](Self::serve_all).
    pub(crate) fn set_limit(&self, limit: u32) -> Wakers {
        self.change_bound(|state, wakers| {
            state.set_limit(&self.word, limit, wakers);
            state.note(&self.word, EventKind::LimitChanged);
        })
    }

    /// Changes the limit over all keys, if there are keys. To be followed as
    /// [`set_limit`](Self::set_limit).
    pub(crate) fn set_total(&self, total: u32) -> Wakers {
        self.change_bound(|state, wakers| {
            if state.set_total(&self.word, total, wakers) {
                state.note(&self.word, EventKind::LimitChanged);
            }
        })
    }

    /// Changes what can change of a policy: how many may wait, whether the limit holds, and whether it
    /// is a shadow. To be followed as [`set_limit`](Self::set_limit).
    pub(crate) fn set_policy(&self, policy: &Policy) -> Wakers {
        self.change_bound(|state, wakers| state.set_policy(&self.word, policy, wakers))
    }

    /// Refuses those who can be refused, from now on. To be followed as
    /// [`set_limit`](Self::set_limit), and so are the next two.
    pub(crate) fn close(&self) -> Wakers {
        self.change_bound(|state, wakers| state.close(&self.word, wakers))
    }

    /// Lets calls in again.
    pub(crate) fn reopen(&self) -> Wakers {
        self.change_bound(|state, _| state.reopen())
    }

    /// Tells what happens from now on.
    pub(crate) fn listen(&self, listeners: Listeners) -> Wakers {
        self.change_bound(|state, _| state.listen(&self.word, listeners))
    }

    /// Changes something, if there is a limit yet: what a binding to come finds out by itself.
    fn change_bound(&self, change: impl FnOnce(&mut State, &mut Wakers)) -> Wakers {
        self.change(|state, wakers| {
            if state.is_bound() {
                change(state, wakers);
            }
        })
    }

    fn change(&self, change: impl FnOnce(&mut State, &mut Wakers)) -> Wakers {
        let mut wakers = Wakers::default();
        let mut state = self.lock();
        change(&mut state, &mut wakers);
        self.hint_at_queue(&state);
        drop(state);
        wakers
    }

    /// Whether no permit is out and nobody waits. If not, the waker is woken when that is so, unless
    /// the drainer of that number goes before or brings another. What comes back is to be dropped under
    /// no lock. To be followed, under no lock, by [`serve_all`](Self::serve_all).
    pub(crate) fn poll_drained(&self, drainer: u64, waker: Waker) -> (bool, Option<Waker>) {
        let mut state = self.lock();
        let polled = state.poll_drained(&self.word, drainer, waker);
        self.hint_at_queue(&state);
        polled
    }

    /// Its limiter was dropped, and some of its permits are out: nothing more is told of it, and who
    /// waits for it to be drained waits no longer. That happens when what comes back is dropped.
    pub(crate) fn let_go(&self) -> Option<Aside> {
        self.lock().let_go()
    }

    /// A drainer goes.
    pub(crate) fn forget_drainer(&self, drainer: u64) {
        let mut state = self.lock();
        let unneeded = state.forget_drainer(drainer);
        let _unneeded = Quiet::new(unneeded);
        self.serve(state);
    }
}
