//! A limiter that is used and changed at random.

use crate::account::{Account, End, Live};
use crate::call::{Ask, Call, Held, Key, Scope};
use crate::ledger::{Cap, Entering, Ledger};
use crate::provoked::catch;
use crate::random::Random;
use crate::spec::Spec;
use limit_runtime::{
    Drain, Event, KeyedLimiter, Limiter, Permit, Rejected, Scope as Shared, Snapshot,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::broadcast::Receiver;

/// A limiter of whichever type.
#[derive(Debug)]
pub(crate) enum AnyLimiter {
    Plain(Limiter),
    Fallible(Limiter<Rejected>),
    Keyed(KeyedLimiter),
    KeyedFallible(KeyedLimiter<Rejected>),
}

/// The same for all types.
macro_rules! any {
    ($any:expr, $limiter:ident => $body:expr) => {
        match $any {
            AnyLimiter::Plain($limiter) => $body,
            AnyLimiter::Fallible($limiter) => $body,
            AnyLimiter::Keyed($limiter) => $body,
            AnyLimiter::KeyedFallible($limiter) => $body,
        }
    };
}

/// Makes an `Acquire` ask for what differs from call to call, and awaits it. What an `Acquire` gives
/// depends on its type, and `$result` makes a `Result` of it.
macro_rules! acquire {
    ($acquire:expr, $ask:expr, $result:expr) => {{
        let acquire = $acquire.priority($ask.priority).enabled($ask.enabled);
        match ($ask.weight, $ask.max_wait) {
            (None, None) => $result(acquire.await),
            (Some(weight), None) => acquire.weight(weight).await,
            (None, Some(max_wait)) => acquire.max_wait(max_wait).await,
            (Some(weight), Some(max_wait)) => acquire.weight(weight).max_wait(max_wait).await,
        }
    }};
}

/// Does something with the limiter for a key, whichever type the key has.
macro_rules! for_key {
    ($limiter:expr, $key:expr, $for_key:ident => $body:expr) => {{
        let Key(number) = $key.expect("a call of a limiter with keys has one");
        if number % 2 == 0 {
            let $for_key = $limiter.key(number);
            $body
        } else {
            let $for_key = $limiter.key(format!("number {number}"));
            $body
        }
    }};
}

impl AnyLimiter {
    fn new(name: &str, spec: &Spec) -> Self {
        let mut limiter = Limiter::named(name.to_owned(), spec.limit as usize)
            .scope(spec.scope)
            .order(spec.order);
        if let Some(per) = spec.per {
            limiter = limiter.per(per);
        }
        if spec.ranked {
            limiter = limiter.priority(1);
        }
        if !spec.is_fallible() {
            return match (spec.keyed, spec.total) {
                (false, _) => Self::Plain(limiter),
                (true, None) => Self::Keyed(limiter.keyed()),
                (true, Some(total)) => Self::Keyed(limiter.keyed().total(total as usize)),
            };
        }
        let most = spec.max_waiting.map_or(usize::MAX, |most| most as usize);
        let mut limiter = limiter.max_waiting(most);
        if let Some(max_wait) = spec.max_wait {
            limiter = limiter.max_wait(max_wait);
        }
        match (spec.keyed, spec.total) {
            (false, _) => Self::Fallible(limiter),
            (true, None) => Self::KeyedFallible(limiter.keyed()),
            (true, Some(total)) => Self::KeyedFallible(limiter.keyed().total(total as usize)),
        }
    }

    /// Takes permits, or waits for them.
    pub(crate) async fn acquire(self: Arc<Self>, ask: Ask) -> Result<Permit, Rejected> {
        match &*self {
            Self::Plain(limiter) => acquire!(limiter.acquire(), ask, Ok),
            Self::Fallible(limiter) => acquire!(limiter.acquire(), ask, |result| result),
            Self::Keyed(limiter) => {
                for_key!(limiter, ask.key.clone(), of_key => acquire!(of_key.acquire(), ask, Ok))
            }
            Self::KeyedFallible(limiter) => {
                for_key!(limiter, ask.key.clone(), of_key => acquire!(of_key.acquire(), ask, |result| result))
            }
        }
    }

    fn try_acquire(&self, key: Option<Key>) -> Result<Permit, Rejected> {
        match self {
            Self::Plain(limiter) => limiter.try_acquire(),
            Self::Fallible(limiter) => limiter.try_acquire(),
            Self::Keyed(limiter) => {
                for_key!(limiter, key, of_key => of_key.try_acquire())
            }
            Self::KeyedFallible(limiter) => {
                for_key!(limiter, key, of_key => of_key.try_acquire())
            }
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        any!(self, limiter => limiter.snapshot())
    }

    pub(crate) fn name(&self) -> &str {
        any!(self, limiter => limiter.name())
    }

    pub(crate) fn drain(&self) -> Drain {
        any!(self, limiter => limiter.drain())
    }

    pub(crate) fn subscribe(&self) -> Receiver<Event> {
        any!(self, limiter => limiter.subscribe())
    }

    fn change(&self, change: Change) {
        match change {
            Change::Limit(limit) => any!(self, limiter => limiter.set_limit(limit as usize)),
            Change::Total(total) => match self {
                Self::Plain(_) | Self::Fallible(_) => {}
                Self::Keyed(limiter) => limiter.set_total(total as usize),
                Self::KeyedFallible(limiter) => limiter.set_total(total as usize),
            },
            Change::Enabled(enabled) => any!(self, limiter => limiter.set_enabled(enabled)),
            Change::Shadow(shadow) => any!(self, limiter => {
                limiter.set_shadow(shadow).expect("it was not made a shadow");
            }),
            Change::Closed(true) => any!(self, limiter => limiter.close()),
            Change::Closed(false) => any!(self, limiter => limiter.reopen()),
            Change::MaxWaiting(most) => match self {
                Self::Plain(_) | Self::Keyed(_) => {}
                Self::Fallible(limiter) => limiter.set_max_waiting(most as usize),
                Self::KeyedFallible(limiter) => limiter.set_max_waiting(most as usize),
            },
            Change::MaxWait(max_wait) => match self {
                Self::Plain(_) | Self::Keyed(_) => {}
                Self::Fallible(limiter) => limiter.set_max_wait(max_wait),
                Self::KeyedFallible(limiter) => limiter.set_max_wait(max_wait),
            },
            Change::Reset => any!(self, limiter => limiter.reset()),
        }
    }
}

/// What can be changed while a limiter is in use.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    Limit(u32),
    Total(u32),
    Enabled(bool),
    Shadow(bool),
    Closed(bool),
    MaxWaiting(u32),
    MaxWait(Duration),
    /// Takes back all of them but the total and closing.
    Reset,
}

/// A limiter, how it was made, and its account.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) limiter: Arc<AnyLimiter>,
    pub(crate) account: Arc<Account>,
    pub(crate) spec: Spec,
    /// What is in force. Locked during a change, so that the ledger knows in which order changes are
    /// made.
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

    /// In which scope a call is that is polled there.
    pub(crate) fn scope(&self, polled: Scope) -> Scope {
        match self.spec.scope {
            Shared::Process => Scope::Process,
            Shared::Runtime => polled,
        }
    }

    /// A call that asks for this, and will be polled there.
    pub(crate) fn call(&self, polled: Scope, ask: Ask) -> Call {
        Call::new(&self.limiter, &self.account, self.scope(polled), ask)
    }

    /// A call that asks for something that fits the limiter.
    pub(crate) fn any_call(&self, polled: Scope, random: &mut Random) -> Call {
        self.call(polled, self.spec.any_ask(random))
    }

    /// A permit, if one is free.
    pub(crate) fn try_acquire(&self, polled: Scope, key: Option<Key>) -> Option<Held> {
        let live = Live::new(&self.account);
        let (since, began) = (self.account.ledger.moment(), Instant::now());
        self.account.count_made();
        let (end, permit) = match catch(|| self.limiter.try_acquire(key.clone())) {
            None => (End::Panicked, None),
            Some(Err(rejected)) => (End::Refused(rejected.kind()), None),
            Some(Ok(permit)) => (End::Admitted, Some(permit)),
        };
        let (scope, ask) = (self.scope(polled), Ask { key, ..Ask::default() });
        let entering = Entering { ask, scope, since, began };
        let held = permit.map(|permit| Held::new(permit, &live, &entering));
        self.account.count_end(end);
        held
    }

    /// Changes something of the limiter, after the ledger was told.
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

    /// Takes all changes back, if there were any: whoever waits will be let in.
    ///
    /// A limiter that nobody has changed is not touched, because that would serve its waiters and hide
    /// that nobody else does.
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
