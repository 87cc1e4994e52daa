//! What a service makes of a call that its limiter refuses.

use crate::rejected::Rejected;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::marker::PhantomData;

/// An error of any kind, as tower's layers have it.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What becomes of refused calls, `E`, and of the inner service's errors: a parameter of
/// [`Limit`](super::Limit). Sealed: there are [`AsError`] and [`OnReject`].
pub trait Refusals<E, Response, Failure>: sealed::Refusals<E, Response, Failure> {}

impl<R, E, Response, Failure> Refusals<E, Response, Failure> for R where
    R: sealed::Refusals<E, Response, Failure>
{
}

/// Of a [`Limit`](super::Limit): a refused call fails with the refusal. If calls can be refused the
/// service's error is a [`BoxError`], and otherwise the inner service's.
pub struct AsError<E>(PhantomData<fn() -> E>);

impl<E> AsError<E> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E> Clone for AsError<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for AsError<E> {}

impl<E> fmt::Debug for AsError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AsError")
    }
}

/// Of a [`Limit`](super::Limit): a refused call has the response that a function makes.
#[derive(Clone)]
pub struct OnReject<F>(pub(super) F);

impl<F> fmt::Debug for OnReject<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnReject").finish_non_exhaustive()
    }
}

pub(super) mod sealed {
    use super::{AsError, BoxError, Infallible, OnReject, Rejected};

    pub trait Refusals<E, Response, Failure>: Clone {
        type Error;

        fn refused(self, refusal: E) -> Result<Response, Self::Error>;
        fn error(error: Failure) -> Self::Error;
    }

    impl<Response, Failure> Refusals<Infallible, Response, Failure> for AsError<Infallible> {
        type Error = Failure;

        fn refused(self, refusal: Infallible) -> Result<Response, Failure> {
            match refusal {}
        }

        fn error(error: Failure) -> Failure {
            error
        }
    }

    impl<Response, Failure: Into<BoxError>> Refusals<Rejected, Response, Failure>
        for AsError<Rejected>
    {
        type Error = BoxError;

        fn refused(self, refusal: Rejected) -> Result<Response, BoxError> {
            Err(refusal.into())
        }

        fn error(error: Failure) -> BoxError {
            error.into()
        }
    }

    impl<F, Response, Failure> Refusals<Rejected, Response, Failure> for OnReject<F>
    where
        F: FnOnce(Rejected) -> Response + Clone,
    {
        type Error = Failure;

        fn refused(self, refusal: Rejected) -> Result<Response, Failure> {
            Ok((self.0)(refusal))
        }

        fn error(error: Failure) -> Failure {
            error
        }
    }
}
