//! The first type parameter of a limiter: whether it can refuse calls.

use crate::deadline::Deadline;
use crate::policy::MaxWait;
use crate::rejected::Rejected;
use std::convert::Infallible;
use std::fmt::Debug;

/// The type of a limiter's refusals: [`Infallible`] if it admits every call in the end, or
/// [`Rejected`] if it can refuse calls.
///
/// This is the first parameter of [`Limiter`](crate::Limiter). Each setter that gives calls a
/// reason to be refused turns a `Limiter<Infallible>` into a `Limiter<Rejected>`, whose
/// [`acquire`](crate::Limiter::acquire) gives a `Result`. The trait is sealed: only these two types
/// implement it.
pub trait Admission: sealed::Admission {
    /// The result of a call whose value is a `T`: `T` itself if the limiter admits every call, or
    /// `Result<T, Rejected>` if it can refuse calls.
    type Outcome<T>;
}

impl Admission for Infallible {
    type Outcome<T> = T;
}

impl Admission for Rejected {
    type Outcome<T> = Result<T, Self>;
}

#[doc(hidden)]
pub(crate) mod sealed {
    use super::{Deadline, Debug, Infallible, MaxWait, Rejected};

    pub trait Admission: Sized + Debug + Send + Sync + 'static {
        /// The deadline of a call, or `()` if calls cannot be refused.
        type Deadline: Debug + Send + Sync;
        /// The refusals of a call that another limiter can refuse as well, with these.
        type With<F: super::Admission>: super::Admission;
        const FALLIBLE: bool;

        fn deadline(max_wait: Option<MaxWait>) -> Self::Deadline;
        fn deadline_mut(deadline: &mut Self::Deadline) -> Option<&mut Deadline>;
        fn max_wait(deadline: &Self::Deadline) -> Option<MaxWait>;
        /// Turns a refusal into one of this type.
        fn refusal(rejected: Rejected) -> Self;
        fn outcome<T>(result: Result<T, Self>) -> Self::Outcome<T>
        where
            Self: super::Admission;
        fn result<T>(outcome: Self::Outcome<T>) -> Result<T, Self>
        where
            Self: super::Admission;
    }

    impl Admission for Infallible {
        type Deadline = ();
        type With<F: super::Admission> = F;
        const FALLIBLE: bool = false;

        #[inline]
        fn deadline(_: Option<MaxWait>) {}

        #[inline]
        fn deadline_mut((): &mut ()) -> Option<&mut Deadline> {
            None
        }

        fn max_wait((): &()) -> Option<MaxWait> {
            None
        }

        fn refusal(rejected: Rejected) -> Self {
            unreachable!("a call that cannot be refused was: {rejected}")
        }

        #[inline]
        fn outcome<T>(result: Result<T, Self>) -> T {
            match result {
                Ok(value) => value,
                Err(never) => match never {},
            }
        }

        fn result<T>(value: T) -> Result<T, Self> {
            Ok(value)
        }
    }

    impl Admission for Rejected {
        type Deadline = Deadline;
        type With<F: super::Admission> = Self;
        const FALLIBLE: bool = true;

        #[inline]
        fn deadline(max_wait: Option<MaxWait>) -> Deadline {
            Deadline::from_limiter(max_wait)
        }

        #[inline]
        fn deadline_mut(deadline: &mut Deadline) -> Option<&mut Deadline> {
            Some(deadline)
        }

        fn max_wait(deadline: &Deadline) -> Option<MaxWait> {
            deadline.max_wait()
        }

        fn refusal(rejected: Rejected) -> Self {
            rejected
        }

        #[inline]
        fn outcome<T>(result: Result<T, Self>) -> Result<T, Self> {
            result
        }

        fn result<T>(result: Result<T, Self>) -> Result<T, Self> {
            result
        }
    }
}
