//! How long a call's permit is held.

use crate::permit::Permit;
use crate::unwind::Quiet;
use std::fmt;

/// What becomes of the permit when the response is there: a parameter of [`Limit`](super::Limit).
/// Sealed: there are [`UntilResponse`], [`HandOver`] and, with the feature `http-body`,
/// `UntilBodyEnd`.
pub trait Hold<Request, Response>: sealed::Hold<Request, Response> {}

impl<H, Request, Response> Hold<Request, Response> for H where H: sealed::Hold<Request, Response> {}

/// Of a [`Limit`](super::Limit): the permit goes back when the response is there.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct UntilResponse;

/// Of a [`Limit`](super::Limit): a function puts the permit into the response.
#[derive(Clone)]
pub struct HandOver<F>(pub(super) F);

impl<F> fmt::Debug for HandOver<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandOver").finish_non_exhaustive()
    }
}

pub(super) mod sealed {
    use super::{HandOver, Permit, Quiet, UntilResponse};

    pub trait Hold<Request, Response>: Clone {
        type Held;
        /// What the call has while the inner service works on it.
        type Permit;

        /// Shows the permit to the inner service, if so chosen.
        fn lend(&self, permit: Quiet<Permit>, request: &mut Request) -> Quiet<Self::Permit>;

        /// Without a permit if the response is that of a refused call.
        fn hold(self, response: Response, permit: Option<Quiet<Self::Permit>>) -> Self::Held;
    }

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
}
