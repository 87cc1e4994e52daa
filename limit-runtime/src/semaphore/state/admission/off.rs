//! Without the feature `fleet` no semaphore is leased.

use super::super::lease::{LeaseWords, Terms};
use super::super::wake_list::WakeList;
use super::{Arrival, Decision, State};
use crate::policy::Request;
use crate::rejected::RejectedKind;
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

    pub(super) fn look_at_key(&mut self, _: &AtomicU64, _: u32, _: &mut Arrival, _: &mut WakeList) {
    }

    #[inline]
    pub(in super::super) fn terms(&mut self, _: &LeaseWords, _: u32) -> Terms {
        Terms::NONE
    }

    pub(super) fn is_leased(&self) -> bool {
        false
    }

    #[inline]
    pub(in super::super) fn tell_of(&mut self, _: &Decision, _: &mut WakeList) {}

    pub(super) fn tell_of_waiter(&mut self, _: u32, _: &mut WakeList) {}

    pub(super) fn tell_of_refusal(&mut self, _: RejectedKind, _: u32, _: &mut WakeList) {}

    #[inline]
    pub(in super::super) fn tell_of_release(&mut self, _: u32, _: u32, _: &mut WakeList) {}

    pub(in super::super) fn tell_of_limit(&mut self, _: u32, _: &mut WakeList) -> bool {
        false
    }

    pub(in super::super) fn tell_of_total(
        &mut self,
        _: &AtomicU64,
        _: &LeaseWords,
        _: u32,
        _: &mut WakeList,
    ) -> bool {
        false
    }

    pub(in super::super) fn lease_keys(&mut self, _: &AtomicU64, _: &LeaseWords, _: &mut WakeList) {
    }

    pub(in super::super) fn tell(&mut self, _: u32, _: &mut WakeList) {}

    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(super) fn is_unavailable(&mut self, _: u32) -> bool {
        false
    }
}
