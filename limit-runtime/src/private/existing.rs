//! For the attribute: whether the value of `limiter = …` is a limiter, which goes with the call.

use crate::admission::Admission;
use crate::limiter::Limiter;

/// What an expression gives, borrowed.
#[derive(Debug)]
pub struct Existing<'a, T>(pub &'a T);

impl<E: Admission, K> Existing<'_, Limiter<E, K>> {
    /// Does not compile: the limiter is made for the call.
    ///
    /// It comes before [`IsShared::outlives_the_call`], because methods of the type itself do.
    pub fn outlives_the_call(&self)
    where
        Limiter<E, K>: OutlivesTheCall,
    {
    }
}

/// Of a reference to a limiter, an `Arc` with one and the like.
pub trait IsShared {
    /// Does nothing.
    fn outlives_the_call(&self) {}
}

impl<T> IsShared for Existing<'_, T> {}

/// Of no type.
#[diagnostic::on_unimplemented(
    message = "this makes a new limiter for each call, which limits nothing",
    label = "a limiter that goes with the call",
    note = "keep one in a `static LIMITER: Limiter = …`, or in a field, and write `limiter = LIMITER`",
    note = "or give a reference or an `Arc`, so that calls share one"
)]
pub trait OutlivesTheCall {}
