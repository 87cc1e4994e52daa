//! Without the feature `fleet` no key is leased.

use super::Keys;
#[cfg(feature = "inspect")]
use super::states::KeyState;

impl Keys {
    #[inline]
    pub(in super::super) fn limit_of(&self, number: u32) -> u32 {
        self.states.get(number).limit(self.limit)
    }

    #[cfg(feature = "inspect")]
    pub(super) fn limit_of_state(&self, state: &KeyState) -> u32 {
        state.limit(self.limit)
    }

    #[inline]
    pub(in super::super) fn limit_of_new(&self) -> u32 {
        self.limit
    }
}
