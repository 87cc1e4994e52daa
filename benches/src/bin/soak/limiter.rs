//! A limiter of any type, with one face for all.

use crate::request::{Key, Request};
use crate::spec::Spec;
use limit_runtime::{Drain, Event, KeyedLimiter, Limiter, Permit, Rejected, Snapshot};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;

/// A limiter of any type.
#[derive(Debug)]
pub(crate) enum AnyLimiter {
    Plain(Limiter),
    Fallible(Limiter<Rejected>),
    Keyed(KeyedLimiter),
    KeyedFallible(KeyedLimiter<Rejected>),
}

/// Does the same with a limiter of any type.
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

/// Sets the options of one call on an `Acquire` and awaits it. The result of an `Acquire` depends
/// on its type, and `$result` turns it into a `Result`.
macro_rules! acquire {
    ($acquire:expr, $request:expr, $result:expr) => {{
        let acquire = $acquire.priority($request.priority).enabled($request.enabled);
        match ($request.weight, $request.max_wait) {
            (None, None) => $result(acquire.await),
            (Some(weight), None) => acquire.weight(weight).await,
            (None, Some(max_wait)) => acquire.max_wait(max_wait).await,
            (Some(weight), Some(max_wait)) => acquire.weight(weight).max_wait(max_wait).await,
        }
    }};
}

/// Does something with the limiter for a key, of either type of key.
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
    pub(crate) fn new(name: &str, spec: &Spec) -> Self {
        let mut limiter = Limiter::named(name.to_owned(), spec.limit as usize)
            .scope(spec.scope)
            .order(spec.order)
            .claim_within(spec.claim_within);
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

    /// Waits for the permits and takes them.
    pub(crate) async fn acquire(self: Arc<Self>, request: Request) -> Result<Permit, Rejected> {
        match &*self {
            Self::Plain(limiter) => acquire!(limiter.acquire(), request, Ok),
            Self::Fallible(limiter) => acquire!(limiter.acquire(), request, |result| result),
            Self::Keyed(limiter) => {
                for_key!(limiter, request.key.clone(), of_key => acquire!(of_key.acquire(), request, Ok))
            }
            Self::KeyedFallible(limiter) => {
                for_key!(limiter, request.key.clone(), of_key => acquire!(of_key.acquire(), request, |result| result))
            }
        }
    }

    pub(crate) fn try_acquire(&self, key: Option<Key>) -> Result<Permit, Rejected> {
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

    pub(crate) fn change(&self, change: Change) {
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
            Change::Closed(closed) => match (self, closed) {
                (Self::Plain(_) | Self::Keyed(_), _) => {}
                (Self::Fallible(limiter), true) => limiter.close(),
                (Self::Fallible(limiter), false) => limiter.reopen(),
                (Self::KeyedFallible(limiter), true) => limiter.close(),
                (Self::KeyedFallible(limiter), false) => limiter.reopen(),
            },
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

/// A change to a limiter in use.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    Limit(u32),
    Total(u32),
    Enabled(bool),
    Shadow(bool),
    Closed(bool),
    MaxWaiting(u32),
    MaxWait(Duration),
    /// Takes all changes back but the total and closing.
    Reset,
}
