//! When a call takes its permit, and when the inner service is called.

/// The mode of a [`Limit`](super::Limit) whose response future waits for the permit, and then calls
/// the inner service.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OnCall;

/// The mode of a [`Limit`](super::Limit) whose `poll_ready` waits for the permit. The call then
/// calls the inner service.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Reserving;
