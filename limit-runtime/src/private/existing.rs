//! A check that the value of `limiter = …` is not a limiter that lives only as long as the call.

use crate::admission::Admission;
use crate::limiter::Limiter;

/// A borrowed value of `limiter = …`.
#[derive(Debug)]
pub struct Existing<'a, T>(pub &'a T);

impl<E: Admission, K> Existing<'_, Limiter<E, K>> {
    /// Fails to compile: the limiter was made for this one call.
    ///
    /// Method look-up finds it before [`IsShared::outlives_the_call`], because it is a method of
    /// the type itself.
    pub fn outlives_the_call(&self)
    where
        Limiter<E, K>: OutlivesTheCall,
    {
    }
}

/// Implemented for all values: references to a limiter, an `Arc` with one, and so on.
pub trait IsShared {
    /// Does nothing.
    fn outlives_the_call(&self) {}
}

impl<T> IsShared for Existing<'_, T> {}

/// Implemented by no type.
#[diagnostic::on_unimplemented(
    message = "this makes a new limiter for each call, which limits nothing",
    label = "a limiter that goes with the call",
    note = "keep one in a `static LIMITER: Limiter = …`, or in a field, and write `limiter = LIMITER`",
    note = "or give a reference or an `Arc`, so that calls share one"
)]
pub trait OutlivesTheCall {}
