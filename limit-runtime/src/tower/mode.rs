//! When a call takes its permit, and when the inner service is called.

use std::fmt;

/// The mode of a [`Limit`](super::Limit) whose response future waits for the permit, and then calls
/// the inner service.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OnCall;

/// The mode of a [`Limit`](super::Limit) as [`OnCall`], whose calls belong to [shares](super::LimitLayer::share) of the
/// limiter's permits.
#[derive(Clone, Copy)]
pub struct InShares<F>(pub(super) F);

impl<F> fmt::Debug for InShares<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InShares").finish_non_exhaustive()
    }
}

/// The mode of a [`Limit`](super::Limit) whose `poll_ready` waits for the permit. The call then
/// calls the inner service.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Reserving;
