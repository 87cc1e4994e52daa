//! The scope of a limiter: which calls share its permits.

use std::fmt;

/// The calls that share a limiter's permits.
///
/// # Examples
///
/// ```
/// use limit_runtime::{Limiter, Scope};
///
/// static LICENCES: Limiter = Limiter::new("licences", 5).scope(Scope::Process);
/// assert_eq!(LICENCES.snapshot().scope, Scope::Process);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Scope {
    /// The calls of one runtime. Each runtime has its own permits from its first call to its end.
    /// Calls outside any runtime share one set of permits.
    #[default]
    Runtime,
    /// All calls of the process, in all its runtimes. If a runtime holds a permit and does not run,
    /// all other runtimes lack that permit.
    Process,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Scope::Runtime => "runtime",
            Scope::Process => "process",
        })
    }
}
