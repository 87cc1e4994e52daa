//! Installing a source of settings.

use super::catalog;
use super::source::put_in_force;
use crate::setting::{SettingsSource, Unsupported};
use crate::unwind::run_all_then_resume_panic;
use std::sync::Arc;

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
    }
    let (source, _former) = put_in_force(source);
    // The list is read again: a limiter may have been used for the first time meanwhile.
    run_all_then_resume_panic(catalog::all(), |engine| {
        engine.configure(source.version, engine.supported(&source));
        engine.log();
    });
    Ok(())
}
