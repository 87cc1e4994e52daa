//! Installing a source of settings.

use super::catalog;
use crate::setting::{SettingKind, SettingValues, SettingsSource, Unsupported};
use crate::unwind::run_all_then_resume_panic;
use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

static IN_FORCE: Mutex<InForce> = Mutex::new(InForce { version: 0, source: None });

/// The source that was installed last, with its version: a number that grows with each source. A
/// limiter keeps the values of the source with the highest version that has set values for it.
#[derive(Clone)]
pub(super) struct InForce {
    pub(super) version: u64,
    source: Option<Arc<dyn SettingsSource>>,
}

impl InForce {
    /// Returns where the source has the value. It calls foreign code, so no lock may be held.
    pub(super) fn origin(&self, limiter: &str, setting: SettingKind) -> Option<String> {
        self.source.as_ref()?.origin(limiter, setting)
    }

    /// Returns the source's limits of single keys of a limiter. It calls foreign code, so no lock may be held.
    pub(super) fn key_limits(&self, limiter: &str) -> BTreeMap<String, usize> {
        let limits = self.source.as_ref().map(|source| source.key_limits(limiter));
        limits.unwrap_or_default().into_iter().collect()
    }

    /// Returns where the source has the limit of a key. It calls foreign code, so no lock may be held.
    pub(super) fn key_origin(&self, limiter: &str, key: &str) -> Option<String> {
        self.source.as_ref()?.key_origin(limiter, key)
    }

    /// Returns the source's values for a limiter. It calls foreign code, so no lock may be held.
    pub(super) fn values(&self, limiter: &str) -> SettingValues {
        self.source.as_ref().map_or_else(SettingValues::default, |source| source.values(limiter))
    }
}

/// Returns the error of the newest version of the installed source, if that version could not be applied: see
/// [`SettingsSource::problem`]. A page or an exporter shows it.
///
/// # Examples
///
/// ```
/// use limit_runtime::settings::{SettingValues, SettingsSource, install, problem};
///
/// struct Table;
///
/// impl SettingsSource for Table {
///     fn values(&self, _limiter: &str) -> SettingValues {
///         SettingValues::default()
///     }
///     fn problem(&self) -> Option<String> {
///         Some("the table of limits: no connection".to_owned())
///     }
/// }
///
/// install(Table)?;
/// assert_eq!(problem().as_deref(), Some("the table of limits: no connection"));
/// # Ok::<(), limit_runtime::Unsupported>(())
/// ```
#[must_use]
pub fn problem() -> Option<String> {
    // Under no lock: the source is foreign code.
    in_force().source?.problem()
}

/// Returns the source that is in force at this moment.
pub(super) fn in_force() -> InForce {
    lock().clone()
}

fn lock() -> MutexGuard<'static, InForce> {
    IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Installs a source of settings in place of the former one. It holds for limiters in use and for
/// limiters that are first used later. Its values have the source
/// [`Source::File`](crate::Source::File).
///
/// A limiter that is first used later leaves out a value that it does not support, and logs an
/// error.
///
/// # Errors
///
/// If a limiter in use does not support a value. Nothing is changed then.
///
/// # Panics
///
/// If the waker of an admitted call panics. Everything has been changed by then.
///
/// # Examples
///
/// See the [module's documentation](crate::settings).
pub fn install(source: impl SettingsSource) -> Result<(), Unsupported> {
    let source: Arc<dyn SettingsSource> = Arc::new(source);
    for engine in catalog::all() {
        engine.supports_all(&source.values(&engine.name))?;
        if !source.key_limits(&engine.name).is_empty() {
            engine.supports_key_limits()?;
        }
    }
    let mut in_force = lock();
    let source = InForce { version: in_force.version + 1, source: Some(source) };
    // Dropped last, because that runs foreign code.
    let _former = mem::replace(&mut *in_force, source.clone());
    drop(in_force);
    // The list is read again: a limiter may have been used for the first time meanwhile.
    run_all_then_resume_panic(catalog::all(), |engine| {
        let key_limits = engine.supported_key_limits(&source);
        engine.configure(source.version, engine.supported(&source), key_limits);
        engine.log();
    });
    Ok(())
}
