//! Without the feature `fleet` no key is leased.

use super::Keys;

impl Keys {
    #[inline]
    pub(in super::super) fn limit_of(&self, _: u32) -> u32 {
        self.limit
    }

    #[inline]
    pub(in super::super) fn limit_of_new(&self) -> u32 {
        self.limit
    }
}
