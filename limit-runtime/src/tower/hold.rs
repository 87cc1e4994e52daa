//! How long a call's permit is held.

use crate::permit::Permit;
use std::fmt;

/// What becomes of the permit when the response is there: a parameter of [`Limit`](super::Limit).
/// Sealed: there are [`UntilResponse`], [`HandOver`] and, with the feature `http-body`,
/// `UntilBodyEnd`.
pub trait Hold<Response>: sealed::Hold<Response> {}

impl<H, Response> Hold<Response> for H where H: sealed::Hold<Response> {}

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
    use super::{HandOver, Permit, UntilResponse};

    pub trait Hold<Response>: Clone {
        type Held;

        /// Without a permit if the response is that of a refused call.
        fn hold(self, response: Response, permit: Option<Permit>) -> Self::Held;
    }

    impl<Response> Hold<Response> for UntilResponse {
        type Held = Response;

        fn hold(self, response: Response, _permit: Option<Permit>) -> Response {
            response
        }
    }

    impl<F, Response, Held> Hold<Response> for HandOver<F>
    where
        F: FnOnce(Response, Option<Permit>) -> Held + Clone,
    {
        type Held = Held;

        fn hold(self, response: Response, permit: Option<Permit>) -> Held {
            (self.0)(response, permit)
        }
    }
}
