//! Putting a source of settings in force.

use super::catalog;
use super::source::put_in_force;
use crate::setting::{SettingsSource, Unsupported};
use crate::unwind::run_all_then_resume_panic;
use std::sync::Arc;

/// Puts a source of settings in force, in place of the former one: for the limiters that are in use, and for
/// those that are first used later. Its values have the source [`Source::File`](crate::Source::File).
///
/// A limiter that is first used later, and does not support one of its values, leaves that value out and
/// logs an error.
///
/// # Errors
///
/// If a limiter that is in use does not support a value. Nothing is changed then.
///
/// # Panics
///
/// If the waker of a call that is admitted panics, when everything was changed.
///
/// # Examples
///
/// See the [module's documentation](crate::settings).
pub fn install(source: impl SettingsSource) -> Result<(), Unsupported> {
    let source: Arc<dyn SettingsSource> = Arc::new(source);
    for engine in catalog::all() {
        engine.supports_all(&source.values(&engine.name))?;
    }
    let source = put_in_force(source);
    // The list again: a limiter may have been used for the first time meanwhile.
    run_all_then_resume_panic(catalog::all(), |engine| {
        engine.configure(source.version, engine.supported(source.values(&engine.name)));
    });
    Ok(())
}
