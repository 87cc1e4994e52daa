//! A limiter under test, its settings, and its account.

use crate::account::{Account, End, Live};
use crate::call::{Call, Held};
use crate::ledger::{Cap, Entering, Ledger};
use crate::limiter::{AnyLimiter, Change};
use crate::provoked::catch;
use crate::random::Random;
use crate::request::{Key, Request, Scope};
use crate::spec::Spec;
use limit_runtime::Scope as Shared;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A limiter under test.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) limiter: Arc<AnyLimiter>,
    pub(crate) account: Arc<Account>,
    pub(crate) spec: Spec,
    /// The settings in force. They are locked during a change, so that the ledger knows the order
    /// of changes.
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    limit: u32,
    total: Option<u32>,
    enabled: bool,
    shadow: bool,
    changed: bool,
}

impl State {
    fn made(spec: &Spec) -> Self {
        let (limit, total) = (spec.limit, spec.total);
        Self { limit, total, enabled: true, shadow: false, changed: false }
    }

    fn cap(self) -> Cap {
        let Self { limit, total, enabled, shadow, .. } = self;
        Cap { limit, total, enforced: enabled && !shadow }
    }
}

impl Subject {
    pub(crate) fn new(name: &str, spec: Spec) -> Self {
        let state = State::made(&spec);
        let described = format!("{name} ({spec:?})");
        let ledger = Ledger::new(described.clone(), spec.per, state.cap());
        Self {
            limiter: Arc::new(AnyLimiter::new(name, &spec)),
            account: Arc::new(Account::new(described, ledger)),
            spec,
            state: Mutex::new(state),
        }
    }

    /// Returns the scope of a call that is polled there.
    pub(crate) fn scope(&self, polled: Scope) -> Scope {
        match self.spec.scope {
            Shared::Process => Scope::Process,
            // There is no third one in this process.
            _ => polled,
        }
    }

    /// Returns a call with these options that will be polled there.
    pub(crate) fn call(&self, polled: Scope, request: Request) -> Call {
        Call::new(&self.limiter, &self.account, self.scope(polled), request)
    }

    /// Returns a call with random options that fit the limiter.
    pub(crate) fn any_call(&self, polled: Scope, random: &mut Random) -> Call {
        self.call(polled, self.spec.any_request(random))
    }

    /// Takes a permit, if one is free.
    pub(crate) fn try_acquire(&self, polled: Scope, key: Option<Key>) -> Option<Held> {
        let live = Live::new(&self.account);
        let (since, began) = (self.account.ledger.moment(), Instant::now());
        self.account.count_made();
        let (end, permit) = match catch(|| self.limiter.try_acquire(key.clone())) {
            None => (End::Panicked, None),
            Some(Err(rejected)) => (End::Refused(rejected.kind()), None),
            Some(Ok(permit)) => (End::Admitted, Some(permit)),
        };
        let (scope, request) = (self.scope(polled), Request { key, ..Request::default() });
        let entering = Entering { request, scope, since, began };
        let held = permit.map(|permit| Held::new(permit, &live, &entering));
        self.account.count_end(end);
        held
    }

    /// Changes the limiter, after the ledger was told.
    pub(crate) fn change(&self, change: Change) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.changed = true;
        match change {
            Change::Limit(limit) => state.limit = limit,
            Change::Total(total) => state.total = Some(total),
            Change::Enabled(enabled) => state.enabled = enabled,
            Change::Shadow(shadow) => state.shadow = shadow,
            Change::Closed(_) | Change::MaxWaiting(_) | Change::MaxWait(_) => {}
            Change::Reset => {
                let State { limit, enabled, shadow, .. } = State::made(&self.spec);
                *state = State { limit, enabled, shadow, ..*state };
            }
        }
        self.account.ledger.change_begins(state.cap());
        catch(|| self.limiter.change(change));
        self.account.ledger.change_returned();
    }

    /// Takes all changes back, if there were any, so that every waiter is admitted.
    ///
    /// A limiter that nobody has changed is left alone. A change would serve its waiters and hide
    /// that nothing else does.
    pub(crate) fn restore(&self) {
        let changed = self.state.lock().unwrap_or_else(PoisonError::into_inner).changed;
        if changed {
            if let Some(total) = self.spec.total {
                self.change(Change::Total(total));
            }
            self.change(Change::Closed(false));
            self.change(Change::Reset);
        }
    }
}
