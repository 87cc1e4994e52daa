//! Without the feature `fleet` no semaphore is leased.

use super::deferred::Deferred;
use super::held::Held;
use super::lease::Terms;
use super::permits::Semaphore;
use super::state::State;

#[expect(clippy::unused_self, reason = "as with the feature")]
impl Semaphore {
    /// Takes one permit on the fast path. A heavier call is refused on the slow path.
    pub(crate) fn try_acquire_leased(
        &'static self,
        weight: u32,
        still_ours: impl Fn() -> bool,
    ) -> Option<Held> {
        if weight > 1 { None } else { self.try_acquire(weight, still_ours) }
    }

    #[inline]
    #[expect(clippy::unnecessary_wraps, reason = "as with the feature")]
    pub(super) fn look_after_wait(&self, _: u32) -> Option<Terms> {
        Some(Terms::NONE)
    }

    pub(crate) fn lose_leases(&self) -> Option<Deferred> {
        None
    }

    pub(super) fn end_leasing(&self, _: &mut State, _: &mut Vec<Deferred>) {}
}
