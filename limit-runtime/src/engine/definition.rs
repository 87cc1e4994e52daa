//! The part of a limiter that its code fixes.

use crate::policy::{Force, MaxWait, OnDeadlock, Policy, Request, clamp_limit};
use crate::scope::{OnUnavailable, Scope};
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
    pub(crate) scope: Scope,
    pub(crate) policy: Policy,
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

    pub(super) const fn new(limit: LimitSource) -> Self {
        Self {
            limit,
            scope: Scope::Runtime,
            policy: Policy::PLAIN,
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
