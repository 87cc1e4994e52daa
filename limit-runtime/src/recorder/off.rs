//! The recorder without the feature `diagnostics`: it records nothing and costs nothing.

#[derive(Clone, Copy, Debug)]
pub(crate) struct CallSite;

impl CallSite {
    #[inline]
    pub(crate) const fn caller() -> Self {
        Self
    }
}

#[derive(Debug)]
pub(crate) struct CallRecord;

impl CallRecord {
    pub(crate) const NONE: Self = Self;

    #[inline]
    pub(crate) fn holds(_: impl FnOnce() -> Option<u32>, _: usize, _: u32, _: CallSite) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn waits(_: impl FnOnce() -> Option<u32>, _: usize, _: u32, _: CallSite) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "as with the feature")]
    #[inline]
    pub(crate) fn waits_at(&mut self, _: usize) -> bool {
        true
    }

    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(crate) fn split(&mut self, _: u32) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(crate) fn merge(&mut self, _: Self, _: u32) {}

    #[expect(clippy::unused_self, reason = "as with the feature")]
    #[inline]
    pub(crate) fn end(&mut self) -> Self {
        Self
    }
}
