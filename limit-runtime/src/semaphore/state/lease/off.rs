//! Without the feature `fleet` no semaphore is leased.

use super::super::lease::LeaseWords;
use super::super::wake_list::WakeList;
use super::{Arrival, Decision, State};
use crate::policy::Request;
use crate::sync::AtomicU64;

#[expect(clippy::unused_self, reason = "as with the feature")]
impl State {
    #[inline]
    pub(in super::super) fn look_before(
        &mut self,
        _: &AtomicU64,
        _: &LeaseWords,
        _: Request,
        _: &mut Arrival,
        _: &mut WakeList,
    ) {
    }

    #[inline]
    pub(in super::super) fn tell_of(&mut self, _: &Decision, _: &mut WakeList) {}

    #[inline]
    pub(in super::super) fn tell_of_release(&mut self, _: &mut WakeList) {}

    #[inline]
    pub(in super::super) fn tell_of_limits(&mut self, _: &mut WakeList) -> bool {
        false
    }

    #[inline]
    pub(in super::super) fn tell(&mut self, _: &mut WakeList) {}
}
