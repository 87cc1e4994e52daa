//! The verdict of a call about its backend.

use crate::adaptive::Overload;
use crate::permit::{AllPermits, Permit};
use std::time::Duration;

/// Gives the permit of a call back, with the verdict that the call's output gives.
pub fn judge<P: Judged, T: ?Sized, V: Overload>(
    permit: P,
    output: &T,
    overload: impl FnOnce(&T) -> V,
) {
    // If the user's closure panics, the permit is dropped and comes back.
    if let Some(hold_off) = overload(output).hold_off() {
        permit.overloaded_for(hold_off);
    }
}

/// A permit, or those of several limiters.
pub trait Judged {
    /// Gives it back, as one whose call found its backend overloaded.
    fn overloaded_for(self, hold_off: Duration);
}

impl Judged for Permit {
    fn overloaded_for(self, hold_off: Duration) {
        self.overloaded_for(hold_off);
    }
}

impl<const N: usize> Judged for AllPermits<N> {
    fn overloaded_for(self, hold_off: Duration) {
        self.overloaded_for(hold_off);
    }
}
