//! When a call takes its permit, and when the inner service is called.

/// Of a [`Limit`](super::Limit): the response's future waits for the permit, and calls the inner service
/// when it has it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Deferred;

/// Of a [`Limit`](super::Limit): `poll_ready` waits for the permit, and the call calls the inner service.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Reserving;
