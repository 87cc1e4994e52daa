//! The time for which a call holds its permit.

use super::sealed::Sealed;
use crate::permit::Permit;
use crate::unwind::Quiet;
use std::borrow::Borrow;
use std::fmt;

/// The holder of the permit from the response on: a parameter of [`Limit`](super::Limit).
///
/// Sealed: there are [`UntilResponse`], [`HandOver`] and, with the feature `http-body`,
/// `UntilBodyEnd`.
pub trait Hold<Request, Response>: Clone + Sealed {
    /// The response of the limited service: the inner service's response, or a value that holds the
    /// permit as well.
    type Held;

    /// The permit of a call while the inner service works on it.
    #[doc(hidden)]
    type Permit: Borrow<Permit>;

    /// Adds the permit to the request, if the inner service is to see it.
    #[doc(hidden)]
    fn lend(&self, permit: Quiet<Permit>, request: &mut Request) -> Quiet<Self::Permit>;

    /// Puts the permit into the response. There is no permit if the call was refused.
    #[doc(hidden)]
    fn hold(self, response: Response, permit: Option<Quiet<Self::Permit>>) -> Self::Held;
}

/// The [`Hold`] of a [`Limit`](super::Limit) whose permit comes back when the response is there.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct UntilResponse;

impl Sealed for UntilResponse {}

impl<Request, Response> Hold<Request, Response> for UntilResponse {
    type Held = Response;
    type Permit = Permit;

    fn lend(&self, permit: Quiet<Permit>, _: &mut Request) -> Quiet<Permit> {
        permit
    }

    fn hold(self, response: Response, _permit: Option<Quiet<Permit>>) -> Response {
        response
    }
}

/// The [`Hold`] of a [`Limit`](super::Limit) that puts the permit into the response by a function.
#[derive(Clone)]
pub struct HandOver<F>(pub(super) F);

impl<F> Sealed for HandOver<F> {}

impl<F, Request, Response, Held> Hold<Request, Response> for HandOver<F>
where
    F: FnOnce(Response, Option<Permit>) -> Held + Clone,
{
    type Held = Held;
    type Permit = Permit;

    fn lend(&self, permit: Quiet<Permit>, _: &mut Request) -> Quiet<Permit> {
        permit
    }

    fn hold(self, response: Response, permit: Option<Quiet<Permit>>) -> Held {
        (self.0)(response, permit.map(Quiet::into_inner))
    }
}

impl<F> fmt::Debug for HandOver<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandOver").finish_non_exhaustive()
    }
}
