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

/// The use of a permit.
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
    pub(super) arrival: Arrival,
}

/// When a call has come to its limiter. It has at its first poll, and waits from then on or has its permits at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The call has not been polled, or never waits.
    No,
    /// It comes at this moment, and waits for permits if it must.
    Now {
        /// `true` if it waits for no longer than a time.
        gives_up: bool,
    },
    /// It has come at an earlier poll.
    Earlier,
}

impl PollPoint {
    /// Nothing is known: the call has not been polled, or never waits.
    pub(crate) const NONE: Self = Self { waker: 0, depth: 0, arrival: Arrival::No };

    /// Returns the point of a call that blocks its thread if it must wait.
    pub(crate) fn blocking(gives_up: impl FnOnce() -> bool) -> Self {
        Self { arrival: Arrival::No.next(gives_up), ..Self::NONE }
    }

    /// Returns the point for one of the limits of a call. The call comes to that limit when it asks for it first.
    #[inline]
    pub(crate) fn of_member(self, has_asked: bool, gives_up: impl FnOnce() -> bool) -> Self {
        match self.arrival {
            Arrival::No => self,
            _ if has_asked => Self { arrival: Arrival::Earlier, ..self },
            _ => Self { arrival: Arrival::No.next(gives_up), ..self },
        }
    }

    /// Measures. The caller is the `poll` of the future, so that the result does not depend on the way inside it.
    #[inline]
    pub(super) fn measure(context: &Context<'_>, arrival: Arrival) -> Self {
        Self { waker: context.waker().data().addr(), depth: depth(context), arrival }
    }
}

/// Returns how far below the context the stack ends. It is not inlined, so that its caller's frame counts as a whole.
#[inline(never)]
fn depth(context: &Context<'_>) -> u32 {
    let probe = 0_u8;
    let here = ptr::from_ref(black_box(&probe)).addr();
    let above = ptr::from_ref(context).addr().saturating_sub(here);
    // A context that is not on this stack is no measure.
    u32::try_from(above).unwrap_or(0)
}

impl Arrival {
    /// Returns what it is at the next poll. Only debug builds ask.
    #[inline]
    pub(super) fn next(self, gives_up: impl FnOnce() -> bool) -> Self {
        match self {
            Self::No if cfg!(debug_assertions) => Self::Now { gives_up: gives_up() },
            Self::No => Self::No,
            Self::Now { .. } | Self::Earlier => Self::Earlier,
        }
    }
}
