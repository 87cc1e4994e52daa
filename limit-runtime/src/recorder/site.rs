//! Where a call is made, and where its future is polled.

use std::hint::black_box;
use std::panic::Location;
use std::ptr;
use std::task::Context;

/// The place in the source code where a call is made, and what becomes of its permit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallSite {
    pub(super) place: &'static Location<'static>,
    pub(super) kind: Kind,
}

/// What becomes of a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The program has it, and may move it to another task.
    Bare,
    /// The body of an annotated function runs under it, and has no name for it.
    Body,
    /// A future runs under it that we poll, or a closure that we call.
    Polled,
}

impl CallSite {
    #[track_caller]
    #[inline]
    pub(crate) const fn caller() -> Self {
        Self { place: Location::caller(), kind: Kind::Bare }
    }

    /// Returns the same place, where the body of an annotated function runs under the permit.
    #[inline]
    pub(crate) const fn of_body(self) -> Self {
        Self { kind: Kind::Body, ..self }
    }

    /// Returns the same place, where a future that we poll runs under the permit.
    #[inline]
    pub(crate) const fn of_polled(self) -> Self {
        Self { kind: Kind::Polled, ..self }
    }
}

/// Where a future was polled: with which waker, and how deep below the executor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PollPoint {
    /// The data pointer of the waker, 0 if it is not known.
    pub(super) waker: usize,
    /// The bytes of the stack between the executor's `Context` and the future that is polled, 0 if they are not
    /// known.
    pub(super) depth: u32,
}

impl PollPoint {
    /// Nothing is known: the call does not wait, or blocks its thread.
    pub(crate) const NONE: Self = Self { waker: 0, depth: 0 };

    /// Measures. The caller is the `poll` of the future, so that the result does not depend on the way inside it.
    #[inline(never)]
    pub(crate) fn measure(context: &Context<'_>) -> Self {
        let probe = 0_u8;
        let here = ptr::from_ref(black_box(&probe)).addr();
        let above = ptr::from_ref(context).addr().saturating_sub(here);
        // A context that is not on this stack is no measure.
        let depth = u32::try_from(above).unwrap_or(0);
        Self { waker: context.waker().data().addr(), depth }
    }
}
