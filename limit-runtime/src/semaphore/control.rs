//! What is done to a semaphore from outside while it is in use.

use super::state::{Binding, State};
use super::wakers::Wakers;
use super::{Listeners, Semaphore, unlock};
use crate::events::EventKind;
use crate::policy::Policy;
use std::task::Waker;

impl Semaphore {
    /// Binds a semaphore to a limit, or with keys to that of each and one over all of them, unless
    /// somebody else has. To be followed, under no lock, by waking the wakers, by
    /// [`serve_all`](Self::serve_all) and by [`trim`](Self::trim).
    pub(crate) fn bind(
        &self,
        policy: &Policy,
        limit: u32,
        total: Option<u32>,
        closed: bool,
        listeners: Option<Listeners>,
    ) -> Wakers {
        self.change(|state, wakers| {
            match state.binding {
                // Who was to find the limit out has been quicker.
                Binding::Bound => return,
                // Nobody has asked for it by a call, or its registry has passed on since.
                Binding::Unbound => state.claim(policy),
                Binding::Claimed => {}
            }
            state.set_policy(&self.word, policy, wakers);
            if let Some(listeners) = listeners {
                state.listen(&self.word, listeners);
                // Who has come while the limit was found out.
                state.note_waiting(&self.word);
            }
            state.bind(&self.word, limit, total, wakers);
            if closed {
                state.close(&self.word, wakers);
            }
        })
    }

    /// Takes back the claim of [`Entered::Unbound`], if nobody else has bound meanwhile: the next
    /// caller is to bind.
    pub(crate) fn unclaim(&self) {
        let mut state = self.lock();
        if matches!(state.binding, Binding::Claimed) {
            state.binding = Binding::Unbound;
            drop(state);
            self.dismiss_all();
        }
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
            if matches!(state.binding, Binding::Bound) {
                change(state, wakers);
            }
        })
    }

    fn change(&self, change: impl FnOnce(&mut State, &mut Wakers)) -> Wakers {
        let mut wakers = Wakers::default();
        change(&mut self.lock(), &mut wakers);
        wakers
    }

    /// Refuses waiters that are more than may wait.
    pub(crate) fn trim(&self) {
        let mut state = self.lock();
        let mut wakers = Wakers::default();
        state.trim(&self.word, &mut wakers);
        unlock(state, wakers);
        self.serve_all();
    }

    /// Whether no permit is out and nobody waits. If not, the waker is woken when that is so, unless
    /// the drainer of that number goes before or brings another.
    pub(crate) fn poll_drained(&self, drainer: u64, waker: &Waker) -> bool {
        let waker = waker.clone();
        let mut state = self.lock();
        let (is_empty, unneeded) = state.poll_drained(&self.word, drainer, waker);
        self.serve(state);
        drop(unneeded);
        is_empty
    }

    /// A drainer goes.
    pub(crate) fn forget_drainer(&self, drainer: u64) {
        let mut state = self.lock();
        let unneeded = state.forget_drainer(drainer);
        self.serve(state);
        drop(unneeded);
    }
}
