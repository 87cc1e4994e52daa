//! The answer of a service to a call that its limiter refuses.

use super::sealed::Sealed;
use crate::rejected::Rejected;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::marker::PhantomData;

/// An error of any kind, as tower's layers have it.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The answer to refused calls, `E`, and to the inner service's errors, `Failure`: a parameter of
/// [`Limit`](super::Limit).
///
/// Sealed: there are [`AsError`] and [`OnReject`].
pub trait Refusals<E, Response, Failure>: Clone + Sealed {
    /// The error of the limited service.
    type Error;

    /// Answers a refused call.
    #[doc(hidden)]
    fn refused(self, refusal: E) -> Result<Response, Self::Error>;

    /// Passes on an error of the inner service.
    #[doc(hidden)]
    fn error(error: Failure) -> Self::Error;
}

/// The [`Refusals`] of a [`Limit`](super::Limit) whose refused calls fail with the refusal.
///
/// The service's error is a [`BoxError`] if calls can be refused, and the inner service's
/// otherwise.
pub struct AsError<E>(PhantomData<fn() -> E>);

impl<E> AsError<E> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E> Sealed for AsError<E> {}

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

/// The [`Refusals`] of a [`Limit`](super::Limit) that makes a response of each refusal by a
/// function.
#[derive(Clone)]
pub struct OnReject<F>(pub(super) F);

impl<F> Sealed for OnReject<F> {}

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

impl<F> fmt::Debug for OnReject<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnReject").finish_non_exhaustive()
    }
}
