//! The verdict of a call about its backend.

use crate::adaptive::Overload;
use crate::permit::{AllPermits, Permit};
use std::thread;
use std::time::Duration;

/// A call whose output is to be judged. It was cancelled if it is dropped before that.
#[derive(Debug)]
pub struct Unjudged<'a, P: Judged>(Option<&'a P>);

impl<'a, P: Judged> Unjudged<'a, P> {
    /// Notes that the output of the permit's call is to be judged.
    #[must_use]
    pub fn new(permit: &'a P) -> Self {
        Self(Some(permit))
    }
}

impl<P: Judged> Drop for Unjudged<'_, P> {
    fn drop(&mut self) {
        // The permit of a call that panics says so itself when it comes back.
        if let Some(permit) = self.0.take().filter(|_| !thread::panicking()) {
            permit.cancelled();
        }
    }
}

/// Notes the verdict that the call's output gives.
pub fn judge<P: Judged, T: ?Sized, V: Overload>(
    mut call: Unjudged<'_, P>,
    output: &T,
    overload: impl FnOnce(&T) -> V,
) {
    // Before the user's closure, which may panic.
    let permit = call.0.take();
    if let (Some(permit), Some(hold_off)) = (permit, overload(output).hold_off()) {
        permit.overloaded_for(hold_off);
    }
}

/// A permit, or those of several limiters.
pub trait Judged {
    /// Marks the call as one that found its backend overloaded.
    fn overloaded_for(&self, hold_off: Duration);
    /// Marks the call as one that was cancelled.
    fn cancelled(&self);
}

impl Judged for Permit {
    fn overloaded_for(&self, hold_off: Duration) {
        self.mark_overloaded(hold_off);
    }

    fn cancelled(&self) {
        self.mark_cancelled();
    }
}

impl<const N: usize> Judged for AllPermits<N> {
    fn overloaded_for(&self, hold_off: Duration) {
        self.permits().iter().for_each(|permit| permit.mark_overloaded(hold_off));
    }

    fn cancelled(&self) {
        self.permits().iter().for_each(Permit::mark_cancelled);
    }
}
