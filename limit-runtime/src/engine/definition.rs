//! The part of a limiter that its code fixes.

use crate::adaptive::Adaptation;
use crate::policy::{Force, MaxWait, OnDeadlock, Order, Policy, Request, clamp_limit};
use crate::scope::{OnUnavailable, Scope};
use crate::share::{self, Share};
use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// The source of the limit if no setting overrides it.
#[derive(Clone, Copy)]
pub(crate) enum LimitSource {
    Fixed(usize),
    /// An expression, evaluated once for each scope when a call first needs the limit.
    Lazy(fn() -> usize),
}

impl LimitSource {
    pub(super) fn fixed(self) -> Option<u32> {
        match self {
            Self::Fixed(limit) => Some(clamp_limit(limit)),
            Self::Lazy(_) => None,
        }
    }
}

impl fmt::Debug for LimitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(limit) => limit.fmt(f),
            Self::Lazy(_) => f.write_str("found out on first use"),
        }
    }
}

/// The settings that the code fixes, and the name's origin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Definition {
    pub(crate) limit: LimitSource,
    /// The range of the limit, or with keys of the total, if it adapts.
    pub(crate) adaptation: Option<Adaptation>,
    pub(crate) scope: Scope,
    pub(crate) policy: Policy,
    /// The shares that have guarantees. Without shares it is empty.
    pub(crate) shares: &'static [Share],
    /// The time in which the limit rises from one permit, if it does.
    pub(crate) ramp: Option<Duration>,
    pub(crate) max_wait: Option<MaxWait>,
    /// The request of a call that sets no options.
    pub(crate) request: Request,
    /// `true` if calls can be told that they are refused.
    pub(crate) fallible: bool,
    /// The environment variable that the code names.
    pub(crate) env: Option<&'static str>,
    /// The location of the function that the limiter is named after, if any.
    pub(crate) function: Option<&'static Location<'static>>,
    /// `true` if the attribute made the limiter, and the body of its function has no name for the permit.
    pub(crate) is_of_body: bool,
    /// `true` if the user chose the name, and so can choose another.
    pub(crate) is_named: bool,
    /// The fate of calls while the fleet cannot be reached, if the code says so.
    pub(crate) on_unavailable: Option<OnUnavailable>,
    /// The time after which a grant that nobody claims goes to another waiter.
    pub(crate) claim_within: Duration,
    /// The fate of a call that waits in a deadlock.
    /// Only the feature `diagnostics` finds deadlocks.
    pub(crate) on_deadlock: OnDeadlock,
}

/// The `claim_within` of a limiter that sets none.
pub(crate) const CLAIM_WITHIN: Duration = Duration::from_secs(1);

impl Definition {
    /// Checks that no two settings contradict each other.
    ///
    /// # Panics
    ///
    /// If two do, with what to write instead. In a `static` that is a compile error.
    #[track_caller]
    pub(crate) const fn check(&self) {
        self.check_shares();
        self.check_ramp();
        assert!(
            !self.request.is_early || !matches!(self.policy.order, Order::Lifo),
            "`Limiter::early` cannot stand beside `Order::Lifo`: with the newest first, the place of a call in the \
             queue does not say how long it waits"
        );
        if self.adaptation.is_some() {
            assert!(
                self.policy.per.is_none(),
                "`Limiter::adaptive` cannot stand beside `Limiter::per`: the time of a call says nothing \
                 about a limit of starts"
            );
            assert!(
                !matches!(self.policy.force, Force::Shadow),
                "`Limiter::adaptive` cannot stand beside `Limiter::shadow`: a shadow holds no call back, so \
                 nothing can be learnt; write `Limiter::advise` in place of `shadow`"
            );
            assert!(
                !matches!(self.scope, Scope::Fleet),
                "`Limiter::adaptive` cannot stand beside `Scope::Fleet`: the processes of a fleet do not \
                 adapt together yet"
            );
        }
        if !matches!(self.scope, Scope::Fleet) {
            return;
        }
        assert!(
            self.policy.per.is_none(),
            "`Scope::Fleet` cannot stand beside `Limiter::per`: permits move from process to process, \
             and their windows do not move with them"
        );
        assert!(
            self.request.weight <= 1,
            "`Scope::Fleet` cannot stand beside `Limiter::weight`: it can be that a process never \
             gets so many permits of the fleet at once"
        );
        assert!(
            !matches!(self.policy.force, Force::Shadow),
            "`Scope::Fleet` cannot stand beside `Limiter::shadow`: a shadow takes permits beyond the \
             limit, and the fleet has no more to give"
        );
    }

    #[track_caller]
    const fn check_ramp(&self) {
        if self.ramp.is_none() {
            return;
        }
        assert!(
            self.adaptation.is_none(),
            "`Limiter::ramp` cannot stand beside `Limiter::adaptive`: a limit that adapts rises by what it learns; \
             write `Limiter::start` for a low beginning"
        );
        assert!(
            self.policy.per.is_none(),
            "`Limiter::ramp` cannot stand beside `Limiter::per`: a ramp withholds permits, and a rate lets them come \
             back late, so nobody could say which of the two a call waits for"
        );
        assert!(
            !matches!(self.policy.force, Force::Shadow),
            "`Limiter::ramp` cannot stand beside `Limiter::shadow`: a shadow holds no call back, so nothing could \
             warm up in peace"
        );
        assert!(
            !matches!(self.scope, Scope::Fleet),
            "`Scope::Fleet` cannot stand beside `Limiter::ramp`: the processes of a fleet do not ramp together yet"
        );
    }

    #[track_caller]
    const fn check_shares(&self) {
        if self.shares.is_empty() {
            return;
        }
        share::check(self.shares);
        assert!(
            !self.policy.keyed,
            "`Limiter::shares` cannot stand beside `Limiter::keyed`: a call has a share or a key"
        );
        assert!(
            self.policy.per.is_none(),
            "`Limiter::shares` cannot stand beside `Limiter::per`: a share is one of the running calls, and not of \
             the starts"
        );
        assert!(
            !matches!(self.scope, Scope::Fleet),
            "`Limiter::shares` cannot stand beside `Scope::Fleet`: the processes of a fleet do not share out \
             together yet"
        );
    }

    /// Returns whether a call weighs more than the lowest limit of one that adapts.
    pub(super) fn is_heavy(&self, weight: u32) -> bool {
        self.adaptation.is_some_and(|adaptation| weight > adaptation.low)
    }

    pub(super) const fn new(limit: LimitSource) -> Self {
        Self {
            limit,
            adaptation: None,
            scope: Scope::Runtime,
            policy: Policy::PLAIN,
            shares: &[],
            ramp: None,
            max_wait: None,
            request: Request::ONE,
            fallible: false,
            env: None,
            function: None,
            is_of_body: false,
            is_named: true,
            on_unavailable: None,
            claim_within: CLAIM_WITHIN,
            on_deadlock: OnDeadlock::Warn,
        }
    }
}
