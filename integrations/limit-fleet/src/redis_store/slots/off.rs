//! Without the feature `cluster`, no server has slots.

use std::sync::Arc;

use super::connection::SharedConnection;

/// Knows no slots.
#[derive(Debug)]
pub(super) struct Slots;

impl Slots {
    pub(super) fn new() -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(super) fn find(&self, _: &str) -> Option<Arc<SharedConnection>> {
        None
    }

    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(super) fn set(&self, _: u16, _: &Arc<SharedConnection>) {}

    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(super) fn forget(&self, _: &Arc<SharedConnection>) {}
}
