//! The result of a call, as the attribute's code matches on it.

use crate::permit::{AllPermits, Permit};
use crate::rejected::Rejected;
use std::convert::Infallible;

/// A permit, or the refusal of the call.
///
/// This is no `Result`: lints look into the arms of the attribute's `match` as into the user's
/// code, and they have advice for a `match` on a `Result`.
#[derive(Debug)]
pub enum Admitted<R, P = Permit> {
    /// The permit, or those of several limiters.
    Permit(P),
    /// The refusal of a call.
    Refused(R),
}

/// Converts the output of any limiter's `acquire`.
pub trait IntoAdmitted {
    /// The type of the refusal.
    type Refusal;
    /// The type of what the call holds.
    type Permit;
    /// Converts to a permit or a refusal.
    fn into_admitted(self) -> Admitted<Self::Refusal, Self::Permit>;
}

impl IntoAdmitted for Permit {
    type Refusal = Infallible;
    type Permit = Self;

    #[inline]
    fn into_admitted(self) -> Admitted<Infallible> {
        Admitted::Permit(self)
    }
}

impl<const N: usize> IntoAdmitted for AllPermits<N> {
    type Refusal = Infallible;
    type Permit = Self;

    #[inline]
    fn into_admitted(self) -> Admitted<Infallible, Self> {
        Admitted::Permit(self)
    }
}

impl<P> IntoAdmitted for Result<P, Rejected> {
    type Refusal = Rejected;
    type Permit = P;

    #[inline]
    fn into_admitted(self) -> Admitted<Rejected, P> {
        match self {
            Ok(permit) => Admitted::Permit(permit),
            Err(rejected) => Admitted::Refused(rejected),
        }
    }
}

/// Returns the permit of a shadow, which refuses no call, even if the call's own options could be
/// refused.
///
/// # Panics
///
/// If the call was refused.
pub fn never_refused(result: Result<Permit, Rejected>) -> Permit {
    match result {
        Ok(permit) => permit,
        Err(rejected) => unreachable!("a limit in shadow refused a call: {rejected}"),
    }
}

/// Makes a function's value from a refusal.
#[diagnostic::on_unimplemented(
    message = "calls of this function can be refused, and `{T}` cannot carry the refusal",
    label = "`{T}` cannot carry a refusal",
    note = "return `Result<_, E>` where `E: From<limit_runtime::Rejected>`, or `Option<_>`",
    note = "or say what is given instead: add `on_reject = |rejected| …` to the attribute"
)]
pub trait Refuse<T> {
    /// Returns the function's value.
    fn refuse(self) -> T;
}

// These impls are marked `do_not_recommend`, or the compiler would look into them and say that `E`
// is not `From<Rejected>`, without the advice above.
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
