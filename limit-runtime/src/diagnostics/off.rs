//! Nothing, in place of what the feature `diagnostics` records.

use crate::limiter::Core;
#[cfg(feature = "_exporters")]
use crate::limiter::Entry;
use crate::semaphore::Semaphore;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Site;

impl Site {
    #[inline]
    pub(crate) const fn caller() -> Self {
        Self
    }
}

#[derive(Debug)]
pub(crate) struct Record;

impl Record {
    pub(crate) const NONE: Self = Self;

    #[inline]
    pub(crate) fn holds(_: &Core, _: &'static Semaphore, _: u32, _: Site) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn waits(_: &Core, _: &'static Semaphore, _: u32, _: Site) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "as with the feature")]
    #[inline]
    pub(crate) fn waits_at(&mut self, _: &'static Semaphore) -> bool {
        true
    }

    #[expect(clippy::unused_self, reason = "as with the feature")]
    #[inline]
    pub(crate) fn admitted(&mut self, _: &Core, _: &'static Semaphore, _: u32, _: Site) {}

    #[expect(clippy::unused_self, reason = "as with the feature")]
    #[inline]
    pub(crate) fn end(&mut self) -> Ended {
        Ended
    }
}

#[must_use = "as with the feature"]
pub(crate) struct Ended;

#[cfg(feature = "_exporters")]
pub(crate) struct OldestHolders;

#[cfg(feature = "_exporters")]
impl OldestHolders {
    pub(crate) fn now() -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(crate) fn of(&self, _: &Entry) -> Option<f64> {
        None
    }
}
