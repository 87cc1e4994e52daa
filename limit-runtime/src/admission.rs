//! Whether a limiter can refuse calls, as a type.

use crate::acquire::deadline::Deadline;
use crate::permit::Permit;
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

/// For the attribute: a permit, or why there is none.
///
/// No `Result`: the `match` on it counts as the user's code, so that lints look into its arms, and
/// they have advice for a `match` on a `Result`.
#[derive(Debug)]
pub enum Admitted<R> {
    /// The permit.
    Permit(Permit),
    /// Why a call was not let in.
    Refused(R),
}

/// For the attribute: what `acquire` gave, whichever limiter it was of.
pub trait IntoAdmitted {
    /// Why a call was not let in.
    type Refusal;
    /// The permit, or why there is none.
    fn into_admitted(self) -> Admitted<Self::Refusal>;
}

impl IntoAdmitted for Permit {
    type Refusal = Infallible;

    #[inline]
    fn into_admitted(self) -> Admitted<Infallible> {
        Admitted::Permit(self)
    }
}

impl IntoAdmitted for Result<Permit, Rejected> {
    type Refusal = Rejected;

    #[inline]
    fn into_admitted(self) -> Admitted<Rejected> {
        match self {
            Ok(permit) => Admitted::Permit(permit),
            Err(rejected) => Admitted::Refused(rejected),
        }
    }
}

/// For the attribute: the permit of a limit in shadow, which refuses nobody, also where the call's own
/// options could otherwise be refused.
///
/// # Panics
///
/// If there is none.
pub fn never_refused(result: Result<Permit, Rejected>) -> Permit {
    match result {
        Ok(permit) => permit,
        Err(rejected) => unreachable!("a limit in shadow refused a call: {rejected}"),
    }
}

/// For the attribute: a function's value for a call that is refused.
#[diagnostic::on_unimplemented(
    message = "calls of this function can be refused, and `{T}` cannot carry the refusal",
    label = "`{T}` cannot carry a refusal",
    note = "return `Result<_, E>` where `E: From<limit_runtime::Rejected>`, or `Option<_>`",
    note = "or say what is given instead: add `on_reject = |rejected| …` to the attribute"
)]
pub trait Refuse<T> {
    /// The function's value.
    fn refuse(self) -> T;
}

// None of these is to be gone into by the compiler, which would say that `E` is not `From<Rejected>`
// and leave out the advice above.
#[diagnostic::do_not_recommend]
impl<T> Refuse<T> for Infallible {
    fn refuse(self) -> T {
        match self {}
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: From<Rejected>> Refuse<Result<T, E>> for Rejected {
    fn refuse(self) -> Result<T, E> {
        Err(E::from(self))
    }
}

#[diagnostic::do_not_recommend]
impl<T> Refuse<Option<T>> for Rejected {
    fn refuse(self) -> Option<T> {
        None
    }
}
