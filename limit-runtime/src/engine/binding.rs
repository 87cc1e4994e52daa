//! Binding a semaphore to the limit, when a scope first needs it.

use super::definition::LimitSource;
use super::environment::no_fleet;
use super::settings::{claim_within, policy};
use super::underway::Underway;
use super::{Engine, FollowUp};
use crate::policy::{OnDeadlock, Policy, clamp_limit};
use crate::recorder;
use crate::scope::Scope;
use crate::semaphore::{Claim, NewBinding, Semaphore, Waiter};
use crate::unwind::run_all_then_resume_panic;
use std::cell::RefCell;
use std::task::Waker;

/// The warning about a limiter whose calls are to be refused in deadlocks that nobody finds.
#[cfg(feature = "diagnostics")]
pub(super) const NOT_RECORDING: &str = "`on_deadlock = refuse` has no effect while calls are not recorded: call \
                                        `diagnostics::record(true)` at the start of the program";
#[cfg(not(feature = "diagnostics"))]
const NOT_RECORDING: &str = "`on_deadlock = refuse` has no effect without the feature `diagnostics` of limit-runtime, \
                             and `diagnostics::record(true)` at the start of the program";

thread_local! {
    /// The indices of the limiters whose limit this thread is resolving.
    static RESOLVING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Returns whether this thread is resolving a limit.
fn is_resolving() -> bool {
    RESOLVING.try_with(|indices| !indices.borrow().is_empty()).unwrap_or(false)
}

impl Engine {
    /// Binds a semaphore to the limit. Evaluates a user's expression under no lock. While one
    /// caller evaluates the expression, others that have a waker wait for the result: they get a
    /// [`Waiter`].
    pub(super) fn bind(
        &self,
        semaphore: &'static Semaphore,
        weight: u32,
        waker: Option<&Waker>,
    ) -> Option<Waiter> {
        /// Hands the claim back if the expression panics.
        struct Unclaim<'a>(&'a Semaphore);
        impl Drop for Unclaim<'_> {
            fn drop(&mut self) {
                self.0.unclaim();
            }
        }

        // A caller that is resolving a limit never waits for another such caller: the two could
        // wait for each other.
        let waker = waker.filter(|_| !is_resolving());
        let mut resolved = None;
        // The limit is chosen and bound under the state's lock. So a limit that is set at the same
        // time is either seen here, or its setter finds the semaphore bound. If the set limit is
        // unset meanwhile, the next turn of the loop evaluates the expression.
        let (mut state, limit) = loop {
            let state = self.state();
            match (self.effective_limit(&state.overrides).or(resolved), self.definition.limit) {
                (Some(limit), _) => break (state, limit),
                (None, LimitSource::Fixed(limit)) => break (state, clamp_limit(limit)),
                (None, LimitSource::Lazy(limit)) => {
                    drop(state);
                    // The check comes before `claim`: a caller must not wait for itself.
                    self.assert_not_resolving();
                    let unclaim = match semaphore.claim(weight, waker) {
                        Claim::Bound => return None,
                        Claim::Theirs(Some(waiter)) => return Some(waiter),
                        Claim::Theirs(None) => None,
                        Claim::Ours => Some(Unclaim(semaphore)),
                    };
                    // Under no lock: the expression is foreign code. `unclaim` runs if it panics.
                    resolved = Some(clamp_limit(self.resolve(limit)));
                    std::mem::forget(unclaim);
                }
            }
        };
        // A channel without receivers is dropped here, so that semaphores need not send to it.
        state.subscribers.take_if(|subscribers| subscribers.receiver_count() == 0);
        let made = &self.definition.policy;
        let subscribers = state.subscribers.clone();
        let total = state.total.unwrap_or(made.total);
        let (local, total) = self.limits_to_bind(&mut state, semaphore, (limit, total));
        let policy = Policy { total, ..policy(&state.overrides, made) };
        let claim_within = claim_within(&state.overrides, &self.definition);
        // `None` if another caller was quicker: the limit that it has resolved holds, and this one
        // is dropped.
        let owner = self.owner();
        let adapting = self.adapting(&state);
        let own_limits = state.key_limits.as_ref().and_then(|limits| limits.in_force());
        let wakers = semaphore.bind(NewBinding {
            policy: &policy,
            shares: self.definition.shares,
            ramp: self.definition.ramp,
            limit: local,
            own_limits,
            adapting,
            claim_within,
            closed: state.closed,
            subscribers,
            owner,
        })?;
        state.resolved.put(semaphore, resolved);
        let resolved_zero =
            self.effective_limit(&state.overrides).is_none() && state.is_zero_news(limit);
        state.bound = Some(limit);
        let bad_variable = state.bad_variable.take();
        let is_alone = self.definition.scope == Scope::Fleet && !state.is_leased();
        drop(state);
        run_all_then_resume_panic(
            [FollowUp::Wake(wakers), FollowUp::Serve(semaphore)],
            FollowUp::run,
        );
        if let Some(problem) = bad_variable {
            self.note(true, format!("{problem}; the limit is {limit} instead"));
        }
        if resolved_zero {
            self.note_zero();
        }
        if is_alone {
            self.note_of_fleet(no_fleet());
        }
        if self.definition.on_deadlock == OnDeadlock::Refuse && !recorder::is_recording() {
            self.note(false, NOT_RECORDING.to_owned());
        }
        self.log();
        None
    }

    pub(super) fn note_zero(&self) {
        let calls = if self.definition.policy.keyed {
            "every call of a key without a limit of its own"
        } else {
            "every call"
        };
        self.note(false, format!("the limit is 0: {calls} waits until it is raised"));
    }

    /// Evaluates the limit's expression.
    pub(super) fn resolve(&self, limit: fn() -> usize) -> usize {
        self.assert_not_resolving();
        let _resolving = Underway::begin(&RESOLVING, self.index);
        limit()
    }

    /// Checks that a call may wait. An expression that waits for the limit that it gives would wait
    /// for ever.
    ///
    /// # Panics
    ///
    /// If this thread is resolving this limiter's limit.
    pub(crate) fn assert_not_resolving(&self) {
        assert!(
            !Underway::is_noted(&RESOLVING, self.index),
            "the limit of concurrency limiter `{}` is found out by an expression that uses the \
             limiter itself",
            self.name
        );
    }
}
