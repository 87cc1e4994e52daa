//! The limiter under test: with keys or without.

use limit_runtime::{
    KeyedLimiter, Limiter, LimiterHandle, Order, Permit, Rejected, Snapshot, find,
};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub(super) type Call = Pin<Box<dyn Future<Output = Result<Permit, Rejected>>>>;

pub(super) enum Subject {
    Plain(Arc<Limiter<Rejected>>),
    Keyed(Arc<KeyedLimiter<Rejected>>),
}

/// Evaluates the same expression for both types.
macro_rules! either {
    ($subject:expr, $limiter:ident => $body:expr) => {
        match $subject {
            Subject::Plain($limiter) => $body,
            Subject::Keyed($limiter) => $body,
        }
    };
}

impl Subject {
    pub(super) fn adaptive(name: &'static str, order: Order) -> Self {
        Self::Plain(Arc::new(Limiter::adaptive(name, 2..=12).order(order).max_waiting(20)))
    }

    pub(super) fn fixed(name: &'static str) -> Self {
        Self::Plain(Arc::new(Limiter::new(name, 5).max_waiting(20)))
    }

    pub(super) fn keyed(name: &'static str) -> Self {
        let limiter = Limiter::new(name, 4).max_waiting(8).keyed();
        Self::Keyed(Arc::new(limiter.adaptive_total(2..=12)))
    }

    pub(super) fn is_keyed(&self) -> bool {
        matches!(self, Self::Keyed(_))
    }

    pub(super) fn acquire(&self, key: u32, weight: u32, priority: u8) -> Call {
        match self {
            Self::Plain(limiter) => {
                let limiter = Arc::clone(limiter);
                Box::pin(async move { limiter.acquire().weight(weight).priority(priority).await })
            }
            Self::Keyed(limiter) => {
                let limiter = Arc::clone(limiter);
                Box::pin(async move {
                    limiter.key(key).acquire().weight(weight).priority(priority).await
                })
            }
        }
    }

    pub(super) fn try_acquire(&self, key: u32) -> Result<Permit, Rejected> {
        match self {
            Self::Plain(limiter) => limiter.try_acquire(),
            Self::Keyed(limiter) => limiter.key(key).try_acquire(),
        }
    }

    pub(super) fn handle(&self) -> LimiterHandle {
        either!(self, limiter => find(limiter.name()).expect("it is in use"))
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        either!(self, limiter => limiter.snapshot())
    }

    /// Returns the limit over all calls that is in force.
    pub(super) fn limit_in(snapshot: &Snapshot) -> usize {
        let total = &snapshot.total;
        // The figures show the limit that was chosen or set while new calls are held off.
        let adapted = snapshot.adaptive;
        let adapted = adapted.map(|figures| if figures.is_held_off { 0 } else { figures.limit });
        adapted.or(total.total).unwrap_or(total.limit)
    }

    /// Returns the limit over all calls that is in force, or will be when new calls are not held off any more.
    pub(super) fn most_in(snapshot: &Snapshot) -> usize {
        snapshot.adaptive.map_or_else(|| Self::limit_in(snapshot), |figures| figures.limit)
    }

    /// Returns the limit, which adapts or is held. 0 with keys.
    pub(super) fn limit_before_a_look(&self) -> usize {
        match self {
            Self::Plain(limiter) => limiter.limit().expect("it is known"),
            Self::Keyed(_) => 0,
        }
    }

    pub(super) fn set_limit(&self, limit: usize) {
        either!(self, limiter => limiter.set_limit(limit));
    }

    pub(super) fn set_max_waiting(&self, calls: usize) {
        either!(self, limiter => limiter.set_max_waiting(calls));
    }

    pub(super) fn reset(&self) {
        either!(self, limiter => limiter.reset());
    }

    pub(super) fn close(&self) {
        either!(self, limiter => limiter.close());
    }

    pub(super) fn reopen(&self) {
        either!(self, limiter => limiter.reopen());
    }

    /// Holds the limit over all calls at a number.
    pub(super) fn hold_at(&self, limit: usize) {
        match self {
            Self::Plain(limiter) => limiter.set_limit(limit),
            Self::Keyed(limiter) => limiter.set_total(limit),
        }
    }
}
