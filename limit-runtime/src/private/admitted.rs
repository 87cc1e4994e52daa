//! The outcome of a call, as the attribute's code takes it.

use crate::permit::Permit;
use crate::rejected::Rejected;
use std::convert::Infallible;

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
