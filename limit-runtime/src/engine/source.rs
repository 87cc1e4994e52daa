//! The source of settings that is in force.

use crate::setting::{SettingKind, SettingValues, SettingsSource};
use std::sync::{Arc, Mutex, PoisonError};

static IN_FORCE: Mutex<InForce> = Mutex::new(InForce { version: 0, source: None });

/// The source that was installed last, with its version: a number that grows with each source.
#[derive(Clone)]
pub(super) struct InForce {
    pub(super) version: u64,
    source: Option<Arc<dyn SettingsSource>>,
}

impl InForce {
    /// Returns the source's values for a limiter. It calls foreign code, so no lock may be held.
    pub(super) fn values(&self, limiter: &str) -> SettingValues {
        self.source.as_ref().map_or_else(SettingValues::default, |source| source.values(limiter))
    }

    /// Returns where the source has the value. It calls foreign code, so no lock may be held.
    pub(super) fn origin(&self, limiter: &str, setting: SettingKind) -> Option<String> {
        self.source.as_ref()?.origin(limiter, setting)
    }
}

/// Returns the source that is in force at this moment.
pub(super) fn in_force() -> InForce {
    IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Puts a source in force for limiters that are first used from now on. A limiter keeps the values
/// of the source with the highest version that has set values for it.
///
/// Returns the former one as well, to be dropped last, because that runs foreign code.
pub(super) fn put_in_force(source: Arc<dyn SettingsSource>) -> (InForce, InForce) {
    let mut in_force = IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner);
    let version = in_force.version + 1;
    let former = std::mem::replace(&mut *in_force, InForce { version, source: Some(source) });
    (in_force.clone(), former)
}
