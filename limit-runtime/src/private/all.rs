//! The limiters of `all(…)`, each checked at its own place in the attribute.

use crate::admission::Admission;
use crate::keying::Unkeyed;
use crate::limiter::{Limiter, OneLimit};

/// Returns the limiter. Of a limiter with keys the compiler says what to write.
#[inline]
pub fn one_limit<E: Admission, K: CountsAllCalls>(limiter: &Limiter<E, K>) -> &Limiter<E> {
    K::of_all_calls(limiter)
}

/// Returns the call. Of a value that is none the compiler says what to write.
#[inline]
pub fn one_call<'a, L: OneLimit<'a>>(call: L) -> L {
    call
}

/// Implemented for the kind of a limiter whose limit holds for all calls together.
#[diagnostic::on_unimplemented(
    message = "the limit of this limiter holds for each key, and no key is given",
    label = "a limiter with keys",
    note = "give the key here, such as `all(LIMITER.key(tenant), …)`"
)]
pub trait CountsAllCalls: Sized {
    /// Returns the limiter with its type spelt out.
    fn of_all_calls<E: Admission>(limiter: &Limiter<E, Self>) -> &Limiter<E>;
}

// Marked, or the compiler would list the one type that has the trait.
#[diagnostic::do_not_recommend]
impl CountsAllCalls for Unkeyed {
    #[inline]
    fn of_all_calls<E: Admission>(limiter: &Limiter<E, Self>) -> &Limiter<E> {
        limiter
    }
}
