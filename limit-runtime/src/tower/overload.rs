//! The verdict of a response about its backend.

use super::hold::Hold;
use super::sealed::Sealed;
use crate::adaptive::Overload;
use crate::permit::Permit;
use crate::unwind::Quiet;
use std::borrow::Borrow as _;
use std::fmt;

/// The [`Hold`] of a [`Limit`](super::Limit) that asks a function whether a response says that the backend is
/// overloaded. See [`LimitLayer::overload`](super::LimitLayer::overload).
#[derive(Clone)]
pub struct Overloads<F, H> {
    pub(super) overload: F,
    pub(super) hold: H,
}

impl<F, H> Sealed for Overloads<F, H> {}

impl<F, H, V, Request, Response> Hold<Request, Response> for Overloads<F, H>
where
    F: FnOnce(&Response) -> V + Clone,
    V: Overload,
    H: Hold<Request, Response>,
{
    type Held = H::Held;
    type Permit = H::Permit;

    fn lend(&self, permit: Quiet<Permit>, request: &mut Request) -> Quiet<H::Permit> {
        self.hold.lend(permit, request)
    }

    fn hold(self, response: Response, permit: Option<Quiet<H::Permit>>) -> H::Held {
        if let Some(permit) = &permit {
            // If the user's function panics, the permit is dropped and comes back.
            if let Some(hold_off) = (self.overload)(&response).hold_off() {
                permit.get().borrow().mark_overloaded(hold_off);
            }
        }
        self.hold.hold(response, permit)
    }
}

impl<F, H> fmt::Debug for Overloads<F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overloads").finish_non_exhaustive()
    }
}
