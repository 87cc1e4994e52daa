//! Whether a limiter can refuse calls, as a type.

use crate::deadline::Deadline;
use crate::policy::MaxWait;
use crate::rejected::Rejected;
use std::convert::Infallible;
use std::fmt::Debug;

/// What a call is told that is not let in: nothing, because that does not happen ([`Infallible`]), or
/// why ([`Rejected`]).
///
/// It is the first parameter of [`Limiter`](crate::Limiter). Each setter after which a limiter can
/// refuse a call turns a `Limiter<Infallible>` into a `Limiter<Rejected>`, whose
/// [`acquire`](crate::Limiter::acquire) gives a `Result`. Sealed: there are just these two.
pub trait Admission: sealed::Admission {}

impl Admission for Infallible {}
impl Admission for Rejected {}

#[doc(hidden)]
pub(crate) mod sealed {
    use super::{Deadline, Debug, Infallible, MaxWait, Rejected};

    pub trait Admission: Sized + Debug + Send + Sync + 'static {
        /// `T`, or a result with it.
        type Of<T>;
        /// How long a call may wait, if that is of any consequence.
        type Deadline: Debug + Send + Sync;
        const FALLIBLE: bool;

        fn deadline(max_wait: Option<MaxWait>) -> Self::Deadline;
        fn deadline_mut(deadline: &mut Self::Deadline) -> Option<&mut Deadline>;
        fn into_deadline(deadline: Self::Deadline) -> Deadline;
        fn max_wait(deadline: &Self::Deadline) -> Option<MaxWait>;
        fn admitted<T>(value: T) -> Self::Of<T>;
        fn rejected<T>(rejected: Rejected) -> Self::Of<T>;
        fn result<T>(of: Self::Of<T>) -> Result<T, Self>;
        fn again<T>(result: Result<T, Self>) -> Self::Of<T>;
    }

    impl Admission for Infallible {
        type Of<T> = T;
        type Deadline = ();
        const FALLIBLE: bool = false;

        #[inline]
        fn deadline(_: Option<MaxWait>) {}

        #[inline]
        fn deadline_mut((): &mut ()) -> Option<&mut Deadline> {
            None
        }

        #[inline]
        fn into_deadline((): ()) -> Deadline {
            Deadline::of_limiter(None)
        }

        fn max_wait((): &()) -> Option<MaxWait> {
            None
        }

        #[inline]
        fn admitted<T>(value: T) -> T {
            value
        }

        fn rejected<T>(rejected: Rejected) -> T {
            unreachable!("a call that cannot be refused was: {rejected}")
        }

        fn result<T>(value: T) -> Result<T, Self> {
            Ok(value)
        }

        fn again<T>(result: Result<T, Self>) -> T {
            match result {
                Ok(value) => value,
                Err(never) => match never {},
            }
        }
    }

    impl Admission for Rejected {
        type Of<T> = Result<T, Self>;
        type Deadline = Deadline;
        const FALLIBLE: bool = true;

        #[inline]
        fn deadline(max_wait: Option<MaxWait>) -> Deadline {
            Deadline::of_limiter(max_wait)
        }

        #[inline]
        fn deadline_mut(deadline: &mut Deadline) -> Option<&mut Deadline> {
            Some(deadline)
        }

        #[inline]
        fn into_deadline(deadline: Deadline) -> Deadline {
            deadline
        }

        fn max_wait(deadline: &Deadline) -> Option<MaxWait> {
            deadline.max_wait()
        }

        #[inline]
        fn admitted<T>(value: T) -> Result<T, Self> {
            Ok(value)
        }

        fn rejected<T>(rejected: Rejected) -> Result<T, Self> {
            Err(rejected)
        }

        fn result<T>(result: Result<T, Self>) -> Result<T, Self> {
            result
        }

        fn again<T>(result: Result<T, Self>) -> Result<T, Self> {
            result
        }
    }
}
