//! The recorder without the feature `diagnostics`: it records nothing and costs nothing.

use std::task::Context;

#[derive(Clone, Copy, Debug)]
pub(crate) struct CallSite;

impl CallSite {
    #[inline]
    pub(crate) const fn caller() -> Self {
        Self
    }

    #[inline]
    pub(crate) const fn of_body(self) -> Self {
        self
    }

    #[inline]
    pub(crate) const fn of_polled(self) -> Self {
        self
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct PollPoint;

impl PollPoint {
    pub(crate) const NONE: Self = Self;

    #[expect(clippy::unused_self, reason = "as with the feature")]
    #[inline]
    pub(crate) fn note(&mut self, _: &Context<'_>, _: impl FnOnce() -> bool) {}

    pub(crate) fn blocking(_: impl FnOnce() -> bool) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn of_member(self, _: bool, _: impl FnOnce() -> bool) -> Self {
        self
    }
}

#[derive(Debug)]
pub(crate) struct CallPlace {
    #[expect(dead_code, reason = "nothing is recorded")]
    pub(crate) limiter: Option<u32>,
    #[expect(dead_code, reason = "nothing is recorded")]
    pub(crate) semaphore: usize,
    #[expect(dead_code, reason = "nothing is recorded")]
    pub(crate) slot: Option<u32>,
    #[expect(dead_code, reason = "nothing is recorded")]
    pub(crate) weight: u32,
}

/// The time of one poll.
pub(crate) struct Polling;

/// As with the feature, so that it can be dropped by name.
impl Drop for Polling {
    #[inline]
    fn drop(&mut self) {}
}

#[derive(Debug)]
pub(crate) struct CallRecord;

#[expect(clippy::unused_self, reason = "as with the feature")]
impl CallRecord {
    pub(crate) const NONE: Self = Self;

    #[inline]
    pub(crate) fn holds(
        self,
        _: u32,
        _: impl FnOnce() -> CallPlace,
        _: impl FnOnce() -> CallSite,
        _: PollPoint,
    ) -> Self {
        self
    }

    #[inline]
    pub(crate) fn waits(_: impl FnOnce() -> CallPlace, _: CallSite, _: PollPoint, _: bool) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn waits_at(&mut self, _: usize, _: Option<u32>) -> bool {
        true
    }

    pub(crate) fn waits_nowhere(&mut self) {}

    #[inline]
    pub(crate) fn note_poll(&self, _: PollPoint) {}

    #[inline]
    pub(crate) fn hand_over(&self) {}

    #[cfg(any(feature = "task", feature = "tower"))]
    #[inline]
    pub(crate) fn polling(&self) -> Polling {
        Polling
    }

    #[inline]
    pub(crate) fn working(&self) -> Polling {
        Polling
    }

    pub(crate) fn split(&mut self, _: u32, _: Option<u32>) -> Self {
        Self
    }

    pub(crate) fn merge(&mut self, _: Self, _: u32, _: Option<u32>) {}

    #[inline]
    pub(crate) fn is_some(&self) -> bool {
        false
    }

    #[inline]
    pub(crate) fn end(&mut self) -> Self {
        Self
    }
}

pub(crate) fn tell_of_taken_back(_: usize, _: &[(u32, std::time::Instant)]) {}

pub(crate) const fn is_recording() -> bool {
    false
}
